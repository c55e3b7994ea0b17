"""The program, the options that several commands share, and how errors are told."""

import io
import os
import sys
from typing import Annotated

import typer

from .. import __version__
from ..errors import XmrError, printable

app = typer.Typer(
    help="Cross-modal retrieval: find the captions of an image and the image of a caption.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

DatasetOption = Annotated[str, typer.Option("--dataset", help="Slug of the dataset: the folder under the results.")]
NamedOption = Annotated[
    str | None,
    typer.Option(
        "--dataset", help="Slug of the dataset. [default: what the data call themselves; scenes without data]"
    ),
]
DataOption = Annotated[
    str | None,
    typer.Option("--data", help="Folder or file of the dataset. [default: $XMR_DATA/DATASET; scenes is drawn]"),
]
ProfileOption = Annotated[str, typer.Option("--profile", help="Sizes: smoke, demo or full.")]
ResultsOption = Annotated[str | None, typer.Option("--results", help="Root of the results. [default: runs/]")]
SeedsOption = Annotated[str, typer.Option("--seeds", help="Seeds, with commas.")]
GalleriesOption = Annotated[
    str | None,
    typer.Option("--galleries-from", help="Dataset (or folder of its results) whose pictures are shown."),
]
DeviceOption = Annotated[
    str | None,
    typer.Option("--device", help="auto, cpu, cuda, cuda:1, mps. [default: $XMR_DEVICE, else a GPU if there is one]"),
]
PrecisionOption = Annotated[
    str | None,
    typer.Option("--precision", help="Of training and embedding: fp32 or bf16. [default: $XMR_PRECISION, else fp32]"),
]
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", help="Threads that decode pictures. [default: $XMR_WORKERS, else by the device]"),
]
StrictOption = Annotated[bool, typer.Option("--strict", help="Stop at the first image that can't be read.")]


def _allow(wanted: bool) -> bool:
    if wanted:
        from ..pretrained import allow_downloads

        allow_downloads()
    return wanted


AllowDownloadOption = Annotated[
    bool,
    typer.Option(
        "--allow-download",
        callback=_allow,
        help="Download pretrained weights that are missing (as XMR_ALLOW_DOWNLOAD=1 does).",
    ),
]


def _version(wanted: bool | None) -> None:
    if wanted:
        from ..paths import cache_root, root

        typer.echo(f"xmr {__version__}\nroot  {root()}\ncache {cache_root()}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool | None, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and paths.")
    ] = None,
) -> None:
    """Cross-modal retrieval: find the captions of an image and the image of a caption."""


def main() -> None:
    """Entry point: user errors are one line on stderr and exit code 1."""
    for stream in (sys.stdout, sys.stderr):
        # A pipe of another encoding than UTF-8 gets a question mark, not half of the output.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app()
    except XmrError as error:
        print(f"xmr: {error}", file=sys.stderr)
        sys.exit(1)
    except RuntimeError as error:
        if "home directory" not in str(error):
            raise
        print("xmr: a path begins with ~ and a name that no user has here; write it out", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # Who reads has enough ("xmr train list | head"); nothing more can be written, at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        if error.filename is None and error.strerror is None:
            raise
        where = f"{error.filename}: " if error.filename else ""
        print(f"xmr: {printable(f'{where}{error.strerror or error}')}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("xmr: stopped; run the same command again to go on", file=sys.stderr)
        sys.exit(130)


def use_runtime(device: str | None, precision: str | None, workers: int | None, shared: bool = False) -> None:
    """Put what was asked for into the environment: it holds for this process and for the notebooks that it starts.

    Args:
        shared: whether several processes can do the command together.

    Raises:
        XmrError: there is no such device here, it can't do this precision, or torchrun has started what it can't share.
    """
    from ..runtime import DEVICE, PRECISION, WORKERS, Runtime

    if not shared and "TORCHELASTIC_RUN_ID" in os.environ:
        raise XmrError("several processes share 'xmr train' and 'xmr features' alone; start this without torchrun")
    Runtime.of(device, precision, workers)
    for variable, value in ((DEVICE, device), (PRECISION, precision), (WORKERS, workers)):
        if value is not None:
            os.environ[variable] = str(value)


def parse_seeds(text: str) -> list[int]:
    """Return the numbers of ``--seeds``.

    Raises:
        XmrError: one is no whole number.
    """
    try:
        seeds = [int(part) for part in text.split(",")]
        if not 0 <= min(seeds) <= max(seeds) < 2**31:
            raise ValueError
        return seeds
    except ValueError:
        raise XmrError(f"--seeds {text!r}: give whole numbers from 0 on with commas, e.g. 0,1,2") from None
