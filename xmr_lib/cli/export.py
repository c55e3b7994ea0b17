"""``xmr export``."""

from pathlib import Path
from typing import Annotated

import typer

from .app import AllowDownloadOption, app


@app.command(short_help="Write the model of a run into a folder of its own.")
def export(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder: runs/DATASET/runs/MODEL/seedK.")],
    out: Annotated[
        str, typer.Argument(metavar="OUT", help="Folder to write, not there yet; a bare name: under models/.")
    ],
    with_networks: Annotated[
        bool, typer.Option("--with-networks", help="Copy the pretrained networks in, so that nothing is looked up.")
    ] = False,
    onnx: Annotated[
        bool, typer.Option("--onnx", help="Also write image.onnx and text.onnx, and onnx.json about their inputs.")
    ] = False,
    allow_download: AllowDownloadOption = False,
) -> None:
    """Write the model of a run into a folder of its own, which RetrievalModel.load reads without dataset and cache.

    With --onnx its towers are also written for programs without torch: from the features that they are fed (vectors;
    rows or numbers of words in a rectangle, with their lengths) to embeddings. A tower with trained layers of a CNN or
    BERT, or self-attention, can't be. It needs the packages onnx, onnxscript and onnxruntime.
    """
    from ..model import RetrievalModel
    from ..paths import models_root

    folder = models_root() / out if Path(out).name == out else Path(out).expanduser()
    model = RetrievalModel.load(run_folder)
    model.save(folder, with_networks, onnx)
    typer.echo(f"{folder}: {model.config.name}, track {model.track}; its card is {folder / 'README.md'}")
    if onnx:
        typer.echo(f"{folder / 'onnx.json'}: what goes into its graphs")
