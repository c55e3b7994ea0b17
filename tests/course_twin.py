"""A small twin of the course's Flickr30K folder: the same files, shapes, dtypes and oddities, invented content."""

import itertools
import json
from pathlib import Path

import h5py
import numpy as np
import scipy.io
from PIL import Image

TOPICS, WORDS_A_TOPIC, STOPWORDS = 8, 12, 10


def write_course_twin(
    folder: Path,
    images: int = 40,
    seed: int = 0,
    with_images: bool = True,
    mat_version: str | None = "5",
    feature_files: bool = True,
) -> Path:
    """Write the twin and return its folder.

    Every image has three topics of eight; its five captions speak of them, and so do its features: whoever mixes up
    rows loses that link. ``imgid`` is the place in ``dataset.json`` and is scattered over the splits
    (60 / 20 / 20 %). Row ``imgid`` of the features belongs to the image, never the position within a split.

    Oddities: image 0 has a caption of 2 words and one of 78, image 1 a ``&amp;`` in its raw text, image 2 the token
    ``(with``, images 3 and 4 share a caption word for word.
    """
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    combinations = np.array(list(itertools.combinations(range(TOPICS), 3)))
    topics = combinations[rng.permutation(len(combinations))[np.arange(images) % len(combinations)]]
    captions = [[_words(rng, topics[i], length=int(rng.integers(4, 15))) for _ in range(5)] for i in range(images)]
    captions[0][0], captions[0][1] = _words(rng, topics[0], length=2), _words(rng, topics[0], length=78)
    captions[2][0] = ["(with", *captions[2][0]]
    captions[4][4] = list(captions[3][0])
    items = _items(captions, _splits(rng, images))
    items[1]["sentences"][0]["raw"] += " &amp; more ."

    (folder / "dataset.json").write_text(json.dumps({"images": items, "dataset": "flickr30k"}), encoding="utf-8")
    for split in ("train", "val", "test"):
        members = [item for item in items if item["split"] == split]
        (folder / f"{split}.json").write_text(json.dumps(members), encoding="utf-8")
    if with_images:
        _write_images(folder / "flickr30k-images", [item["filename"] for item in items], rng)
    if feature_files:
        _write_features(folder, captions, topics, mat_version, rng)
    return folder


def _words(rng: np.random.Generator, topics: np.ndarray, length: int) -> list[str]:
    """Draw a caption: a third stop words, the rest words of the image's topics."""
    content = [f"topic{rng.choice(topics)}word{rng.integers(WORDS_A_TOPIC)}" for _ in range(length)]
    return [f"stop{rng.integers(STOPWORDS)}" if rng.random() < 0.33 else word for word in content]


def _splits(rng: np.random.Generator, images: int) -> np.ndarray:
    split = np.full(images, "train", dtype=object)
    held_out = rng.permutation(images)[: 2 * (images // 5)]
    split[held_out[: images // 5]], split[held_out[images // 5 :]] = "test", "val"
    return split


def _items(captions: list[list[list[str]]], split: np.ndarray) -> list[dict]:
    return [
        {
            "sentids": list(range(5 * imgid, 5 * imgid + 5)),
            "imgid": imgid,
            "sentences": [
                {"tokens": tokens, "raw": " ".join(tokens).capitalize() + " .", "imgid": imgid, "sentid": 5 * imgid + k}
                for k, tokens in enumerate(of_image)
            ],
            "split": str(split[imgid]),
            "filename": f"{1_000_000_000 + 7 * imgid}.jpg",
        }
        for imgid, of_image in enumerate(captions)
    ]


def _write_images(folder: Path, filenames: list[str], rng: np.random.Generator) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "readme.txt").write_text("Images from Flickr.", encoding="utf-8")
    for filename in filenames:
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / filename)


def _write_features(
    folder: Path,
    captions: list[list[list[str]]],
    topics: np.ndarray,
    mat_version: str | None,
    rng: np.random.Generator,
) -> None:
    topic_vectors = rng.standard_normal((TOPICS, 300)) * 0.1
    vectors: dict[str, np.ndarray] = {}
    for word in sorted({word for of_image in captions for tokens in of_image for word in tokens}):
        centre = topic_vectors[int(word[5])] if word.startswith("topic") else 0.0
        vectors[word] = (centre + rng.standard_normal(300) * 0.03).astype(np.float32)
    fasttext = np.empty((len(captions), 5), dtype=object)
    for imgid, of_image in enumerate(captions):
        for k, tokens in enumerate(of_image):
            fasttext[imgid, k] = np.stack([vectors[word] for word in tokens])
    np.save(folder / "fasttext_feats.npy", fasttext, allow_pickle=True)

    if mat_version is None:
        return
    image_of_topic = rng.standard_normal((TOPICS, 4096))
    signal = image_of_topic[topics].sum(axis=1) + 0.5 * rng.standard_normal((len(captions), 4096))
    feats = np.asfortranarray(np.maximum(signal - 1.0, 0).T.astype(np.float32))
    if mat_version == "5":
        scipy.io.savemat(folder / "vgg_feats.mat", {"feats": feats}, do_compression=True)
    elif mat_version == "7.3":
        _write_mat73(folder / "vgg_feats.mat", feats)
    else:
        raise ValueError(f"mat_version is '5', '7.3' or None, not {mat_version!r}")


def _write_mat73(path: Path, feats: np.ndarray) -> None:
    """Write as MATLAB does: HDF5 behind a 512-byte text header; column-major arrays appear transposed."""
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset("feats", data=feats.T).attrs["MATLAB_class"] = np.bytes_("single")
    text = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Mon Jan 01 00:00:00 2018 HDF5 schema 1.00 ."
    with path.open("r+b") as file:
        file.write(text.ljust(124) + b"\x00\x02IM")
