"""Work that writes to disk, small enough to be killed two hundred times; run in processes of their own."""

import contextlib
import io
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from course_twin import write_course_twin
from torture_cases import digest

from xmr_lib.course import import_fasttext, import_vgg
from xmr_lib.data import read_dataset
from xmr_lib.encoders.fasttext import trained_words
from xmr_lib.experiment import Workspace, run
from xmr_lib.features.store import FeatureStore
from xmr_lib.model import RetrievalModel
from xmr_lib.records import read_ranks, read_result
from xmr_lib.scenes import write_scenes
from xmr_lib.study.models import get_configs
from xmr_lib.summary_csv import read_summary

TIMES = ("cpu_seconds", "wall_seconds", "machine")


@dataclass(frozen=True)
class Job:
    """What is killed."""

    prepare: Callable[[Path], object]
    """Makes what it needs in a folder, once."""
    run: Callable[[Path], object]
    """Writes below ``out/`` in that folder."""
    look: Callable[[Path], object]
    """Returns plain values or arrays of what it wrote."""


def _twin(folder: Path) -> None:
    write_course_twin(folder / "course", images=60, with_images=False)


def _import(folder: Path) -> None:
    dataset = read_dataset(folder / "course")
    import_vgg(folder / "course" / "vgg_feats.mat", dataset, folder / "out" / "vgg")
    import_fasttext(folder / "course" / "fasttext_feats.npy", dataset, folder / "out" / "fasttext")


def _words(folder: Path) -> None:
    trained_words(read_dataset(folder / "course"), folder / "out" / "words", 20, 2, 0)


def _stores(folder: Path) -> list:
    stores = [FeatureStore.open(path.parent) for path in sorted((folder / "out").rglob("meta.json"))]
    return [[store.folder.name, store.ids, store.take(store.ids), store.skipped] for store in stores]


def _draw(folder: Path) -> None:
    write_scenes(folder / "out" / "scenes", 12, 4, 4, progress=False)


def _drawn(folder: Path) -> dict:
    files = (path for path in (folder / "out" / "scenes").rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def _workspace(folder: Path) -> Workspace:
    os.environ["XMR_CACHE"] = str(folder / "out" / "cache")
    return Workspace("", folder / "course", "smoke", folder / "out" / "runs")


def _train(model: str) -> Callable[[Path], None]:
    def job(folder: Path) -> None:
        workspace = _workspace(folder)
        [config] = get_configs(workspace, model)
        run(workspace, config, [0, 1])

    return job


def _extract(folder: Path) -> None:
    from xmr_lib.features.spec import FeatureSpec

    _workspace(folder).bank.image_store(FeatureSpec("effnet-lite0"))


def _results(folder: Path) -> list:
    [results] = (folder / "out" / "runs").glob("*")
    found: list = []
    for path in sorted(results.glob("runs/*/seed*/result.json")):
        result, seed = read_result(path), int(path.parent.name.removeprefix("seed"))
        history = {key: value for key, value in result.history.items() if "seconds" not in key}
        found += [result.config.to_dict(), seed, result.test, history, asdict(read_ranks(results, result.model, seed))]
        model = RetrievalModel.load(path.parent)
        found.append({name: value.numpy() for name, value in model.network.state_dict().items()})
    clocks = ("cpu_minutes", "wall_minutes")
    rows = read_summary(results / "summary.csv")
    return [*found, [{key: cell for key, cell in row.items() if key not in clocks} for row in rows]]


JOBS = {
    "drawing": Job(lambda folder: None, _draw, _drawn),
    "course import": Job(_twin, _import, _stores),
    "FastText": Job(_twin, _words, _stores),
    "image features": Job(
        lambda folder: write_course_twin(folder / "course", images=24, feature_files=False), _extract, _stores
    ),
    "training": Job(_twin, _train("ab-infonce"), _results),
}


def do(name: str, folder: str, to: str) -> None:
    """Do a job in this process, and write what it said to a file."""
    torch.set_num_threads(1)
    with open(to, "w") as said, contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        JOBS[name].run(Path(folder))


def looked_at(name: str, folder: str, to: str) -> None:
    """Write the digest of what a job left."""
    with contextlib.redirect_stderr(io.StringIO()):
        Path(to).write_text(digest(JOBS[name].look(Path(folder))))
