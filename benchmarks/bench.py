"""``make bench``: what the project does often, beside what one would use instead. Writes runs/bench/summary.csv."""

import argparse
import itertools
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from measure import HIGHEST, Measurement, at_least, at_most, times_as_fast, write
from reading import course_folder, image_features
from torchmetrics.functional.retrieval import retrieval_hit_rate
from training import epoch_of_task_a, large_batch, sorted_regions

from xmr_lib.encoders.bert import encode
from xmr_lib.experiment import Workspace
from xmr_lib.features.store import FeatureStore
from xmr_lib.features.store_writer import StoreWriter
from xmr_lib.metrics import ranks_from_similarity, ranks_of_embeddings, rsums_of_fusions, summarise
from xmr_lib.metrics.scores import Scores
from xmr_lib.modules import TokenEntry
from xmr_lib.networks.bert import PACKAGE, BertTail, load_bert
from xmr_lib.paths import runs_root
from xmr_lib.ragged import Ragged
from xmr_lib.weights import packaged

FLICKR30K = 31_014
"""Images of Karpathy's Flickr30K."""
IMPORTS = (
    ("import xmr_lib", "import xmr_lib", 0.1),
    ("xmr --help", "from xmr_lib.cli import main; import sys; sys.argv = ['xmr', '--help']; main()", 0.4),
    ("xmr train list", "from xmr_lib.cli import main; import sys; sys.argv = ['xmr', 'train', 'list']; main()", 0.6),
    ("import xmr_lib.experiment", "import xmr_lib.experiment", 2.0),
)
"""What is imported, and at most how many times the time of torch's own import it may take."""


def bert_encoding(captions: list[str], rounds: int) -> Measurement:
    """Vectors of captions (mean of MiniLM's tokens): ours against sentence-transformers on the same weights."""
    from sentence_transformers import SentenceTransformer

    bert = load_bert("minilm")
    folder = packaged("minilm", PACKAGE, "model/model.safetensors").path.parent
    peer = SentenceTransformer(str(folder), device="cpu", local_files_only=True)

    def ours() -> np.ndarray:
        means = np.stack([rows.mean(0) for rows in encode(bert, captions, (bert.layers,))])
        return means / np.linalg.norm(means, axis=1, keepdims=True)

    def theirs() -> np.ndarray:
        return peer.encode(captions, batch_size=64, show_progress_bar=False)

    assert np.abs(ours() - theirs()).max() < 1e-3, "not the same vectors: nothing is compared"
    return at_least(
        "MiniLM, vectors of captions", times_as_fast(ours, theirs, rounds), 1.0, "SentenceTransformer.encode"
    )


def ranking(images: int, rounds: int) -> Measurement:
    """R@1, R@5, R@10 in both directions from embeddings: ours against torchmetrics, query by query."""
    generator = torch.Generator().manual_seed(0)
    pictures, captions = (torch.randn(n, 128, generator=generator) for n in (images, 5 * images))
    pictures, captions = (torch.nn.functional.normalize(x, dim=1) for x in (pictures, captions))
    owner = torch.arange(images).repeat_interleave(5)

    def ours() -> dict[str, float]:
        return summarise(ranks_of_embeddings(pictures.numpy(), captions.numpy(), owner.numpy(), "cosine"))

    def theirs() -> dict[str, float]:
        scores, right = pictures @ captions.T, torch.arange(images)[:, None] == owner
        return {
            f"{way}_r{k}": 100
            * float(torch.stack([retrieval_hit_rate(s, r, k) for s, r in zip(*pair, strict=True)]).mean())
            for way, pair in (("i2t", (scores, right)), ("t2i", (scores.T, right.T)))
            for k in (1, 5, 10)
        }

    expected, found = theirs(), ours()
    assert all(abs(found[name] - value) < 1e-3 for name, value in expected.items()), "not the same recalls"
    return at_least("ranks and recalls", times_as_fast(ours, theirs, rounds), 10.0, "torchmetrics, query by query")


def exact_ranks(images: int, rounds: int) -> Measurement:
    """Exact ranks both ways from embeddings of length 1,024, against the bare product in single precision."""
    random = np.random.default_rng(0)
    owner = np.repeat(np.arange(images), 5)
    pictures = random.normal(size=(images, 1024)).astype(np.float32)
    captions = (0.3 * pictures[owner] + random.normal(size=(len(owner), 1024))).astype(np.float32)
    ratio = times_as_fast(lambda: pictures @ captions.T, lambda: ranks_of_embeddings(pictures, captions, owner), rounds)
    return at_most(f"exact ranks, {images:,} × {5 * images:,}", ratio, 1.3, "the bare product in single precision")


RANKING = """
import numpy as np
from xmr_lib.metrics import ranks_of_embeddings

owner = np.repeat(np.arange({images}), 5)
pictures, captions = (np.random.default_rng(n).random((n, 1024), np.float32) for n in ({images}, len(owner)))
before = highest()
ranks_of_embeddings(pictures, captions, owner)
print((highest() - before) / 2**20)
"""


def ranking_memory(images: int) -> Measurement:
    """Memory that exact ranks take beside the embeddings themselves."""
    command = [sys.executable, "-c", HIGHEST + RANKING.format(images=images)]
    found = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    name = f"exact ranks, {images:,} × {5 * images:,}, memory"
    return Measurement(name, found, "GB", "<= 1", "yes" if found <= 1 else "no", "beside the embeddings")


def late_fusion(images: int, rounds: int) -> Measurement:
    """rSum by each of 286 weightings of four models of R@1 about 35 and 20, against a whole ranking for each."""
    random = np.random.default_rng(0)
    owner = np.repeat(np.arange(images), 5)
    topics = random.normal(size=(images, 64)).astype(np.float32)
    members = []
    for _ in range(4):
        projection = random.normal(size=(64, 512)).astype(np.float32)
        noisy = (
            topics + 1.1 * random.normal(size=topics.shape),
            topics[owner] + 2 * random.normal(size=(len(owner), 64)),
        )
        members.append(tuple(own.astype(np.float32) @ projection for own in noisy))
    weightings = [[n / 10 for n in own] for own in itertools.product(range(11), repeat=4) if sum(own) == 10]

    def whole() -> list[float]:
        cosines = [Scores(*own, "cosine").tile(slice(None), slice(None)) for own in members]
        fused = (sum(np.float32(w) * own for w, own in zip(weights, cosines, strict=True)) for weights in weightings)
        return [summarise(ranks_from_similarity(own, owner))["rsum"] for own in fused]

    ours = partial(rsums_of_fusions, members, weightings, owner)
    assert ours() == whole(), "not the same rSums: nothing is compared"
    name = "late fusion, 286 weightings of 4 models"
    return at_least(name, times_as_fast(ours, whole, rounds), 10.0, "a whole ranking for each weighting")


def checked_reading(megabytes: int, rounds: int) -> Measurement:
    """Features gathered from a store that was just opened, its checksums looked at, against a bare memory map."""
    rows = megabytes * 2**20 // 4096
    with tempfile.TemporaryDirectory() as folder:
        with StoreWriter(Path(folder) / "store", {}, (1024,)) as writer:
            for start in range(0, rows, 8192):
                ids = np.arange(start, min(start + 8192, rows))
                writer.append(ids, np.random.default_rng(start).normal(size=(len(ids), 1024)).astype(np.float32))
                writer.commit()
            writer.finish()
        order = np.random.default_rng(0).permutation(rows)
        ratio = times_as_fast(
            lambda: np.load(Path(folder) / "store" / "values.npy", mmap_mode="r")[order],
            lambda: FeatureStore.open(Path(folder) / "store").take(order),
            rounds,
        )
    return Measurement("features of a store, checked", ratio, "times the time", "", "", "a bare memory map")


def importing(what: str, statement: str, goal: float, rounds: int) -> Measurement:
    """Processor time of an import in a fresh process, against that of torch."""

    def fresh(statement: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", statement], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return sum(getattr(after, name) - getattr(before, name) for name in ("ru_utime", "ru_stime"))

    ratios = [fresh(statement) / fresh("import torch") for _ in range(rounds)]
    return at_most(what, statistics.median(ratios), goal, "import torch, processor time")


def tuned_layer(captions: list[str], rounds: int) -> Measurement:
    """A step through a tuned BERT layer: captions of like length together, against one padded rectangle."""
    bert = load_bert("minilm")
    lengths = torch.tensor([len(ids) for ids in bert.tokenizer(captions[:512])["input_ids"]])
    offsets = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
    rows = Ragged(torch.randn(int(offsets[-1]), 384, generator=torch.Generator().manual_seed(0)), offsets)
    entry = TokenEntry(384, 0.0, BertTail(bert, 1)).eval()

    def ours() -> torch.Tensor:
        return entry(rows)[0].values

    def padded() -> torch.Tensor:
        states, real = rows.padded()
        return entry.tail(states, real)[real]

    assert torch.allclose(ours(), padded(), atol=1e-4), "not the same vectors: nothing is compared"
    ours, padded = (partial(_step, forward) for forward in (ours, padded))
    return at_least("a step of a tuned BERT layer", times_as_fast(ours, padded, rounds), 1.5, "one padded rectangle")


def _step(forward: Callable[[], torch.Tensor]) -> None:
    forward().sum().backward()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--captions", type=int, default=2000)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--long", action="store_true", help="ranks and the course folder at the size of Flickr30K, too")
    sizes = parser.parse_args()
    captions = list(Workspace("scenes", profile_name="demo").dataset.raw[: sizes.captions])
    found = [
        bert_encoding(captions, sizes.rounds),
        tuned_layer(captions, sizes.rounds),
        ranking(sizes.images, sizes.rounds),
        exact_ranks(sizes.images, sizes.rounds),
        exact_ranks(5 * sizes.images, sizes.rounds),
        *([exact_ranks(FLICKR30K, 1)] if sizes.long else []),
        ranking_memory(FLICKR30K if sizes.long else 5 * sizes.images),
        late_fusion(sizes.images, sizes.rounds),
        checked_reading(256, sizes.rounds),
        *course_folder(FLICKR30K if sizes.long else 8 * sizes.images, sizes.rounds),
        image_features(96, sizes.rounds),
        *epoch_of_task_a(6 * sizes.images, sizes.rounds),
        sorted_regions(sizes.rounds),
        large_batch(),
        *(importing(*one, sizes.rounds) for one in IMPORTS),
    ]
    path = runs_root() / "bench" / "summary.csv"
    write(path, found)
    for one in found:
        print(f"{one.name:40} {one.value:6.2f} {one.unit} (goal {one.goal}: {one.met}; against {one.peer})")
    print(path)


if __name__ == "__main__":
    main()
