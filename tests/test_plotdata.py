"""What figures are drawn from: written whole, read as it was, refused in one line."""

import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from xmr_lib.errors import XmrError
from xmr_lib.plotdata import COLUMNS, read_plotdata, write_plotdata


def points(topic="dog"):
    values = [
        ("m", "tsne", "before", "image", 7, 0.12345678, 1.0, topic),
        ("m", "umap", "after", "image", 7, 0, 1, "a"),
    ]
    return pd.DataFrame(values, columns=COLUMNS["shared_space"])


def test_what_is_written_is_read(tmp_path):
    path = write_plotdata(tmp_path, "shared_space", points("nan"))
    assert path == tmp_path / "plotdata" / "shared_space.csv"
    found = read_plotdata(tmp_path, "shared_space")
    assert list(found["x"]) == [0.1235, 0] and found["image"].dtype == np.int64
    # A topic may be a word that csv readers take for a missing number.
    assert list(found["topic"]) == ["nan", "a"]


def test_an_empty_cell_is_missing(tmp_path):
    row = dict.fromkeys(COLUMNS["modality_gap"], 1.0) | {"run": "m", "stage": "after", "temperature": np.nan}
    write_plotdata(tmp_path, "modality_gap", pd.DataFrame([row]))
    assert np.isnan(read_plotdata(tmp_path, "modality_gap").loc[0, "temperature"])


def test_what_is_not_right_is_told(tmp_path):
    with pytest.raises(XmrError, match="plotdata 'maps' is unknown; there are shared_space"):
        write_plotdata(tmp_path, "maps", points())
    with pytest.raises(XmrError, match=r"has the columns model, .* not a$"):
        write_plotdata(tmp_path, "shared_space", pd.DataFrame({"a": [1]}))
    with pytest.raises(XmrError, match="not there; notebook 08 writes it"):
        read_plotdata(tmp_path, "shared_space")
    (tmp_path / "plotdata").mkdir()
    (tmp_path / "plotdata" / "shared_space.csv").write_text("model,x\nm,1\n")
    with pytest.raises(XmrError, match="columns are not those of this version"):
        read_plotdata(tmp_path, "shared_space")


def test_no_column_holds_a_caption_and_git_takes_the_files():
    assert not {"caption", "raw", "text", "tokens"} & {column for own in COLUMNS.values() for column in own}
    root = Path(__file__).parent.parent
    for dataset in ("flickr8k", "scenes", "mine"):
        path = f"results/{dataset}/plotdata/shared_space.csv"
        assert subprocess.run(["git", "check-ignore", "-q", path], cwd=root).returncode == 1, path
