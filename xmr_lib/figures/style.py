"""The one style of all figures."""

from pathlib import Path

import matplotlib as mpl
from cycler import cycler
from matplotlib.figure import Figure
from PIL import Image

from ..paths import atomic_write

INK, FAINT, RIGHT, WRONG = "#22303c", "#8a97a3", "#1b9e5a", "#c8d0d7"
PALETTE = ("#2f6f9f", "#e07b39", "#1b9e77", "#a3498b", "#c9a227", "#5b6770", "#7fb2d6", "#d4574e")
"""Distinct in hue and lightness, also for the colour-blind."""


def use_style() -> None:
    """Set matplotlib's defaults; every figure of the project calls this first."""
    mpl.rcParams.update(
        {
            "figure.dpi": 110,
            "savefig.dpi": 160,
            "savefig.bbox": "tight",
            "figure.constrained_layout.use": True,
            "font.family": "sans-serif",
            "font.size": 9.5,
            "axes.titlesize": 10.5,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.edgecolor": FAINT,
            "axes.labelcolor": INK,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.grid.axis": "y",
            "axes.axisbelow": True,
            "grid.color": "#e6eaee",
            "axes.prop_cycle": cycler(color=PALETTE),
            "legend.frameon": False,
        }
    )


def save_figure(figure: Figure, folder: Path, name: str) -> Path:
    """Write ``<name>.png`` into a folder and return its path."""
    path = folder / f"{name}.png"
    with atomic_write(path) as temporary:
        figure.savefig(temporary, format="png")
    return path


def save_vector(figure: Figure, path: Path) -> Path:
    """Write a PDF of vectors, exactly as large as the figure is; the same figure gives the same bytes."""
    # Type 42 fonts keep their outlines; matplotlib's default, Type 3, is refused by the conference.
    with atomic_write(path) as temporary, mpl.rc_context({"pdf.fonttype": 42, "savefig.bbox": None}):
        figure.savefig(temporary, format="pdf", metadata={"CreationDate": None})
    return path


def shrink_figure(path: Path, to: Path, width: int = 1100) -> Path:
    """Write a copy of a drawn picture for a README: narrower, and with 256 colours, so that it is small in git."""
    with Image.open(path) as picture, atomic_write(to) as temporary:
        height = round(picture.height * width / picture.width)
        small = picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
        small.quantize(256, dither=Image.Dither.NONE).save(temporary, format="png", optimize=True)
    return to
