"""Encoders of photographs and captions, one file each; a slug names one, and what is taken of it."""

from ..features.spec import ENCODERS, FeatureSpec
from . import (
    bert,
    clip_image,
    clip_text,
    course,
    effnet_lite,
    fasttext,
    glove,
    hf_vision,
    onehot,
    own_regions,
    phoc,
    spacy_md,
    torchvision_images,
    vgg,
)
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
    "clip_image",
    "clip_text",
    "course",
    "effnet_lite",
    "fasttext",
    "glove",
    "hf_vision",
    "onehot",
    "open_encoder",
    "own_regions",
    "phoc",
    "spacy_md",
    "torchvision_images",
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
