"""Region files as others write them, of made-up vectors: one function per layout."""

from pathlib import Path

import numpy as np

from xmr_lib.data.captioned import CaptionedImages

WIDTH, IMAGE_W, IMAGE_H = 12, 640, 480
PIXELS = {"image_w": IMAGE_W, "image_h": IMAGE_H}
SIDES = (IMAGE_W, IMAGE_H, IMAGE_W, IMAGE_H)


def regions(image: int, count: int | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return vectors, boxes in pixels and scores of an image: 2 to 5 regions, the same at every call."""
    rng = np.random.default_rng(image)
    count = count or 2 + image % 4
    corners = rng.random((2, count, 2)) * (IMAGE_W, IMAGE_H)
    boxes = np.concatenate([corners.min(0), corners.max(0)], axis=1)
    return rng.random((count, WIDTH)), boxes, rng.random(count)


def milvlg(vectors, boxes, scores) -> dict:
    info = {"objects_conf": scores, "image_id": "a"}
    return {**PIXELS, "x": vectors, "bbox": boxes, "num_bbox": len(boxes), "info": np.array(info, dtype=object)}


def openvqa(vectors, boxes, scores) -> dict:
    return {**PIXELS, "x": vectors.T, "bbox": boxes, "num_bbox": len(boxes)}


def airsplay(vectors, boxes, scores) -> dict:
    sizes = {"img_w": IMAGE_W, "img_h": IMAGE_H, "num_boxes": len(boxes)}
    return {**sizes, "features": vectors, "boxes": boxes, "objects_conf": scores, "objects_id": np.arange(len(boxes))}


def uniter(vectors, boxes, scores) -> dict:
    shares = boxes / SIDES
    sides = shares[:, 2:] - shares[:, :2]
    return {"features": vectors, "norm_bb": np.concatenate([shares, sides], axis=1), "conf": scores[:, None]}


def padded(vectors, boxes, scores) -> dict:
    whole = milvlg(vectors, boxes, scores)
    return {**whole, "x": np.pad(vectors, ((0, 3), (0, 0))), "bbox": np.pad(boxes, ((0, 3), (0, 0)))}


LAYOUTS = {one.__name__: one for one in (milvlg, openvqa, airsplay, uniter, padded)}
WITH_SCORES = ("airsplay", "uniter")


def expected(image: int, with_scores: bool = False, count: int | None = None) -> np.ndarray:
    """Return the rows that are due of ``regions(image)``."""
    vectors, boxes, scores = regions(image, count)
    shares = boxes / SIDES
    return np.concatenate([vectors, shares, (scores if with_scores else np.ones(len(boxes)))[:, None]], axis=1)


def stem(dataset: CaptionedImages, image: int) -> str:
    return Path(dataset.filenames[image]).stem


def write_npz(folder: Path, dataset: CaptionedImages, name=stem) -> Path:
    """Write one file per image; ``name`` is its file's, without ``.npz``."""
    folder.mkdir(parents=True, exist_ok=True)
    for image in range(len(dataset)):
        file = folder / f"{name(dataset, image)}.npz"
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, **milvlg(*regions(image)))
    return folder


def ims_of(images: np.ndarray) -> np.ndarray:
    """Return what ``*_ims.npy`` holds of images: three regions of each."""
    return np.stack([regions(image, 3)[0] for image in images.tolist()]).astype(np.float32)


def write_ims(folder: Path, dataset: CaptionedImages, ids=None, captions=True, each: int = 1) -> Path:
    """Write SCAN's files of all splits.

    Args:
        ids: ``(dataset, image)`` → the image's line in ``*_ids.txt``; None: no such file.
        captions: whether ``*_caps.txt`` is there: tokens, cut in another way than the captions as written.
        each: rows per image.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for split, prefix in {"train": "train", "val": "dev", "test": "test"}.items():
        images = dataset.splits[split]
        np.save(folder / f"{prefix}_ims.npy", np.repeat(ims_of(images), each, axis=0))
        if ids:
            lines = [str(ids(dataset, image)) for image in np.repeat(images, each).tolist()]
            (folder / f"{prefix}_ids.txt").write_text("\n".join(lines) + "\n")
        if captions:
            raw = [dataset.raw[caption] for image in images.tolist() for caption in dataset.captions_of(image)]
            (folder / f"{prefix}_caps.txt").write_text("".join(f"{text.upper()} .\n" for text in raw))
    return folder
