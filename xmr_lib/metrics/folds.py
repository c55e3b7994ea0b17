"""COCO's second protocol: recalls within five folds of 1,000 test images, averaged."""

import numpy as np
from jaxtyping import Float, Int

from ..errors import XmrError
from .ranks import ranks_of_embeddings
from .recall import summarise
from .statistics import RECALLS

FOLDS = 5
IMAGES_PER_FOLD = 1000


def five_folds(
    images: Float[np.ndarray, "images embed"],
    captions: Float[np.ndarray, "captions embed"],
    image_of_caption: Int[np.ndarray, " captions_too"],
    distance: str,
) -> dict[str, float]:
    """Return ``i2t_r1`` … ``t2i_r10`` and ``rsum`` in percent, each the mean over five folds of 1,000 images.

    "5 × 1K" (or "1K") on COCO: the first 5,000 test images, in the order of the split, are cut into five folds; within
    a fold its own images and captions are the gallery. So it is reported by VSE++ (Faghri et al. 2018,
    arXiv:1707.05612) and SCAN (Lee et al. 2018, arXiv:1803.08024), beside "5K", one gallery of all 5,000; Karpathy &
    Fei-Fei (2015, arXiv:1412.2306) report 1,000 images and all 5,000. A gallery of a fifth of the size gives higher
    recalls: never compare one protocol with the other.

    Args:
        images: embeddings of the test split, in its order; those after the first 5,000 are left out.
        captions: embeddings in the same space, all of each image's captions.
        image_of_caption: row of each caption's image, in any order.
        distance: see ``ranks_of_embeddings``.

    Raises:
        XmrError: there are fewer than 5,000 images, or what ``ranks_of_embeddings`` refuses.
    """
    needed = FOLDS * IMAGES_PER_FOLD
    if len(images) < needed:
        raise XmrError(
            f"five folds of {IMAGES_PER_FOLD:,} need {needed:,} test images; there are {len(images):,}: score them in "
            "one gallery"
        )
    if len(image_of_caption) != len(captions):
        raise XmrError(f"five folds: {len(captions)} captions were given, but {len(image_of_caption)} have an image")
    folds = []
    for start in range(0, needed, IMAGES_PER_FOLD):
        row = image_of_caption - start
        own = np.flatnonzero((row >= 0) & (row < IMAGES_PER_FOLD))
        fold = images[start : start + IMAGES_PER_FOLD]
        folds.append(summarise(ranks_of_embeddings(fold, captions[own], row[own], distance)))
    return {metric: float(np.mean([fold[metric] for fold in folds])) for metric in (*RECALLS, "rsum")}
