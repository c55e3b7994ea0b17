"""Pictures of queries and what was found: drawn by notebook 08, taken over here."""

from pathlib import Path

from ..errors import XmrError

GALLERIES = ("gallery_images", "gallery_captions", "attention_regions", "attention_words")


def gallery_file(results: str | Path, name: str) -> Path:
    """Return the file of a gallery under ``<results>/figures/``; ``results`` is a dataset's.

    Raises:
        XmrError: the notebook hasn't drawn it.
    """
    results = Path(results)
    path = results / "figures" / f"{name}.pdf"
    if not path.is_file():
        raise XmrError(
            f"{path}: the gallery is missing; 'xmr run --dataset {results.name} --only 08' draws it, or take those of "
            "another dataset with --galleries-from"
        )
    return path
