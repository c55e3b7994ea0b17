"""Pictures of queries and what was found: drawn by the notebooks, taken over here."""

from pathlib import Path

from ..errors import XmrError
from ..figures import shrink_figure
from ..paths import atomic_write

GALLERIES = {
    "gallery_images": "08",
    "gallery_captions": "08",
    "attention_regions": "03",
    "attention_words": "04",
}
"""Name of each gallery, and the number of the notebook that draws it."""
WIDTH = 1400
"""Pixels: 200 an inch over the width of the page."""


def gallery_file(results: Path, name: str) -> Path:
    """Return the file of a gallery under ``<results>/figures/``; ``results`` is a dataset's.

    Raises:
        XmrError: its notebook hasn't drawn it.
    """
    for ending in ("pdf", "png"):
        if (path := results / "figures" / f"{name}.{ending}").is_file():
            return path
    raise XmrError(
        f"{results / 'figures' / name}.png: the gallery is missing; 'xmr run --dataset {results.name} --only "
        f"{GALLERIES[name]}' draws it, or take those of another dataset with --galleries-from"
    )


def take_gallery(results: Path, name: str, folder: Path) -> Path:
    """Copy a gallery into a folder; a picture is made as wide as print needs, and drawn ones small in bytes."""
    source = gallery_file(results, name)
    target = folder / source.name
    if source.suffix == ".png" and results.name == "scenes":
        return shrink_figure(source, target, WIDTH)
    with atomic_write(target) as path:
        path.write_bytes(source.read_bytes())
    return target
