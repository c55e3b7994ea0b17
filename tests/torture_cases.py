"""Everything that is read: how a good one is made, and what reading it gives."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import region_files
import torch
from course_twin import write_course_twin
from gensim.models import KeyedVectors
from PIL import Image
from test_data_coco import write_coco
from test_data_rows import write_captions_txt, write_lists, write_results_csv, write_table, write_tokens
from test_records import result

from xmr_lib.config import from_flat
from xmr_lib.course import import_fasttext, import_vgg
from xmr_lib.data import read_dataset
from xmr_lib.data.boxes import read_boxes
from xmr_lib.data.labels import read_labels
from xmr_lib.encoders.vector_files import open_vectors, read_text
from xmr_lib.experiment.sweep import Point, add_points, read_sweep
from xmr_lib.features.extract import read_image
from xmr_lib.features.store import FeatureStore
from xmr_lib.features.store_writer import StoreWriter
from xmr_lib.metrics import Ranks
from xmr_lib.networks.frcnn_lite import DETECTOR
from xmr_lib.plotdata import COLUMNS, read_plotdata, write_plotdata
from xmr_lib.publish.team_file import read_team
from xmr_lib.ragged import Ragged
from xmr_lib.records import read_ranks, read_result, run_folder, summary_row, write_run
from xmr_lib.regions import import_regions
from xmr_lib.summary_csv import read_summary, update_summary
from xmr_lib.tensor_file import read_tensors, write_tensors

CAPTIONS = {f"{n}.jpg": [f"a dog, number {n}", 'a "brown" dog'] for n in range(9)}


@dataclass(frozen=True)
class Case:
    """One kind of file."""

    make: Callable[[Path], object]
    """Writes a good one into an empty folder."""
    read: Callable[[Path], object]
    """Reads all of it there; returns plain values or arrays."""
    files: str = "*"
    """Which of what was made is changed."""
    sealed: bool = False
    """Whether it has checksums: one that was changed is told, or gives the very same values."""


def digest(value: object) -> str:
    """Return a hash of plain values and arrays."""
    found = hashlib.sha256()
    for part in _parts(value):
        found.update(part)
    return found.hexdigest()


def _parts(value: object):
    if isinstance(value, dict):
        for key in sorted(value, key=repr):
            yield repr(key).encode()
            yield from _parts(value[key])
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _parts(one)
    elif isinstance(value, Ragged):
        yield from _parts([value.values, value.offsets])
    elif isinstance(value, torch.Tensor):
        yield from _parts(value.numpy())
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype} {value.shape}".encode() + value.tobytes()
    else:
        yield repr(value).encode()


def _dataset(folder: Path):
    read = read_dataset(folder)
    return [read.filenames, read.raw, read.tokens, read.image_ids, read.splits]


def _course(folder: Path, **kwargs):
    return write_course_twin(folder / "course", images=8, with_images=False, **kwargs)


def _mat(version: str):
    def make(folder: Path) -> None:
        # The captions' own files lie elsewhere: they are another case.
        _course(folder, mat_version=version)
        (folder / "course" / "vgg_feats.mat").rename(folder / "vgg_feats.mat")
        (folder / "course" / "fasttext_feats.npy").unlink()
        (folder / "course").rename(folder / ".course")

    return make


def _read_mat(folder: Path):
    store = import_vgg(folder / "vgg_feats.mat", read_dataset(folder / ".course"), folder / ".stores" / "vgg")
    return store.take(store.ids)


def _npy(folder: Path) -> None:
    _course(folder)
    (folder / "course" / "fasttext_feats.npy").rename(folder / "fasttext_feats.npy")
    (folder / "course" / "vgg_feats.mat").unlink()
    (folder / "course").rename(folder / ".course")


def _read_npy(folder: Path):
    file, dataset = folder / "fasttext_feats.npy", read_dataset(folder / ".course")
    store = import_fasttext(file, dataset, folder / ".stores" / "fasttext")
    return store.take(store.ids)


def _captions(folder: Path) -> None:
    folder.mkdir()
    _splits(folder)


def _boxes(folder: Path) -> None:
    _captions(folder / ".data")
    names = [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}]
    images = [{"id": n, "file_name": name, "width": 224, "height": 200} for n, name in enumerate(CAPTIONS)]
    boxes = [{"id": n, "image_id": n, "category_id": 1 + n % 2, "bbox": [10, 20.5, 30 + n, 40]} for n in range(9)]
    (folder / "boxes.json").write_text(json.dumps({"categories": names, "images": images, "annotations": boxes}))


def _read_boxes(folder: Path):
    boxes = read_boxes(folder / "boxes.json", read_dataset(folder / ".data"))
    # What is learned from has an area, in the numbers that it is learned in.
    for own in boxes.boxes:
        assert np.isfinite(own).all() and (own[:, 2:] > own[:, :2]).all()
    return [boxes.boxes, boxes.labels, boxes.names]


def _labels(folder: Path) -> None:
    _captions(folder / ".data")
    (folder / "labels.json").write_text(json.dumps({"labels": {name: n % 3 for n, name in enumerate(CAPTIONS)}}))


def _regions(write):
    def make(folder: Path) -> None:
        _captions(folder / ".data")
        write(folder, read_dataset(folder / ".data"))

    return make


def _read_regions(folder: Path):
    store = import_regions(folder, read_dataset(folder / ".data"), folder / ".stores" / "regions")
    return store.take(store.ids)


def _pictures(folder: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 50, 3), np.uint8)
    for name in ("a.jpg", "a.png", "a.gif", "a.webp", "a.bmp", "a.tif"):
        Image.fromarray(pixels).save(folder / name)


def _read_pictures(folder: Path):
    return [read_image(path, 16) for path in sorted(folder.iterdir())]


def _vectors(folder: Path) -> None:
    (folder / "a.txt").write_text("".join(f"word{n} {n} 0.5 -1e-3\n" for n in range(30)))


def _binary(folder: Path) -> None:
    known = KeyedVectors(4)
    known.add_vectors([f"w{n}" for n in range(20)], np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32))
    known.save_word2vec_format(str(folder / "a.bin"), binary=True)


def _read_binary(folder: Path):
    open_vectors.cache_clear()
    return open_vectors(folder / "a.bin").vectors


def _run(folder: Path) -> None:
    ranks = Ranks(np.arange(100), np.arange(100) // 2, np.arange(100) // 5)
    with_bank = replace(ranks, t2i=np.arange(100) // 3)
    for seed in (0, 1):
        write_run(folder, result(seed), ranks, with_bank)
    update_summary(folder, [summary_row([result(0), result(1)], (60.0, 70.0))])


def _read_ranks(folder: Path):
    return [asdict(read_ranks(folder, "m", 0, with_bank)) for with_bank in (False, True)]


def _store(ragged: bool):
    def make(folder: Path) -> None:
        values = np.random.default_rng(0).normal(size=(300, 40)).astype(np.float32)
        with StoreWriter(folder / "store", {"extractor": "x", "dataset": "d"}, (40,), ragged) as writer:
            lengths = np.full(100, 3) if ragged else None
            writer.append(np.arange(100 if ragged else 300), values, lengths)
            writer.skip("gone.jpg", "missing")
            writer.finish()

    return make


def _read_store(folder: Path):
    store = FeatureStore.open(folder / "store")
    return [store.ids, store.take(store.ids), store.meta, store.skipped]


def _tensors(folder: Path) -> None:
    tensors = {"a": torch.randn(40, 50, generator=torch.Generator().manual_seed(0)), "b": torch.arange(7)}
    write_tensors(folder / "a.safetensors", tensors, {"names": '{"1": "dog"}', "history": "{}"})


def _config(folder: Path) -> None:
    (folder / "result.json").write_text(json.dumps({"config": from_flat("m").to_dict()}))


def _sweep(folder: Path) -> None:
    add_points(folder / "sweeps" / "one.csv", [Point("m", n, 200.5, 2, 3, 0.1, 0.2, 1.5, "abc") for n in range(5)])


def _plotdata(folder: Path) -> None:
    rows = [("m", "tsne", "before", "image", n, 0.1, 1.0, "dog") for n in range(9)]
    write_plotdata(folder, "shared_space", pd.DataFrame(rows, columns=COLUMNS["shared_space"]))


def _team(folder: Path) -> None:
    lines = [
        "members: [{name: Ada, role: images}, {name: Kai, role: text}]",
        "coordination: ''",
        "overleaf: ''",
        "speakers: {}",
        "weeks: {}",
    ]
    (folder / "team.yaml").write_text("\n".join([*lines, ""]))


def _splits(folder: Path) -> None:
    write_captions_txt(folder, CAPTIONS)
    names = list(CAPTIONS)
    write_lists(folder, {"train.txt": names[:5], "val.txt": names[5:7], "test.txt": names[7:]})


CASES = {
    "course captions": Case(lambda folder: _course(folder, feature_files=False), lambda f: _dataset(f / "course")),
    "course .mat, version 5": Case(_mat("5"), _read_mat),
    "course .mat, version 7.3": Case(_mat("7.3"), _read_mat),
    "course .npy": Case(_npy, _read_npy),
    "captions.txt": Case(lambda folder: write_captions_txt(folder, CAPTIONS), _dataset),
    "results.csv": Case(lambda folder: write_results_csv(folder, CAPTIONS), _dataset),
    ".token": Case(lambda folder: write_tokens(folder, CAPTIONS), _dataset),
    "table": Case(lambda folder: write_table(folder, CAPTIONS), _dataset),
    "COCO captions": Case(lambda folder: write_coco(folder / "captions_train2017.json", 1, 9), _dataset),
    "lists of splits": Case(_splits, _dataset),
    "boxes.json": Case(_boxes, _read_boxes),
    "labels.json": Case(_labels, lambda f: read_labels(f / "labels.json", read_dataset(f / ".data"))),
    "regions, .npz": Case(_regions(region_files.write_npz), _read_regions),
    "regions, .npy": Case(_regions(region_files.write_ims), _read_regions),
    "pictures": Case(_pictures, _read_pictures),
    "vectors, text": Case(_vectors, lambda folder: read_text(folder / "a.txt", {"word3", "word29"})),
    "vectors, binary": Case(_binary, _read_binary),
    "team.yaml": Case(_team, lambda folder: repr(read_team(folder / "team.yaml"))),
    "summary.csv": Case(_run, lambda folder: read_summary(folder / "summary.csv"), "summary.csv"),
    "result.json": Case(
        _run, lambda folder: repr(read_result(run_folder(folder, "m", 0) / "result.json")), "runs/m/seed0/result.json"
    ),
    "ranks.npz": Case(_run, _read_ranks, "runs/m/seed0/ranks.npz", sealed=True),
    "sweep": Case(_sweep, lambda folder: repr(read_sweep(folder, "one")), "*.csv"),
    "plotdata": Case(_plotdata, lambda folder: repr(read_plotdata(folder, "shared_space").to_dict())),
    "store": Case(_store(ragged=False), _read_store, sealed=True),
    "store, ragged": Case(_store(ragged=True), _read_store, sealed=True),
    "tensors": Case(_tensors, lambda folder: read_tensors(folder / "a.safetensors", *DETECTOR), sealed=True),
}
