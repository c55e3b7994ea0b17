"""Paths that no reader wants."""

import re
from pathlib import Path

import pytest
from test_data_readers import refuses

from xmr_lib.data.coco import read_coco
from xmr_lib.data.kaggle import read_kaggle_flickr8k, read_kaggle_flickr30k
from xmr_lib.data.karpathy import read_karpathy
from xmr_lib.data.plain_csv import read_plain_csv
from xmr_lib.data.token_lists import read_token_lists
from xmr_lib.errors import XmrError


def test_what_is_not_recognised_names_what_was_looked_for(tmp_path: Path) -> None:
    refuses(tmp_path / "nowhere", "nowhere", "no such file or folder")
    refuses(
        tmp_path, "empty folder", "dataset*.json", "captions.txt", "results.csv", "*.token", "captions_*.json", ".csv"
    )
    (tmp_path / "notes.md").write_text("hello", encoding="utf-8")
    refuses(tmp_path, "not a dataset", "dataset*.json", "captions.txt")
    refuses(tmp_path / "notes.md", "notes.md", "looked for")


def test_reader_given_a_folder_of_another_layout(tmp_path: Path) -> None:
    for read, looked_for in (
        (read_karpathy, "train.json"),
        (read_kaggle_flickr8k, "captions.txt"),
        (read_kaggle_flickr30k, "results.csv"),
        (read_token_lists, "*.token"),
        (read_coco, "captions_*.json"),
        (read_plain_csv, "CSV"),
    ):
        with pytest.raises(XmrError, match=re.escape(looked_for)):
            read(tmp_path)
