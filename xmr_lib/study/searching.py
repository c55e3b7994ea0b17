"""Notebook 09: a model put to use on the pictures of a dataset, and what its hubs cost."""

import shutil
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..config import RunConfig
from ..data.words import tokenise
from ..errors import XmrError
from ..experiment.run import embed, model_folder, model_of
from ..experiment.workspace import NO_PHOTOGRAPHS, Workspace
from ..features.spec import ENCODERS
from ..figures import found_figure, hubness_figure
from ..index import Dataset, Hit, Index, update
from ..metrics.hubness import occurrences, skewness
from ..model import RetrievalModel
from ..query_bank import QueryBank
from ..records import Result
from ..search import highest, nearest

FOUND, FIRST = 5, 10
UNUSED = "with, not used"
ASKS = {"t2i": "caption → images", "i2t": "image → captions"}


def indexes(workspace: Workspace, result: Result, split: str = "test") -> list[Index]:
    """Return the index of a split's pictures and captions under a model, made or brought up to date in the cache.

    None, and why is printed, where the data came without photographs (there is nothing that could be shown) or the
    model is of features that came as files (photographs can't be embedded).
    """
    if reason := _no_index(workspace, result.config):
        print(f"no index: {reason}")
        return []
    # Where a run's facts alone are there, its model is fitted again; then it has a folder to be copied from.
    model_of(workspace, result)
    folder = workspace.cache / "indexes" / f"{result.model}-seed{result.seed}-{split}"
    source = model_folder(workspace, result.config, result.seed)
    try:
        index = Index.open(folder, workspace.runtime)
        index.check_model(source)
    except XmrError:
        shutil.rmtree(folder, ignore_errors=True)
        index = Index.create(folder, source, runtime=workspace.runtime)
    report = update(index, [Dataset(workspace.dataset.source, split=split)])
    print(f"{index.counts['image']} pictures and {index.counts['text']} captions:", *report.lines())
    return [index]


def _no_index(workspace: Workspace, config: RunConfig) -> str:
    if workspace.dataset.images_folder is None:
        return NO_PHOTOGRAPHS
    files = [spec.slug for spec in config.image_specs if not ENCODERS[spec.encoder].of_pictures]
    if not files:
        return ""
    return (
        f"{config.name} stands on {', '.join(files)}, files of features, and can't be given photographs; a model on "
        "effnet-lite0 can: xmr train ab-infonce --name NAME --set image.branches.0.features=effnet-lite0"
    )


def asked(index: Index, sentences: Sequence[str]) -> Figure:
    """Draw the pictures found for sentences, and print which of these somebody wrote already."""
    texts = {" ".join(tokenise(item.text)) for item in index.catalogue.items(index.catalogue.ids("text")).values()}
    for sentence in sentences:
        print(
            f"{sentence!r}:", "a caption of this split" if " ".join(tokenise(sentence)) in texts else "nobody's caption"
        )
    rows = [(f"“{own}”", index.search(own, top=FOUND)) for own in sentences]
    return found_figure(index, rows, f"{index.facts['model']}: pictures found for a sentence")


def asked_by_picture(index: Index, place: int = 0) -> tuple[Figure, list[Hit]]:
    """Draw the pictures nearest to a picture of the index, itself left out; return the sentences nearest to it, too."""
    item = index.item(index.catalogue.ids("image")[place])
    others = [hit for hit in index.search(item.path, top=FOUND + 1) if hit.id != item.id][:FOUND]
    figure = found_figure(index, [(item.name, [item, *others])], f"{index.facts['model']}: pictures nearest to one")
    return figure, index.search(item.path, "text", FOUND)


def _strongest(model: RetrievalModel, direction: str) -> QueryBank:
    """Return a bank that is not used in a direction with the β that did best there all the same."""
    assert model.bank is not None
    table = [row for row in model.facts["query_bank"]["validation"] if row["direction"] == direction]
    best = max(table, key=lambda row: row["val_sum"])
    return replace(model.bank, beta={**model.bank.beta, direction: best["beta"]})


def hubs(workspace: Workspace, result: Result) -> tuple[pd.DataFrame, Figure]:
    """Return how much of the validation split is found by whom, without and with the query bank: a table, a figure.

    Validation, since the bank's strength is chosen there; test is scored once, at the end of the run. Where the bank
    gains too little to be used, its best strength is shown as such.
    """
    model, config = model_of(workspace, result), result.config
    images, captions = embed(workspace, result, "val")
    owner = workspace.usable(config).split("val").image_of_caption
    rows, counts = [], {}
    for direction, name in ASKS.items():
        queries, items = (captions, images) if direction == "t2i" else (images, captions)
        right = owner[:, None] if direction == "t2i" else None
        k = min(FIRST, len(items))
        ways = {"without": nearest(queries, items, k, config.distance)[0]}
        if model.bank is not None:
            beta = model.bank.beta[direction]
            way, bank = ("with", model.bank) if beta is not None else (UNUSED, _strongest(model, direction))
            ways[way] = highest(*bank.vectors(queries, items, direction), k)[0]
        for way, found in ways.items():
            own = occurrences(found, len(items))
            hit = found == right if right is not None else owner[found] == np.arange(len(images))[:, None]
            counts[name, way] = own
            rows.append(
                {
                    "query": name,
                    "query bank": way,
                    "R@1 (%)": 100 * float(hit[:, 0].mean()),
                    f"R@{k} (%)": 100 * float(hit.any(1).mean()),
                    "never found (%)": 100 * float((own == 0).mean()),
                    "most often found": int(own.max()),
                    "skewness": skewness(own),
                }
            )
    return pd.DataFrame(rows).set_index(["query", "query bank"]), hubness_figure(counts, FIRST)
