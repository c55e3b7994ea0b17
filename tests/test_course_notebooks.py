"""The notebooks of tasks (c) to (e) on the assignment's own data: the course's features, and no detector to be had."""

import nbformat
import numpy as np
import pandas as pd
from course_twin import write_course_twin

from xmr_lib.batch import run_notebooks
from xmr_lib.data import read_dataset


def vectors_for_invented_words(folder):
    """GloVe knows none of the twin's words."""
    words = {word for item in read_dataset(folder / "course").tokens for word in item}
    numbers = np.random.default_rng(0).standard_normal((len(words), 5))
    lines = (" ".join([word, *map(str, own)]) for word, own in zip(sorted(words), numbers, strict=True))
    (folder / "glove.txt").write_text("\n".join(lines))
    return folder / "glove.txt"


def test_notebooks_run_on_the_courses_features_and_say_what_they_leave_out(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    # Another twin of as many images has the same captions, but files of its own.
    monkeypatch.setenv("XMR_CACHE", str(tmp_path / "cache"))
    write_course_twin(tmp_path / "course", images=80)
    monkeypatch.setenv("XMR_GLOVE_FILE", str(vectors_for_invented_words(tmp_path)))
    run_notebooks(
        "flickr30k", str(tmp_path / "course"), "smoke", [0], str(tmp_path / "results"), ["03", "06", "07", "08", "09"]
    )
    results = tmp_path / "results" / "flickr30k"
    summary = pd.read_csv(results / "summary.csv").set_index("run")
    assert set(summary.loc["r-fasttext", ["image_features", "text_features"]]) == {"vgg16-course", "fasttext-course"}
    # A pair differs in what is trained, not in the network.
    assert summary.loc["t-cnn-frozen", "image_features"] == "effnet-lite0"
    assert not any("frcnn" in features for features in summary["image_features"])
    words = pd.read_csv(results / "tables" / "06_representations.csv").set_index("representation")
    assert words.loc["fasttext-course", "cover (%)"] == 100
    for name in ("03_faster_rcnn", "06_words_and_fusion", "07_image_retrieval", "08_shared_space"):
        executed = nbformat.read(results / "notebooks" / f"{name}.ipynb", 4)
        printed = "".join(o.get("text", "") for cell in executed.cells for o in cell.get("outputs", []))
        assert "or put boxes.json, in COCO's format, beside the captions" in printed, name
    searched = nbformat.read(results / "notebooks" / "09_search.ipynb", 4)
    printed = "".join(o.get("text", "") for cell in searched.cells for o in cell.get("outputs", []))
    assert "stands on vgg16-course, files of features, and can't be given photographs" in printed
