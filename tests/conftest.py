"""What all tests share. Nothing here reaches the network, or the cache and results of a user."""

import os
import tempfile

import matplotlib
import pytest

# Before any test module is imported: subprocesses and kernels inherit it.
os.environ["XMR_CACHE"] = tempfile.mkdtemp(prefix="xmr-test-cache-")
os.environ["HF_HUB_OFFLINE"] = "1"
# Networks this small gain nothing from more threads, and threads that wait for each other by spinning make a busy or
# capped machine many times slower.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ.pop("XMR_DATA", None)
# On a machine with a GPU, too, numbers are compared with those of a processor.
os.environ["XMR_DEVICE"] = "cpu"
os.environ.pop("XMR_ALLOW_DOWNLOAD", None)
matplotlib.use("agg")


LONG = ("test_batch", "test_devices", "test_cli", "test_publish_documents", "test_course_notebooks", "test_processes")
"""Files that take a minute or more: they come first, so that two processes end at about the same time."""


def pytest_collection_modifyitems(items):
    places = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONG)))


@pytest.fixture(scope="session")
def latex():
    """LaTeX, for tests that build a document; everything else works without it."""
    from xmr_lib.errors import XmrError
    from xmr_lib.publish import find_latex

    try:
        return find_latex()
    except XmrError:
        pytest.skip("needs latexmk with pdflatex")


@pytest.fixture(scope="session")
def smoke_workspace(tmp_path_factory):
    """Scenes at the size of the smoke profile, with real EfficientNet-Lite0 features."""
    from xmr_lib.experiment import Workspace

    return Workspace("scenes", None, "smoke", tmp_path_factory.mktemp("results"))
