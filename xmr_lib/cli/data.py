"""``xmr data``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ..errors import XmrError
from .app import app

LONG_TEXT = 500
"""Bytes of a caption below which no network needs to be asked whether it reads all of it."""

data_app = typer.Typer(help="Look at data before using them.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(data_app, name="data")


@data_app.command("check")
def data_check(
    path: Annotated[Path, typer.Argument(help="Folder or file of a dataset, in any of the known layouts.")],
    images: Annotated[
        Path | None, typer.Option(help="Folder of the images. [default: found near the captions]")
    ] = None,
    image_column: Annotated[str | None, typer.Option(help="Column of a table that names the image.")] = None,
    caption_column: Annotated[str | None, typer.Option(help="Column of a table that holds the caption.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="What separates a table's cells; a tab is: tab.")] = None,
    remember: Annotated[
        bool, typer.Option("--remember", help="Keep these options in xmr-data.yaml beside the captions.")
    ] = False,
    decode: Annotated[bool, typer.Option(help="Decode every image.")] = True,
    text_features: Annotated[
        str | None,
        typer.Option(
            help="Say how many captions are longer than these features read, e.g. clip-text:NAME. [default: minilm]"
        ),
    ] = None,
) -> None:
    """Print a dataset's facts and what is wrong with it.

    The exit code is 0 if nothing is, 3 if this project can train on the rest, and 1 if it can't train on the data.
    """
    from ..data import Told, check_dataset, keep_told, read_dataset

    told = Told(images, image_column, caption_column, delimiter)
    dataset = read_dataset(path, told=told)
    report = check_dataset(dataset, read_images=decode)
    *lines, verdict = report.lines()
    typer.echo("\n".join([*lines, *_cut(dataset.raw, text_features), verdict]))
    if told != Told():
        kept = f"kept in {keep_told(path, told)}" if remember else "add --remember, so that other commands know it too"
        typer.echo(f"read as the options tell; {kept}")
    if report.obstacles:
        raise typer.Exit(1)
    if report.problems:
        raise typer.Exit(3)


def _cut(captions: Sequence[str], slug: str | None) -> list[str]:
    """Return the line that says how many captions are longer than features of this slug, or MiniLM, read."""
    longest = max(len(caption.encode("utf-8", "surrogatepass")) for caption in captions)
    if slug is None and longest <= LONG_TEXT:
        return []
    from ..encoders import ENCODERS
    from ..encoders.tokenized import TokenizedEncoder
    from ..features.spec import FeatureSpec
    from ..networks.bert import MINILM

    spec = FeatureSpec.parse(slug or MINILM)
    encoder = ENCODERS[spec.encoder](spec)
    if not isinstance(encoder, TokenizedEncoder):
        raise XmrError(f"--text-features {slug}: has no tokenizer of its own, and cuts no caption")
    try:
        cut = encoder.cut(captions)
    except XmrError as error:
        return [f"long captions: how much of them is read can't be said ({error})"]
    if not cut:
        return [f"long captions: none; {slug} reads {encoder.longest} tokens"] if slug else []
    return [f"long captions: {cut} have more than the {encoder.longest} tokens that {spec.slug} reads; they are cut"]
