"""Pictures of results, in one style."""

from .bars import recall_bars
from .batch_size import batch_size_figure
from .cases import Case, cases_of_captions, cases_of_images
from .curves import training_curves
from .dataset import dataset_figure
from .detector_quality import detector_quality_figure
from .found import found_figure, hubness_figure
from .galleries import gallery_of_captions, gallery_of_images, gallery_of_neighbours
from .gap import modality_gap
from .intervals import interval_figure, rsum_intervals
from .ranks import rank_distribution
from .regions import regions_figure
from .roi_align import roi_align_figure
from .similarities import similarities_figure
from .space import shared_space
from .style import COLUMN, PAGE, save_figure, shrink_figure, use_style
from .time_accuracy import time_accuracy
from .tried import tried_figure
from .waterfall import waterfall_figure
from .wording import wording_figure
from .words import word_weights

__all__ = [
    "COLUMN",
    "PAGE",
    "Case",
    "batch_size_figure",
    "cases_of_captions",
    "cases_of_images",
    "dataset_figure",
    "detector_quality_figure",
    "found_figure",
    "gallery_of_captions",
    "gallery_of_images",
    "gallery_of_neighbours",
    "hubness_figure",
    "interval_figure",
    "modality_gap",
    "rank_distribution",
    "recall_bars",
    "regions_figure",
    "roi_align_figure",
    "rsum_intervals",
    "save_figure",
    "shared_space",
    "shrink_figure",
    "similarities_figure",
    "time_accuracy",
    "training_curves",
    "tried_figure",
    "use_style",
    "waterfall_figure",
    "word_weights",
    "wording_figure",
]
