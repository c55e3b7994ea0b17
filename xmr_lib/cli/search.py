"""``xmr search``."""

import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import XmrError
from .app import AllowDownloadOption, DeviceOption, PrecisionOption, app, use_runtime
from .index import place_of, told_of

if TYPE_CHECKING:
    from ..index import Hit

KINDS = {"pictures": "image", "sentences": "text"}


@app.command(short_help="Find pictures by a sentence, or sentences and pictures by a picture.")
def search(
    index: Annotated[str, typer.Argument(help="An index: its folder, or its name under indexes/.")],
    query: Annotated[str, typer.Argument(help="A sentence, or the file of a picture.")],
    top: Annotated[int, typer.Option(help="How many of each kind.")] = 10,
    find: Annotated[
        str | None,
        typer.Option(help="pictures, sentences or both. [default: by a sentence pictures, by a picture both]"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    gallery: Annotated[
        Path | None, typer.Option(help="Write one HTML page with what was found, pictures within.")
    ] = None,
    bank: Annotated[
        bool | None,
        typer.Option("--bank/--no-bank", help="Query-bank normalisation. [default: where the model has one]"),
    ] = None,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    allow_download: AllowDownloadOption = False,
) -> None:
    """Find the pictures nearest to a sentence, or the sentences and pictures nearest to a picture, best first."""
    from ..index import Index
    from ..index.gallery import page_of
    from ..paths import atomic_write
    from ..runtime import Runtime

    use_runtime(device, precision, None)
    if as_json and as_csv:
        raise XmrError("give --json or --csv, not both")
    opened = Index.open(place_of(index), Runtime.of())
    asked = _asked(query)
    kinds = _kinds(find, isinstance(asked, Path), opened.counts)
    if bank and not any(opened.normalises(asked, kind) for kind in kinds):
        raise XmrError(f"{index}: its model has no query bank that helps here; leave --bank off")
    embedding = opened.embed(asked)
    found = {
        kind: opened.search(embedding, kind, top, bank is not False and opened.normalises(asked, kind))
        for kind in kinds
    }
    hits = [hit for kind in kinds for hit in found[kind]]
    if gallery is not None:
        with atomic_write(gallery) as path:
            path.write_text(page_of(opened, asked, found), "utf-8")
        print(gallery, file=sys.stderr)
    if as_json:
        typer.echo(json.dumps([_row(hit) for hit in hits], indent=1, ensure_ascii=False))
    elif as_csv:
        writer = csv.DictWriter(sys.stdout, list(_row(hits[0])) if hits else ["rank"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(map(_row, hits))
    elif gallery is None:
        normalised = [kind for kind in kinds if bank is not False and opened.normalises(asked, kind)]
        order = "; order normalised by its query bank" if normalised else ""
        print(f"model: {told_of(opened)}{order}", file=sys.stderr)
        typer.echo("\n".join(f"{hit.rank:4}  {hit.score:7.4f}  {hit.text or hit.path}" for hit in hits))


def _asked(query: str) -> str | Path:
    """Return the file of a picture, where the query names one, else the sentence."""
    from ..data.files import IMAGE_SUFFIXES

    path = Path(query).expanduser()
    try:
        is_file = path.is_file()
    except OSError:  # a long sentence is no name
        is_file = False
    if not is_file and path.suffix.lower() in IMAGE_SUFFIXES and " " not in query:
        raise XmrError(f"{query}: there is no such picture")
    if not is_file and not query.strip():
        raise XmrError("the query is empty; give a sentence, or the file of a picture")
    return path if is_file else query


def _kinds(find: str | None, picture: bool, counts: dict[str, int]) -> list[str]:
    if find is None:
        wanted = ["text", "image"] if picture or not counts["image"] else ["image"]
    elif find == "both":
        wanted = ["image", "text"]
    elif find in KINDS:
        wanted = [KINDS[find]]
    else:
        raise XmrError(f"--find {find!r}: give pictures, sentences or both")
    there = [kind for kind in wanted if counts[kind]]
    if not there:
        what = " or ".join(name for name, kind in KINDS.items() if kind in wanted)
        raise XmrError(f"the index has no {what}")
    return there


def _row(hit: "Hit") -> dict[str, object]:
    return {
        "rank": hit.rank,
        "score": round(hit.score, 6),
        "kind": hit.kind,
        "name": hit.name,
        "path": "" if hit.path is None else str(hit.path),
        "text": hit.text or "",
    }
