"""Notebook 11: what stands behind a score: hubs, the lie of the space, doubles, references, the spread of seeds."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from torch.nn.functional import normalize

from ..analysis.duplicates import near_pairs, perceptual_hashes, same_words
from ..analysis.gap import close_gap, modality_gap
from ..config import TextBranch
from ..experiment.run import embed, ranks_of
from ..experiment.workspace import NO_PHOTOGRAPHS, Workspace
from ..metrics import bootstrap_interval, mean_interval
from ..metrics.alignment import alignment, uniformity
from ..metrics.graded import GradedRelevance
from ..records import Result
from ..search import nearest
from .relevance import BY_CAPTIONS
from .results_at_hand import recorded
from .searching import hubs

SPLITS = ("train", "val", "test")


def hub_table(workspace: Workspace, groups: Sequence[Sequence[Result]]) -> pd.DataFrame:
    """Return ``searching.hubs`` of several models, of each its first seed."""
    tables = {results[0].model: hubs(workspace, results[0])[0] for results in groups}
    return pd.concat(tables, names=["model"])


def space_table(workspace: Workspace, groups: Sequence[Sequence[Result]]) -> pd.DataFrame:
    """Return how the test split lies in the space of each model (its first seed): a row each, rSum beside it.

    ``alignment``: mean squared distance of a pair; ``uniformity`` of each modality; ``gap``: distance of their means.
    """
    rows = []
    for results in groups:
        images, captions = embed(workspace, results[0], "test")
        owner = workspace.usable(results[0].config).split("test").image_of_caption
        # Moved by nothing, they are scaled to length 1.
        gap = modality_gap(*close_gap(images, captions, owner, 0.0), owner)
        rows.append(
            {
                "model": results[0].model,
                "alignment": f"{alignment(images, captions, owner):.3f}",
                "uniformity, images": f"{uniformity(images):.2f}",
                "uniformity, captions": f"{uniformity(captions):.2f}",
                "gap": f"{gap.gap:.3f}",
                "the gap's share (%)": 100 * gap.share,
                "rSum": results[0].test["rsum"],
            }
        )
    return pd.DataFrame(rows).set_index("model")


def doubles_table(workspace: Workspace) -> pd.DataFrame:
    """Return how many pictures and sentences occur twice, within the splits and across them.

    ``pictures``: pairs of images whose perceptual hashes are all but equal; ``sentences``: pairs of captions of two
    images that have the same words.
    """
    dataset = workspace.dataset
    split_of = np.full(len(dataset), -1)
    for place, split in enumerate(SPLITS):
        split_of[dataset.splits.get(split, [])] = place
    kinds = {"sentences": dataset.image_of_caption[same_words(dataset)]}
    if dataset.images_folder is None:
        print(f"pictures are not compared: {NO_PHOTOGRAPHS}")
    else:
        hashes = perceptual_hashes(map(dataset.path, range(len(dataset))))
        kinds["pictures"] = near_pairs(hashes)
        if blank := int((hashes == 0).sum()):
            print(f"not compared: {blank} pictures that can't be read or are of one colour")
    rows = {}
    for kind, pairs in sorted(kinds.items()):
        both = np.sort(split_of[pairs], axis=1)
        rows[kind] = {
            SPLITS[a] if a == b else f"{SPLITS[a]} and {SPLITS[b]}": str(int(((both == (a, b)).all(1)).sum()))
            for a in range(len(SPLITS))
            for b in range(a, len(SPLITS))
        }
        # Ids, so that everybody can look: what is nobody's photograph or caption.
        for first, second in pairs[(both == (0, 2)).all(1) | (both == (2, 2)).all(1)][:3]:
            print(f"{kind}: image {dataset.image_ids[first]} and image {dataset.image_ids[second]}")
    return pd.DataFrame(rows).T.rename_axis("pairs of")


def reference_table(workspace: Workspace, groups: Sequence[Sequence[Result]]) -> pd.DataFrame:
    """Return how often a caption of the test split finds another caption of its image first, among all others.

    What an encoder gets out of captions alone: a reference, no upper bound, since captions of one image differ in what
    they tell. Rows: sets of words weighted by rarity, the mean of word vectors, MiniLM, the text side of each model.
    """
    part = workspace.dataset.split("test")
    owner, places = part.image_of_caption, workspace.bank.places(part)
    words = np.concatenate([block for _, block in GradedRelevance(part.tokens, part.tokens).blocks()])
    found = {"shared words": _first_other_by(words)}
    own = TextBranch(features=workspace.own_features["text"], pooling="mean")
    for name, branch in ((f"{own.features.slug}, mean", own), ("MiniLM, mean", BY_CAPTIONS)):
        vectors = normalize(workspace.bank.captions(branch, places, 0).float()).numpy()
        found[name] = _first_other(vectors, "cosine")
    for results in groups:
        vectors = embed(workspace, results[0], "test")[1]
        if len(vectors) != len(owner):
            print(f"{results[0].model}: left out, some images of the split have none of its features")
            continue
        found[f"text side of {results[0].model}"] = _first_other(vectors, results[0].config.distance)
    rows, counts = [], np.bincount(owner)
    for name, first in found.items():
        # A caption that is the only one of its image has nothing to find.
        hits = (np.bincount(owner, owner[first] == owner) / counts)[counts > 1]
        low, high = mean_interval(hits)
        rows.append(
            {
                "encoder": name,
                "R@1 (%)": 100 * float(hits.mean()),
                "95 % interval": f"{100 * low:.1f}–{100 * high:.1f}",
            }
        )
    chance = 100 * float((counts[counts > 1] - 1).mean() / (len(owner) - 1))
    rows.append({"encoder": "chance", "R@1 (%)": chance, "95 % interval": ""})
    return pd.DataFrame(rows).set_index("encoder")


def seeds_table(workspace: Workspace) -> pd.DataFrame:
    """Return how far seeds lie apart, of all recorded models with two or more.

    ``spread``: standard deviation of rSum over seeds; ``of images``: half the width of the 95 % interval over test
    images, which knows nothing of seeds.
    """
    rows, alone = [], 0
    for results in recorded(workspace):
        rsums = [result.test["rsum"] for result in results]
        if len(rsums) < 2:
            alone += 1
            continue
        low, high = bootstrap_interval([ranks_of(workspace, result) for result in results])
        rows.append(
            {
                "model": results[0].model,
                "seeds": str(len(rsums)),
                "rSum": float(np.mean(rsums)),
                "lowest": min(rsums),
                "highest": max(rsums),
                "spread": float(np.std(rsums, ddof=1)),
                "of images": (high - low) / 2,
            }
        )
    if alone:
        print(f"left out: {alone} models with one seed, which has no spread")
    columns = ["model", "seeds", "rSum", "lowest", "highest", "spread", "of images"]
    return pd.DataFrame(rows, columns=columns).set_index("model")


def _first_other(vectors: Float[np.ndarray, "captions dim"], distance: str) -> Int[np.ndarray, " captions"]:
    """Return the nearest other caption of each."""
    found = nearest(vectors, vectors, 2, distance)[0]
    # Of two equal captions either may come first.
    return np.where(found[:, 0] == np.arange(len(found)), found[:, 1], found[:, 0])


def _first_other_by(alike: Float[np.ndarray, "captions captions"]) -> Int[np.ndarray, " captions"]:
    np.fill_diagonal(alike, -1.0)
    return alike.argmax(1)
