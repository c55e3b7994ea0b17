"""Whoever calls a function with a path may have it as text: no public function asks for a ``Path`` and nothing else."""

import importlib
import inspect
import pkgutil
import types
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import scipy.io
import torch
from made_up_results import write_made_up_run
from PIL import Image

import xmr_lib
from xmr_lib.course.matfile import mat_columns, mat_shape
from xmr_lib.features.extract import read_image
from xmr_lib.features.store import FeatureStore
from xmr_lib.features.store_writer import StoreWriter
from xmr_lib.figures import save_figure, shrink_figure
from xmr_lib.publish import Plan
from xmr_lib.publish.facts import RecordedResults
from xmr_lib.publish.latex_log import read_log
from xmr_lib.publish.numbers import write_if_new
from xmr_lib.publish.pdf import has_type_3_fonts
from xmr_lib.publish.sources import figures_named, source_files, tables_named, uses
from xmr_lib.publish.team import team_tex
from xmr_lib.publish.tree import read_state, write_state
from xmr_lib.publish.values import read_published
from xmr_lib.training import Checkpoint

ROOT = Path(__file__).parent.parent
READERS = ("assemble", "coco", "files", "find_splits", "kaggle", "karpathy", "layouts", "names")
TABLES = ("plain_csv", "tables", "token_lists", "told")
ALLOWED = {
    **dict.fromkeys((f"data.{name}." for name in READERS + TABLES), "called by read_dataset, which takes either"),
    **dict.fromkeys(("course.mat4", "course.mat5", "course.mat73"), "called by course.matfile, which takes either"),
    **dict.fromkeys(
        ("regions.sources.Archives", "regions.sources.SplitArrays"), "made by open_source, which takes either"
    ),
    **dict.fromkeys(("features.contents", "features.renew"), "called by extract_images, which takes either"),
    "features.store.FeatureStore.__init__": "made by FeatureStore.open, which takes either",
    "index.index.Hit": "made by Index.search",
    "serve.queries": "made by the page's routes",
    "scenes.write": "called by write_scenes, which takes either",
    "weights.Weights": "made by what finds weights, which take either",
    "cli": "typer makes a Path of what was typed, from the annotation",
    "publish.documents.Plan": "made by Plan.of, which takes either",
    "publish.facts.RecordedResults": "made by RecordedResults.read, which takes either",
}


def public_modules() -> Iterator[types.ModuleType]:
    for found in pkgutil.walk_packages(xmr_lib.__path__, "xmr_lib."):
        steps = found.name.split(".")[1:]
        if not any(step.startswith("_") for step in steps):
            yield importlib.import_module(found.name)


def public_functions(module: types.ModuleType) -> Iterator[tuple[str, typing.Callable]]:
    """Yield what a module itself defines: functions, constructors and methods, by their names."""
    for name, own in vars(module).items():
        if name.startswith("_") or getattr(own, "__module__", None) != module.__name__:
            continue
        place = f"{module.__name__.removeprefix('xmr_lib.')}.{name}"
        if inspect.isclass(own):
            for method, value in vars(own).items():
                value = getattr(value, "__func__", value)
                if inspect.isfunction(value) and (method == "__init__" or not method.startswith("_")):
                    yield f"{place}.{method}", value
        elif inspect.isfunction(own):
            yield place, own


def path_alone(annotation: object) -> bool:
    """Whether a path is asked for somewhere in an annotation, and text won't do in its place."""
    if annotation is Path or annotation in ("Path", "Path | None"):
        return True
    choices = typing.get_args(annotation)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType) and str in choices:
        choices = tuple(choice for choice in choices if choice is not Path)
    return any(path_alone(choice) for choice in choices)


def asking() -> dict[str, str]:
    """Public functions with a parameter that takes a path alone, and that parameter."""
    return {
        name: parameter
        for module in public_modules()
        for name, function in public_functions(module)
        for parameter, own in inspect.signature(function).parameters.items()
        if path_alone(own.annotation)
    }


def test_no_public_function_asks_for_a_path_alone():
    found = {name: parameter for name, parameter in asking().items() if not name.startswith(tuple(ALLOWED))}
    assert found == {}


def test_nothing_is_allowed_that_need_not_be():
    assert [name for name in ALLOWED if not any(place.startswith(name) for place in asking())] == []


def test_the_walk_sees_what_it_looks_for():
    places = {name for module in public_modules() for name, _ in public_functions(module)}
    assert {"figures.style.save_figure", "publish.documents.Plan.of", "study.tables.save_table"} <= places
    assert {"model.retrieval.RetrievalModel.load", "summary_csv.read_summary", "publish.latex.Latex.run"} <= places
    for alone in (Path, Path | None, Sequence[Path], dict[str, Path], "Path"):
        assert path_alone(alone)
    for either in (str | Path, str | Path | None, Sequence[str | Path], str, int | None, inspect.Parameter.empty):
        assert not path_alone(either)


def test_text_will_do(tmp_path):
    here = str(tmp_path)
    figure = plt.figure(figsize=(2, 1))
    drawn = save_figure(figure, here, "x")
    plt.close(figure)
    assert shrink_figure(str(drawn), f"{here}/small.png", width=50).is_file()
    assert write_if_new(f"{here}/x.tex", "x") and not write_if_new(f"{here}/x.tex", "x")
    report = str(ROOT / "report")
    assert source_files(report) and uses(report) and tables_named(report) and figures_named(report)
    assert read_published(f"{report}/published.csv") and "teammembers" in team_tex(f"{report}/team.yaml", report)
    assert not has_type_3_fonts(f"{report}/report.pdf")
    write_state(here, {"a": "b"})
    assert read_state(here) == {"a": "b"}
    (tmp_path / "x.log").write_text("Output written on x.pdf (1 page, 1 bytes).")
    assert read_log(here, "x").pages == 1
    write_made_up_run(tmp_path / "scenes", "cca-mean", 2.0)
    assert RecordedResults.read(f"{here}/scenes").row("cca-mean")


def test_text_will_do_for_features_and_checkpoints(tmp_path):
    scipy.io.savemat(f"{tmp_path}/a.mat", {"feats": np.ones((3, 2), np.float32)})
    assert mat_shape(f"{tmp_path}/a.mat", "feats") == (3, 2)
    assert len(list(mat_columns(f"{tmp_path}/a.mat", "feats", 0, 1))) == 2
    with StoreWriter(f"{tmp_path}/store", {}, (2,)) as writer:
        writer.append(np.arange(3), np.zeros((3, 2), np.float32))
        writer.finish()
    assert len(FeatureStore.open(f"{tmp_path}/store")) == 3
    Image.new("RGB", (4, 4)).save(f"{tmp_path}/a.png")
    assert read_image(f"{tmp_path}/a.png", 2).shape == (2, 2, 3)
    network, optimiser = torch.nn.Linear(1, 1), torch.optim.SGD([torch.zeros(1)])
    assert Checkpoint(f"{tmp_path}/x.safetensors", {}).load(network, optimiser) is None


@pytest.mark.parametrize("kind", [str, Path])
def test_a_plan_is_the_same_from_text_and_path(tmp_path, monkeypatch, kind):
    monkeypatch.setenv("XMR_HOME", str(tmp_path))
    plan = Plan.of("scenes", kind(tmp_path / "mine"), kind(tmp_path / "other" / "x"))
    assert plan.results == tmp_path / "mine" and plan.galleries == tmp_path / "other" / "x"
