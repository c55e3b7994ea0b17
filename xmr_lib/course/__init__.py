"""The course's two feature files: image vectors (MAT) and word vectors (pickled), read without running code."""

from .feature_files import import_fasttext, import_vgg

__all__ = ["import_fasttext", "import_vgg"]
