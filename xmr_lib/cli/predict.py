"""``xmr predict``."""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import XmrError
from .app import (
    AllowDownloadOption,
    DataOption,
    DeviceOption,
    PrecisionOption,
    app,
    use_runtime,
)


@app.command(short_help="Write what a run finds: CSV, Parquet, TREC's run and qrels; or its embeddings.")
def predict(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder: runs/DATASET/runs/MODEL/seedK.")],
    split: Annotated[str, typer.Option(help="test or val.")] = "test",
    direction: Annotated[str, typer.Option(help="both, i2t (images search captions) or t2i.")] = "both",
    top: Annotated[int, typer.Option(help="Items per query.")] = 10,
    embeddings: Annotated[
        bool, typer.Option("--embeddings", help="Also write the split's vectors, as .npy with names and as Parquet.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder to write to. [default: predictions/ in the run's]")] = None,
    data: DataOption = None,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    allow_download: AllowDownloadOption = False,
) -> None:
    """Write the best items of each query of a split, best first, in the order that the recorded ranks are counted in.

    An image is named by its file (white space and % written as in addresses: %20), its captions by it and #0, #1, ...

    Of each direction: SPLIT.i2t.csv and .parquet (query, query_kind, rank, item, score, relevant), SPLIT.i2t.run and
    .qrels for trec_eval, ir_measures and ranx. These sort by score: one that ties with the score before it is written
    in the .run as the next smaller number.

    With --embeddings: SPLIT.images.npy and .ids.txt (a name a line), SPLIT.images.parquet (id, vector); and captions.
    """
    from ..experiment import predict as predicted
    from ..metrics.top_lists import DIRECTIONS

    if direction not in ("both", *DIRECTIONS):
        raise XmrError(f"--direction {direction!r} is unknown; there are both, {', '.join(DIRECTIONS)}")
    use_runtime(device, precision, None)
    directions = DIRECTIONS if direction == "both" else (direction,)
    for line in predicted(run_folder, data, split, directions, top, out, embeddings):
        typer.echo(line)
