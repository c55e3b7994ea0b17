"""Encoders of photographs and captions, one file each; a slug names one, and what is taken of it."""

from ..features.spec import ENCODERS, FeatureSpec
from . import bert, course, effnet_lite, fasttext, glove, onehot, own_regions, phoc, vgg
from .base import Captions, Encoder, ImageEncoder, Site, TextEncoder
from .frcnn import DETECTORS
from .words import WordEncoder

__all__ = [
    "DETECTORS",
    "ENCODERS",
    "Captions",
    "Encoder",
    "ImageEncoder",
    "Site",
    "TextEncoder",
    "WordEncoder",
    "bert",
    "course",
    "effnet_lite",
    "fasttext",
    "glove",
    "onehot",
    "open_encoder",
    "own_regions",
    "phoc",
    "vgg",
]


def open_encoder(spec: FeatureSpec, site: Site) -> Encoder:
    """Return an encoder, ready on a dataset.

    Raises:
        XmrError: its weights or files can't be had.
    """
    encoder = ENCODERS[spec.encoder].open(spec, site)
    encoder.runtime = site.runtime
    return encoder
