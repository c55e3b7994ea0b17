"""The towers of a model as ONNX graphs: from the features that they are fed to embeddings, without torch.

``image.onnx``, ``text.onnx``, and ``onnx.json``, which says what goes in. Rows come as a rectangle (items, most, dim)
with the number of each item's own, ``lengths``; words as a rectangle of their numbers. All of these sizes are free.
"""

import copy
import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from .. import __version__
from ..baselines import LinearEncoder, ZeroShot
from ..config import Branch, TextBranch
from ..errors import XmrError
from ..modules import BOX_FEATURES, PaddedPart, PaddedTower, RegionEntry, WordEmbedding
from .retrieval import EnsembleModel, RetrievalModel

FACTS, OUTPUT, OPSET = "onnx.json", "embeddings", 20
ITEMS = {"image": "images", "text": "captions"}
ROWS = {"image": "regions", "text": "words"}
TOLERANCE = 1e-4
"""Of what a graph gives beside what torch gives, before it is written."""


@dataclass(frozen=True)
class Input:
    """One input of a graph."""

    name: str
    dtype: str
    shape: tuple[str | int, ...]
    """Names of axes that are free, and lengths of the others."""
    meaning: str
    largest: int = 0
    """Of whole numbers: the vocabulary's size; of lengths 0."""


def write_onnx(model: RetrievalModel, folder: str | Path) -> None:
    """Write the towers of a model into its folder; of late fusion, whose members have their own, only ``onnx.json``.

    Raises:
        XmrError: a package is missing, or a tower can't be written: it has trained layers of a pretrained network, or
            an aggregation without a counterpart on rectangles.
    """
    folder = Path(folder)
    facts: dict[str, Any] = {"library": __version__, "model": model.config.name, "distance": "cosine"}
    if isinstance(model, EnsembleModel):
        facts["members"] = [
            {"folder": f"members/{name}", "weight": weight}
            for (_, _, name), weight in zip(model.config.method.parts(), model.weights, strict=True)
        ]
        facts["similarity"] = "the sum of the members' cosines, each times its weight"
    else:
        facts["distance"] = model.config.distance
        for side in ("image", "text"):
            tower, inputs = _tower(model, side)
            size = _write(model.config.name, tower.eval(), inputs, folder / f"{side}.onnx")
            facts[side] = {
                "file": f"{side}.onnx",
                "inputs": [
                    {"name": i.name, "type": i.dtype, "shape": list(i.shape), "meaning": i.meaning} for i in inputs
                ],
                "output": {"name": OUTPUT, "type": "float32", "shape": [ITEMS[side], size]},
            }
    (folder / FACTS).write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", "utf-8")


class LinearTower(nn.Module):
    """One side of a ``LinearEncoder``: in double precision, as there."""

    def __init__(self, scaling: str, mean: Tensor, projection: Tensor):
        super().__init__()
        self.scaling = scaling
        self.register_buffer("mean", mean)
        self.register_buffer("projection", projection)

    def forward(self, vectors: Float[Tensor, "items dim"]) -> Float[Tensor, "items embed"]:
        scaled = normalize(vectors) if self.scaling == "l2" else vectors
        return ((scaled.double() - self.mean) @ self.projection).float()


def _tower(model: RetrievalModel, side: str) -> tuple[nn.Module, list[Input]]:
    """Return a tower on rectangles, on the host, and what it is fed."""
    network, branches = copy.deepcopy(model.network).cpu(), model.config.branches(side)
    if isinstance(network, ZeroShot):
        raise XmrError(f"{model.config.name}: nothing of it is trained, so there is no tower to write as ONNX")
    if isinstance(network, LinearEncoder):
        which, scaling = ("image", network.scalings[0]) if side == "image" else ("caption", network.scalings[1])
        mean, projection = getattr(network, f"{which}_mean"), getattr(network, f"{which}_map")
        return LinearTower(scaling, mean, projection), [_vectors(side, branches[0], len(mean), "")]
    try:
        tower = PaddedTower(network.image if side == "image" else network.caption)
    except XmrError as error:
        slugs = ", ".join(branch.features.slug for branch in branches)
        raise XmrError(
            f"{model.config.name}: the {side} tower on {slugs} can't be written as ONNX: {error}; leave out --onnx"
        ) from None
    inputs = []
    for place, (branch, part, shape) in enumerate(zip(branches, tower.padded, network.fed[side], strict=True)):
        ending = str(place) if len(branches) > 1 else ""
        if isinstance(part, PaddedPart):
            inputs += _rows(side, branch, part.entry, shape["dim"], ending, place)
        else:
            inputs.append(_vectors(side, branch, shape["dim"], ending))
    return tower, inputs


def _vectors(side: str, branch: Branch | TextBranch, dim: int, ending: str) -> Input:
    pooled = f", aggregated by {branch.pooling}" if branch.pooling != "none" else ""
    return Input(f"vectors{ending}", "float32", (ITEMS[side], dim), f"features {branch.features.slug}{pooled}")


def _rows(
    side: str, branch: Branch | TextBranch, entry: nn.Module, dim: int, ending: str, place: int
) -> tuple[Input, Input]:
    """Return the rectangle of a branch, and the number of each item's own rows."""
    axes, slug = (ITEMS[side], ROWS[side] + ending), branch.features.slug
    if isinstance(entry, WordEmbedding):
        meaning = f"numbers of words: their places, from 0, in the vocabulary of encoders/text{place}/words.json"
        rows = Input(f"words{ending}", "int64", axes, meaning, len(entry.table.weight))
    elif isinstance(entry, RegionEntry):
        dim = dim if entry.last_layer is None else entry.last_layer.in_features
        meaning = f"features {slug}; the last {len(BOX_FEATURES)} are {', '.join(BOX_FEATURES)}"
        rows = Input(f"rows{ending}", "float32", (*axes, dim + len(BOX_FEATURES)), meaning)
    else:
        rows = Input(f"rows{ending}", "float32", (*axes, dim), f"features {slug}")
    meaning = f"how many of an item's {axes[1]} are its own; what stands behind them is not looked at"
    return rows, Input(f"lengths{ending}", "int64", axes[:1], meaning)


def _write(name: str, tower: nn.Module, inputs: Sequence[Input], path: Path) -> int:
    """Write one graph, once it gives on other sizes what torch gives; return the length of an embedding."""
    try:
        import onnxruntime
        import onnxscript  # noqa: F401 (torch's exporter needs it)
    except ImportError as error:
        raise XmrError(
            f"{name}: ONNX needs the package {error.name}; pip install onnx onnxscript onnxruntime"
        ) from None
    axes = {axis: torch.export.Dim(axis) for given in inputs for axis in given.shape if isinstance(axis, str)}
    shapes = tuple({k: axes[x] for k, x in enumerate(given.shape) if isinstance(x, str)} for given in inputs)
    with quiet(), torch.inference_mode():
        program = torch.onnx.export(
            tower,
            made_up(inputs, 3, 5),
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=[given.name for given in inputs],
            output_names=[OUTPUT],
            dynamic_shapes=(shapes,) if isinstance(tower, PaddedTower) else shapes,
        )
        program.save(path)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        for items, most in ((1, 1), (7, 11)):
            given = made_up(inputs, items, most)
            [found] = session.run([OUTPUT], {i.name: own.numpy() for i, own in zip(inputs, given, strict=True)})
            wanted = tower(*given).numpy()
            if found.shape != wanted.shape or not np.allclose(found, wanted, rtol=TOLERANCE, atol=TOLERANCE):
                raise XmrError(f"{name}: {path.name} gives other embeddings than torch; please report it")
    return found.shape[1]


def made_up(inputs: Sequence[Input], items: int, most: int) -> tuple[Tensor, ...]:
    """Return inputs of a graph from a dice, ``items`` of them with at most ``most`` rows; the first has all."""
    dice, found = torch.Generator().manual_seed(items), []
    for given in inputs:
        size = [items, *(most if isinstance(axis, str) else axis for axis in given.shape[1:])]
        if given.dtype == "float32":
            found.append(torch.randn(size, generator=dice))
        elif given.largest:
            found.append(torch.randint(given.largest, size, generator=dice))
        else:
            lengths = torch.randint(most + 1, size, generator=dice)
            lengths[0] = most
            found.append(lengths)
    return tuple(found)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the exporter's notes to those who work on it from the screen."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "torch.export", "onnxscript")]
    before = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, before, strict=True):
                logger.setLevel(level)
