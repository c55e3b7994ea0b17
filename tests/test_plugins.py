"""One class each adds an image encoder, a text encoder, an aggregation and a loss, no file of the library touched."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import plugin_models
import pytest

from xmr_lib.config import from_flat
from xmr_lib.errors import XmrError
from xmr_lib.experiment import Workspace, embed, run
from xmr_lib.experiment.run import model_of
from xmr_lib.losses import LOSSES

LOAD = """
import sys
import numpy as np
{plugin}
from xmr_lib.errors import XmrError
from xmr_lib.model import RetrievalModel
try:
    model = RetrievalModel.load(sys.argv[1])
except XmrError as error:
    sys.exit(str(error))
given = np.load(sys.argv[2], allow_pickle=False)
captions = model.encode_texts([line.split(" ") for line in given["tokens"]])
np.savez(sys.argv[3], images=model.encode_images(list(given["paths"])), captions=captions)
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    workspace = Workspace("scenes", None, "smoke", tmp_path_factory.mktemp("results"))
    features = {"image_features": "thumbnails", "text_features": "letters", "text_pooling": "softmax-mean"}
    config = workspace.sized(from_flat("plugged", **features, loss="pull")).replace(**{"loss.sharpness": 5.0})
    [result] = run(workspace, config)
    folder = tmp_path_factory.mktemp("models") / "plugged"
    model_of(workspace, result).save(folder)
    part = workspace.dataset.split("test")
    given = folder.parent / "given.npz"
    tokens = [" ".join(words) for words in part.tokens]
    np.savez(given, paths=[str(part.path(image)) for image in range(len(part))], tokens=tokens)
    return workspace, result, folder, given


def in_a_new_process(folder: Path, given: Path, out: Path, plugin: str) -> subprocess.CompletedProcess:
    """Load in another folder, with an empty cache, where no dataset is."""
    (out.parent / "cache").mkdir(exist_ok=True)
    paths = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parent.parent)])
    environment = {**os.environ, "XMR_CACHE": str(out.parent / "cache"), "PYTHONPATH": paths}
    command = [sys.executable, "-c", LOAD.format(plugin=plugin), str(folder), str(given), str(out)]
    return subprocess.run(command, cwd=out.parent, env=environment, capture_output=True, text=True)


def test_it_is_trained_by_name_and_reloaded_without_dataset_and_cache(trained, tmp_path):
    workspace, result, folder, given = trained
    assert result.config.method.loss.settings == {"sharpness": 5.0} and result.config.track == "clean"
    done = in_a_new_process(folder, given, tmp_path / "out.npz", "import plugin_models")
    assert done.returncode == 0, done.stderr
    found, (images, captions) = np.load(tmp_path / "out.npz"), embed(workspace, result, "test")
    np.testing.assert_allclose(found["images"], images, atol=1e-6)
    np.testing.assert_allclose(found["captions"], captions, atol=1e-6)


def test_without_the_plugin_one_line_says_what_is_missing(trained, tmp_path):
    _, _, folder, given = trained
    done = in_a_new_process(folder, given, tmp_path / "out.npz", "")
    assert done.returncode == 1
    [line] = done.stderr.strip().splitlines()
    assert "is unknown" in line and "plugin" in line


def test_a_bound_of_the_plugins_own_is_kept():
    with pytest.raises(XmrError, match=r"loss\.sharpness = -1"):
        from_flat("plugged", loss="pull").replace(**{"loss.sharpness": -1})


def test_a_name_is_given_once():
    with pytest.raises(XmrError, match="loss 'infonce' is registered by"):
        LOSSES.register("infonce")(plugin_models.Pull)
