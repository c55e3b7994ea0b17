"""XMR: cross-modal retrieval of images and captions."""

__version__ = "0.1.0"
