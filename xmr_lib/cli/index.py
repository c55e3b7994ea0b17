"""``xmr index``."""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import XmrError
from .app import AllowDownloadOption, DeviceOption, PrecisionOption, WorkersOption, app, use_runtime


@app.command(short_help="Make your own pictures and sentences searchable.")
def index(
    photos: Annotated[list[Path] | None, typer.Argument(help="Folders of pictures; captions are not needed.")] = None,
    sentences: Annotated[
        list[Path] | None, typer.Option(help="A text file, a sentence a line; or a CSV or TSV file. Repeatable.")
    ] = None,
    column: Annotated[str | None, typer.Option(help="Column of the CSV file that holds the sentences.")] = None,
    dataset: Annotated[Path | None, typer.Option(help="A dataset: its pictures and its captions.")] = None,
    split: Annotated[str | None, typer.Option(help="Of the dataset: train, val or test. [default: all]")] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Folder of a model or a run, a name under models/, or DATASET/MODEL of your runs. [default: the "
            "index's own; of a new one, models/best, else models/scenes, which 'make demo' leaves]"
        ),
    ] = None,
    out: Annotated[
        str | None, typer.Option(help="Folder of the index; a bare name: under indexes/. [default: the source's name]")
    ] = None,
    engine: Annotated[str, typer.Option(help="auto (by size), exact, faiss or milvus; of a new index.")] = "auto",
    uri: Annotated[str, typer.Option(help="Address of a Milvus server. [default: a file in the index]")] = "",
    half: Annotated[bool, typer.Option("--half", help="Keep vectors in half precision, on half the disk.")] = False,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    workers: WorkersOption = None,
    allow_download: AllowDownloadOption = False,
) -> None:
    """Embed pictures and sentences with a model, so that 'xmr search' and 'xmr serve' find them.

    Run it again after something changed: what is new is added, what is gone leaves, the rest is not read again. Without
    a source, all that the index knows are looked at again.
    """
    from ..index import Dataset, Index, Pictures, Sentences, update
    from ..paths import indexes_root
    from ..runtime import Runtime

    use_runtime(device, precision, workers)
    sources = [Pictures(path) for path in photos or ()]
    sources += [Sentences(path, column=column) for path in sentences or ()]
    sources += [Dataset(dataset, split=split)] if dataset else []
    if not sources and not out:
        raise XmrError("name a folder of pictures, --sentences FILE or --dataset DATA; or an index with --out")
    folder = place_of(out) if out else indexes_root() / (sources[0].place.stem or "all")
    if folder.exists():
        found = Index.open(folder, Runtime.of())
        if model:
            found.check_model(model)
    else:
        if not sources:
            raise XmrError(f"{folder}: no index here, and no source to make it of")
        for source in sources:
            source.look()
        found = Index.create(
            folder, model or _ready_model(), engine, uri, "float16" if half else "float32", Runtime.of()
        )
    typer.echo("\n".join([f"model: {told_of(found)}", *update(found, sources).lines(), _where(found)]))


def place_of(name: str) -> Path:
    """Return the folder of an index that is named: a path, or a bare name under ``indexes/``."""
    from ..index.sources import INDEX
    from ..paths import indexes_root

    path = Path(name).expanduser()
    return path if path.name != name or (path / INDEX).is_file() else indexes_root() / name


def told_of(index) -> str:
    """Return the line about an index's model: what it learned from is said, for it says what to expect."""
    facts = index.facts
    drawn = " (drawn pictures: expect little on photographs)" if facts["trained_on"] == "scenes" else ""
    return f"{facts['model']}, trained on {facts['trained_on'] or 'nothing'}{drawn}, track {facts['track']}"


def _ready_model() -> Path:
    from ..model.folder import MODEL
    from ..paths import models_root

    for name in ("best", "scenes"):
        if (models_root() / name / MODEL).is_file():
            return models_root() / name
    raise XmrError(
        "no model is ready: 'xmr train best --data DATA' trains one on your pictures with captions, 'xmr demo' leaves "
        "one that knows drawn pictures; or name one with --model"
    )


def _where(index) -> str:
    facts = index.facts
    parts = [
        f"{count} {what} ({facts['engines'][kind]})"
        for kind, what in (("image", "pictures"), ("text", "sentences"))
        if (count := facts["counts"][kind])
    ]
    return f"{index.folder}: {' and '.join(parts) or 'nothing in it yet'}"
