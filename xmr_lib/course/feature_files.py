"""Import of the course's feature files into stores: once; afterwards they are memory-mapped and looked up by id."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..checksums import of_file
from ..data.captioned import CaptionedImages
from ..data.files import read_json
from ..errors import XmrError
from ..features.store import FeatureStore
from ..features.store_writer import AlreadyThere, NotFinite, StoreWriter
from .lines import named, sized
from .matfile import mat_columns, mat_shape
from .object_array import object_array_shape, read_cells, read_object_array
from .safe_pickle import PickledArray

VGG_KEY, VGG_DIM, FASTTEXT_DIM = "feats", 4096, 300
BLOCK = 2048
"""Images or captions that are copied at a time: some 30 MB."""
MEGABYTE = 1 << 20


def import_vgg(mat_file: str | Path, dataset: CaptionedImages, folder: str | Path) -> FeatureStore:
    """Import ``vgg_feats.mat`` (v5 or v7.3): key ``feats``, floats (4096, images), column = ``imgid``.

    Args:
        dataset: decides how many columns are due: where it was read from a ``dataset.json``, as many as that has
            images.
        folder: the store; if it is whole and of the same file and dataset, it is only opened.

    Returns:
        A store of (images, 4096) float32; ids are the ``imgid``.

    Raises:
        XmrError: the file is missing or damaged, has another shape or values that are not finite, or the store in
            ``folder`` was made by something else.
    """
    mat_file = Path(mat_file)
    folder = Path(folder)
    meta = _meta("vgg16-course", mat_file, dataset)
    if folder.exists():
        return FeatureStore.open(folder, meta)
    shape = mat_shape(mat_file, VGG_KEY)
    where, images, fits = _images_due(dataset)
    if len(shape) != 2 or shape[0] != VGG_DIM or not fits(shape[1]):
        hint = "; it is transposed: save its transpose" if shape == (images, VGG_DIM) and images != VGG_DIM else ""
        raise XmrError(f"{mat_file} has shape {sized(shape)}, but {where} ({VGG_DIM}, {images} expected){hint}")
    own = StoreWriter(folder, meta, (VGG_DIM,))
    with suppress(AlreadyThere), own as writer, tqdm(total=shape[1], desc=mat_file.name) as bar:
        first = writer.done
        bar.update(first)
        for rows in mat_columns(mat_file, VGG_KEY, first, BLOCK):
            ids = np.arange(first, first + len(rows))
            try:
                writer.append(ids, rows)
            except NotFinite as error:
                bad = ids[error.item]
                line = f"{mat_file}: column {bad} holds values that are not finite; copy the file again"
                raise XmrError(line) from None
            writer.commit()
            first += len(rows)
            bar.update(len(rows))
        writer.finish(_source(mat_file))
    return FeatureStore.open(folder, meta)


def import_fasttext(npy_file: str | Path, dataset: CaptionedImages, folder: str | Path) -> FeatureStore:
    """Import ``fasttext_feats.npy``: a pickled object array (images, captions), cells float32 (words, 300).

    Cell (``imgid``, k) belongs to the k-th caption of that image; cells behind an image's last caption must be None or
    empty. The pickle is read without running anything that it asks for. Cells of float64 are rounded to float32.

    Args:
        dataset: its captions are imported, and the rows of each cell are held against the caption's words.
        folder: the store; if it is whole and of the same file and dataset, it is only opened.

    Returns:
        A ragged store of (words, 300) float32 for each caption; ids are the ``sentid``.

    Raises:
        XmrError: the file is missing, damaged or hostile, does not fit the dataset, or the store in ``folder`` was
            made by something else.
    """
    npy_file = Path(npy_file)
    folder = Path(folder)
    meta = _meta("fasttext-course", npy_file, dataset)
    if folder.exists():
        return FeatureStore.open(folder, meta)
    shape = object_array_shape(npy_file)
    where, images, fits = _images_due(dataset)
    captions = int(np.diff(dataset.caption_offsets).max(initial=0))
    if len(shape) != 2 or shape[1] < captions or not fits(shape[0]):
        due = f"{where} of up to {captions} captions ({images}, {captions} expected)"
        raise XmrError(f"{npy_file} has shape {sized(shape)}, but {due}")
    cells = _cells_of_captions(npy_file, dataset)
    lengths = np.array([len(words) for words in dataset.tokens], dtype=np.int64)
    with suppress(AlreadyThere), StoreWriter(folder, meta, (FASTTEXT_DIM,), ragged=True) as writer:
        for start in tqdm(range(writer.done, len(cells), BLOCK), desc=f"{npy_file.name} → store"):
            block = slice(start, start + BLOCK)
            empty = np.empty((0, FASTTEXT_DIM), dtype=np.float32)
            rows = [empty if values is None else values for values in read_cells(npy_file, cells[block])]
            try:
                writer.append(dataset.caption_ids[block], np.concatenate(rows), lengths[block])
            except NotFinite as error:
                caption = _caption(npy_file, dataset, start + error.item)
                raise XmrError(f"{caption} holds values that are not finite") from None
            writer.commit()
        writer.finish(_source(npy_file))
    return FeatureStore.open(folder, meta)


def _cells_of_captions(npy_file: Path, dataset: CaptionedImages) -> list[PickledArray | None]:
    """Return the cell of each caption, in the dataset's order (None: no words), all of them checked."""
    array = read_object_array(npy_file)
    columns, found = array.shape[1], []
    for image, imgid in enumerate(dataset.image_ids.tolist()):
        cells = array.cells[imgid * columns : (imgid + 1) * columns]
        captions = dataset.captions_of(image)
        for caption, cell in zip(captions, cells, strict=False):
            rows, words = _rows(cell), len(dataset.tokens[caption])
            if rows != words:
                raise XmrError(
                    f"{_caption(npy_file, dataset, caption)} has {words} words, but its cell has {rows} rows; "
                    "the file belongs to other captions or to other tokens"
                )
            if rows and cell.shape != (words, FASTTEXT_DIM):
                raise XmrError(
                    f"{_caption(npy_file, dataset, caption)} has a cell of shape {sized(cell.shape)}; "
                    f"{(words, FASTTEXT_DIM)} expected"
                )
            found.append(cell if rows else None)
        for k, cell in enumerate(cells[len(captions) :], start=len(captions)):
            if _rows(cell):
                raise XmrError(
                    f"{npy_file}: {named(dataset.filenames[image])} (imgid {imgid}) has {len(captions)} captions, "
                    f"but cell ({imgid}, {k}) is not empty"
                )
    return found


def _rows(cell: PickledArray | None) -> int:
    return 0 if cell is None or 0 in cell.shape else (cell.shape or (1,))[0]


def _caption(npy_file: Path, dataset: CaptionedImages, caption: int) -> str:
    image = named(dataset.filenames[dataset.image_of_caption[caption]])
    return f"{npy_file}: caption {dataset.caption_ids[caption]} of {image}"


def _images_due(dataset: CaptionedImages) -> tuple[str, int, Callable[[int], bool]]:
    """Return in words how many images the dataset has, the number, and whether a feature file of some images fits.

    A ``dataset.json`` tells the number exactly, also where ``dataset`` is a part of it; otherwise the file must
    reach at least to the last ``imgid``.
    """
    last, first = int(dataset.image_ids.max(initial=-1)), int(dataset.image_ids.min(initial=0))
    if first < 0:
        raise XmrError(f"{dataset.source}: imgid {first} can't be the place of an image in a feature file")
    source = dataset.source or Path(dataset.name)
    json_file = source / "dataset.json" if source.is_dir() else source
    if json_file.suffix == ".json" and json_file.is_file():
        content = read_json(json_file)
        # The course's train.json and the like are bare lists, one split each: they don't tell the number.
        if isinstance(content, dict):
            images = len(content["images"])
            if last >= images:
                raise XmrError(f"{json_file}: imgid {last} is none of its {images} images; no feature file can fit")
            return f"{json_file} has {images} images", images, lambda found: found == images
    return f"{source} has imgids up to {last}", last + 1, lambda found: found > last


def _source(file: Path) -> dict:
    """Say what was read, so that 'xmr cache verify --sources' can tell whether it has changed since."""
    return {"file": str(file.resolve()), "crc32": of_file(file)}


def _meta(extractor: str, file: Path, dataset: CaptionedImages) -> dict:
    """Say what makes the store. The file is told by its size and a hash of its ends: reading it all takes seconds."""
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            digest = hashlib.sha256(opened.read(MEGABYTE))
            opened.seek(max(0, size - MEGABYTE))
            digest.update(opened.read(MEGABYTE))
    except OSError as error:
        raise XmrError(f"{file}: can't be read ({error.strerror}); it is one of the course's feature files") from None
    ends = digest.hexdigest()[:16]
    return {"extractor": extractor, "source_bytes": size, "source_ends": ends, "dataset": dataset.fingerprint}
