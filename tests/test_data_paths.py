"""Where a path is meant, a string will do."""

import importlib
import inspect
from pathlib import Path

import pytest
from course_twin import write_course_twin
from test_data_coco import write_coco
from test_data_rows import WRITERS, captions_of

from xmr_lib.data import Told, read_dataset
from xmr_lib.data.coco import read_coco
from xmr_lib.data.kaggle import read_kaggle_flickr8k, read_kaggle_flickr30k
from xmr_lib.data.karpathy import read_karpathy
from xmr_lib.data.plain_csv import read_plain_csv
from xmr_lib.data.token_lists import read_token_lists
from xmr_lib.records import run_folder
from xmr_lib.summary_csv import read_summary
from xmr_lib.weights import sha256_of

READERS = {
    "kaggle-flickr8k": read_kaggle_flickr8k,
    "kaggle-flickr30k": read_kaggle_flickr30k,
    "token": read_token_lists,
    "csv": read_plain_csv,
    "tsv": read_plain_csv,
}
PUBLIC = [
    "batch",
    "data",
    "experiment",
    "model",
    "paths",
    "plotdata",
    "records",
    "scenes",
    "search",
    "study",
    "weights",
]


@pytest.mark.parametrize("layout", READERS)
def test_rows_are_read_from_a_path_as_text(tmp_path: Path, layout: str) -> None:
    WRITERS[layout](tmp_path, {"a.jpg": ["x"]})
    for read in (read_dataset, READERS[layout]):
        assert captions_of(read(str(tmp_path))) == {"a.jpg": ["x"]}


def test_json_is_read_from_a_path_as_text(tmp_path: Path) -> None:
    twin = write_course_twin(tmp_path / "twin", images=10, feature_files=False)
    write_coco(tmp_path / "captions_x.json", 0, 4)
    assert len(read_dataset(str(twin))) == len(read_karpathy(str(twin))) == 10
    assert len(read_coco(str(tmp_path))) == 4
    assert read_dataset(str(twin), told=Told(images=str(twin))).images_folder == twin / "flickr30k-images"


def test_records_and_files_are_found_by_text(tmp_path: Path) -> None:
    assert run_folder(str(tmp_path), "m", 0) == tmp_path / "runs" / "m" / "seed0"
    assert read_summary(str(tmp_path / "summary.csv")) == []
    (tmp_path / "a").write_bytes(b"x")
    assert sha256_of(str(tmp_path / "a")) == sha256_of(tmp_path / "a")


@pytest.mark.parametrize("module", PUBLIC)
def test_public_functions_take_text_for_a_path(module: str) -> None:
    found = importlib.import_module(f"xmr_lib.{module}")
    public = getattr(found, "__all__", None) or [
        name for name, it in vars(found).items() if getattr(it, "__module__", "") == found.__name__ and name[0] != "_"
    ]
    for name in public:
        # What a dataclass keeps is a path; what a function is given may be text.
        if inspect.isfunction(function := getattr(found, name)):
            for parameter in inspect.signature(function).parameters.values():
                assert parameter.annotation not in (Path, Path | None), f"{module}.{name}({parameter.name})"
