"""What a model is made of: its parts in the order that a batch goes through them, what each gives, what is trained."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from ..config import Branch, DualEncoderConfig, TextBranch
from ..encoders.bert import BertEncoder
from ..errors import XmrError
from ..experiment.run import model_of
from ..experiment.workspace import Workspace
from ..features.spec import ENCODERS
from ..items import Items, Parts
from ..losses import similarity_matrix
from ..modules import DualEncoder, RowPart
from ..modules.item import ItemEncoder
from ..modules.projection import Projection
from ..ragged import Ragged
from ..records import Result

ITEMS = {"image": "images", "caption": "captions"}


@torch.inference_mode()
def anatomy(workspace: Workspace, result: Result, pairs: int = 3) -> pd.DataFrame:
    """Return the parts of a dual encoder in the order that a batch of test pairs goes through them.

    Columns: ``is``, what a part does; ``gives``, the axes of what comes out of it; ``trained`` and ``frozen``, how many
    of its numbers the loss moves and how many it leaves as they are. Networks whose output is stored are no part: they
    ran once.

    Raises:
        XmrError: the model has no towers (CCA, late fusion).
    """
    model, config = model_of(workspace, result), result.config
    if not isinstance(model.network, DualEncoder) or not isinstance(config.method, DualEncoderConfig):
        raise XmrError(f"{config.name}: the parts of a dual encoder are to be shown, not of {config.loss_name!r}")
    split = workspace.pairs(config, "test", result.seed)
    captions = np.unique(split.image_of_caption, return_index=True)[1][:pairs]
    owners = split.image_of_caption[captions]
    network, rows, embedded = model.network.cpu(), [], []
    given = (("image", split.images[torch.from_numpy(owners)]), ("caption", split.captions[torch.from_numpy(captions)]))
    for side, items in given:
        tower: ItemEncoder = getattr(network, side)
        branches = config.branches("image" if side == "image" else "text")
        parts = items.parts if isinstance(items, Parts) else (items,)
        for branch, part in zip(branches, parts, strict=True):
            ahead = isinstance(branch, TextBranch) and branch.pooled_ahead
            what = f"stored, and aggregated ahead: {branch.pooling}" if ahead else "stored"
            rows.append((side, branch.features.slug, what, _axes(part, side, _row_of(branch)), 0, 0))
        steps = list(_steps(tower, branches))
        outputs, embedding = _run(tower, items, [module for *_, module in steps])
        rows += [
            (side, name, what, _axes(outputs[module], side, row), *_numbers(module.parameters()))
            for name, what, row, module in steps
        ]
        what = f"fused: {tower.fusion}; " if len(tower.projections) > 1 else ""
        what += "scaled to length 1" if tower.normalised else "of any length"
        inside = {*tower.parts.parameters(), *tower.projections.parameters()}
        own = [parameter for parameter in tower.parameters() if parameter not in inside]
        rows.append((side, "embedding", what, _axes(embedding, side), *_numbers(own)))
        embedded.append(embedding)
    similarity = similarity_matrix(*embedded, config.distance)
    rows.append(("both", "similarity", config.distance, f"{len(owners)} images × {len(captions)} captions", 0, 0))
    loss = (model.loss if model.loss is not None else config.method.loss.build()).cpu()
    value = loss(similarity, torch.from_numpy(owners)).item()
    rows.append(("both", "loss", config.loss_name, f"one number: {value:.3f}", *_numbers(loss.parameters())))
    table = pd.DataFrame(rows, columns=["side", "part", "is", "gives", "trained", "frozen"])
    for column in ("trained", "frozen"):
        table[column] = [f"{number:,}" if number else "" for number in table[column]]
    return table.set_index(["side", "part"])


def _steps(tower: ItemEncoder, branches: Sequence[Branch]) -> Iterator[tuple[str, str, str, nn.Module]]:
    """Yield the modules of a tower that are shown: a name, what it does, what its rows are called, and itself."""
    for part, branch in zip(tower.parts, branches, strict=True):
        if isinstance(part, RowPart):
            yield "entry", type(part.entry).__name__, _row_of(branch), part.entry
            yield "aggregation", branch.pooling, "", part.pooling
        elif not isinstance(part, nn.Identity):
            yield "entry", type(part).__name__, "", part
    for projection in tower.projections:
        yield "projection", _layers(projection), "", projection


def _row_of(branch: Branch) -> str:
    """Return what the rows of an item are called."""
    encoder = ENCODERS[branch.features.encoder]
    if encoder.modality == "text":
        return "tokens" if issubclass(encoder, BertEncoder) else "words"
    return "regions" if encoder.ragged else "places"


def _layers(projection: Projection) -> str:
    """Return how a projection scales its input, and its layers."""
    ways = [
        " → ".join(type(layer).__name__ for layer in way if not isinstance(layer, nn.Dropout))
        for way in (projection.linear, projection.mlp)
        if way is not None
    ]
    layers = " + ".join(f"({way})" if " " in way and len(ways) > 1 else way for way in ways)
    return f"{projection.input_scaling}; {layers}"


def _run(tower: ItemEncoder, items: Items, modules: list[nn.Module]) -> tuple[dict[nn.Module, object], Tensor]:
    """Return what modules give while a tower embeds a batch, and the embeddings."""
    outputs: dict[nn.Module, object] = {}
    hooks = [
        module.register_forward_hook(lambda module, given, output: outputs.__setitem__(module, output))
        for module in modules
    ]
    try:
        return outputs, tower.eval()(items.to("cpu"))
    finally:
        for hook in hooks:
            hook.remove()


def _axes(output: object, side: str, row: str = "") -> str:
    """Return the axes of features or of what a module gives, by name."""
    if isinstance(output, tuple):
        output = output[0]
    if isinstance(output, Ragged):
        width = f" × {output.values.shape[1]}" if output.values.ndim > 1 else ""
        return f"{len(output)} {ITEMS[side]}: {len(output.values)} {row}{width or ', by number'}"
    assert isinstance(output, Tensor)
    return f"{len(output)} {ITEMS[side]} × {' × '.join(map(str, output.shape[1:]))}"


def _numbers(parameters: Iterable[nn.Parameter]) -> tuple[int, int]:
    """Count the numbers that are trained, and those that are not."""
    counts = [0, 0]
    for parameter in parameters:
        counts[not parameter.requires_grad] += parameter.numel()
    return counts[0], counts[1]
