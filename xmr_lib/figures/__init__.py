"""Pictures of results, in one style."""

from .curves import interval_figure, recall_bars, rsum_intervals, training_curves
from .dataset import dataset_figure
from .galleries import gallery_of_captions, gallery_of_images, gallery_of_neighbours
from .regions import regions_figure
from .style import save_figure, save_vector, shrink_figure, use_style
from .words import word_weights

__all__ = [
    "dataset_figure",
    "gallery_of_captions",
    "gallery_of_images",
    "gallery_of_neighbours",
    "interval_figure",
    "recall_bars",
    "regions_figure",
    "rsum_intervals",
    "save_figure",
    "save_vector",
    "shrink_figure",
    "training_curves",
    "use_style",
    "word_weights",
]
