"""The one style of all figures: for the screen, and for the paper, whose figures are drawn at their printed width."""

from pathlib import Path

import matplotlib as mpl
from cycler import cycler
from matplotlib.figure import Figure
from matplotlib.layout_engine import LayoutEngine, PlaceHolderLayoutEngine
from PIL import Image

from ..errors import XmrError
from ..paths import atomic_write

INK, FAINT, RIGHT, WRONG = "#22303c", "#8a97a3", "#1b9e5a", "#c8d0d7"
PALETTE = ("#2f6f9f", "#e07b39", "#1b9e77", "#a3498b", "#c9a227", "#5b6770", "#7fb2d6", "#d4574e")
"""Distinct in hue and lightness, also for the colour-blind."""
DASHES = ("solid", (0, (4, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)))
"""Styles of lines, for the ninth line and on: colours begin anew then."""

COLUMN, PAGE = 3.25, 6.875
"""Widths of a column and of the page of the paper, in inches."""
DPI = 200
"""Dots per inch of a picture in the paper."""

SCREEN = {
    "figure.dpi": 110,
    "font.family": "sans-serif",
    "mathtext.fontset": "dejavusans",
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.labelsize": 9.5,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "legend.fontsize": 9.5,
    "axes.linewidth": 0.8,
    "lines.linewidth": 1.5,
    "grid.linewidth": 0.8,
}
# STIX is cut like the Times of the text and comes with matplotlib, so that it is the same on every machine.
PAPER = {
    "figure.dpi": DPI,
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.titleweight": "normal",
    "axes.labelsize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "axes.linewidth": 0.5,
    "lines.linewidth": 1.1,
    "grid.linewidth": 0.5,
}


def use_style(width: float | None = None) -> None:
    """Set matplotlib's defaults; every figure of the project calls this first.

    Args:
        width: inches at which the figure is printed; None: it is looked at on a screen.
    """
    mpl.rcParams.update(
        {
            "savefig.dpi": 160,
            "savefig.bbox": "tight",
            "figure.constrained_layout.use": True,
            "figure.constrained_layout.h_pad": 0.02 if width else 0.04167,
            "figure.constrained_layout.w_pad": 0.02 if width else 0.04167,
            # Letters as outlines that can be searched and embedded; the default, Type 3, is refused by publishers.
            "pdf.fonttype": 42,
            "axes.titlelocation": "left",
            "axes.edgecolor": FAINT,
            "axes.labelcolor": INK,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "xtick.major.width": 0.6,
            "ytick.major.width": 0.6,
            "xtick.major.size": 2 if width else 3.5,
            "ytick.major.size": 2 if width else 3.5,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.grid.axis": "y",
            "axes.axisbelow": True,
            "grid.color": "#e6eaee",
            "axes.prop_cycle": cycler(color=PALETTE),
            "legend.frameon": False,
            "legend.handlelength": 1.4 if width else 2.0,
            "legend.columnspacing": 1.0 if width else 2.0,
            "legend.labelspacing": 0.25 if width else 0.5,
            "legend.borderpad": 0.1 if width else 0.4,
            "legend.borderaxespad": 0.2 if width else 0.5,
            **(PAPER if width else SCREEN),
        }
    )


def placed_by_hand() -> LayoutEngine:
    """Return a layout that moves nothing. ``"none"`` does not last: saving a figure puts the default's back."""
    return PlaceHolderLayoutEngine(adjust_compatible=True, colorbar_gridspec=True)


def as_written(text: str) -> str:
    """Return a text of the data (a caption, a word, a file's name) so that matplotlib reads no formula in it."""
    return text.replace("$", r"\$")


def line_style(place: int) -> dict[str, object]:
    """Return colour and dashes of the line at a place: 32 that differ."""
    return {"color": PALETTE[place % len(PALETTE)], "linestyle": DASHES[place // len(PALETTE) % len(DASHES)]}


def save_figure(figure: Figure, folder: str | Path, name: str, kind: str = "png") -> Path:
    """Write a figure into a folder and return its path.

    Args:
        name: file name without its ending.
        kind: ``png``, cut to what is drawn; or ``pdf``, vectors, exactly as wide as the figure, and the same bytes for
            the same figure.

    Raises:
        XmrError: another kind.
    """
    folder = Path(folder)
    if kind not in ("png", "pdf"):
        raise XmrError(f"figure {name!r}: kind {kind!r} is unknown; there are png, pdf")
    path = folder / f"{name}.{kind}"
    with atomic_write(path) as temporary:
        if kind == "png":
            figure.savefig(temporary, format="png")
        else:
            # The layout of panels with equal axes settles at the second drawing: before, titles would be cut.
            figure.draw_without_rendering()
            with mpl.rc_context({"savefig.bbox": None}):
                figure.savefig(temporary, format="pdf", metadata={"CreationDate": None})
    return path


def shrink_figure(path: str | Path, to: str | Path, width: int = 1100) -> Path:
    """Write a copy of a drawn picture for a README: narrower, and with 256 colours, so that it is small in git."""
    path, to = Path(path), Path(to)
    with Image.open(path) as picture, atomic_write(to) as temporary:
        height = round(picture.height * width / picture.width)
        small = picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
        small.quantize(256, dither=Image.Dither.NONE).save(temporary, format="png", optimize=True)
    return to
