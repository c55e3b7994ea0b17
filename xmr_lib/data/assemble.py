"""From what a reader found to ``CaptionedImages``: unescape, tokenise, number, sort out splits."""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import XmrError
from .captioned import CaptionedImages
from .files import find_images_folder, slug
from .find_splits import find_splits
from .names import leaves_folder, note_on_links, note_on_names, relative_names
from .splits import Splits
from .words import note_on_scripts, tokenise

_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Item:
    """One image with its captions, as a reader hands it on."""

    filename: str
    image_id: int
    raw: Sequence[str]
    caption_ids: Sequence[int]
    tokens: Sequence[Sequence[str]] | None = None
    """Words of each caption where the layout brings them; otherwise they are made from ``raw``."""


def from_rows(
    rows: Iterable[tuple[str, str]],
    splits: Splits,
    *,
    name: str,
    layout: str,
    source: Path,
    images_folder: Path | None,
    notes: Sequence[str] = (),
) -> CaptionedImages:
    """Build a dataset from (file name, caption) rows; captions of one image need not stand together.

    Images are put in the order of their names and numbered so; captions are numbered by their place after that.

    Raises:
        XmrError: there is no row.
    """
    captions: dict[str, list[str]] = {}
    for filename, raw in rows:
        captions.setdefault(filename, []).append(raw.strip())
    items, number = [], 0
    for image_id, filename in enumerate(sorted(captions)):
        raw = captions[filename]
        caption_ids = range(number, number := number + len(raw))
        items.append(Item(filename, image_id, raw, caption_ids))
    return from_items(items, splits, name=name, layout=layout, source=source, images_folder=images_folder, notes=notes)


def from_found(
    rows: Sequence[tuple[str, str]],
    folders: Sequence[Path],
    *,
    name: str,
    layout: str,
    source: Path,
    notes: Sequence[str] = (),
    splits: Splits | None = None,
) -> CaptionedImages:
    """Build a dataset from (file name, caption) rows, with the images and the splits that lie beside them.

    Args:
        rows: file names as the data write them.
        folders: what is looked through for lists of splits; images are looked for in the first.
        splits: by file name, where the data bring them.

    Raises:
        XmrError: there is no row, or lists of splits don't fit.
    """
    tidy, below = relative_names(filename for filename, _ in rows)
    filenames = sorted(set(tidy.values()))
    if splits is not None:
        splits = replace(splits, of={tidy[filename]: places for filename, places in splits.of.items()})
    return from_rows(
        [(tidy[filename], caption) for filename, caption in rows],
        splits or find_splits(folders, filenames),
        name=name,
        layout=layout,
        source=source,
        images_folder=find_images_folder(folders[0], filenames, below),
        notes=[*notes, *note_on_names(below)],
    )


def with_relative_names(items: Sequence[Item]) -> tuple[list[Item], Path | None]:
    """Return the items with names relative to the folder of images, and the folder that absolute ones are below."""
    tidy, below = relative_names(item.filename for item in items)
    return [replace(item, filename=tidy[item.filename]) for item in items], below


def from_items(
    items: Sequence[Item],
    splits: Splits,
    *,
    name: str,
    layout: str,
    source: Path,
    images_folder: Path | None,
    notes: Sequence[str] = (),
) -> CaptionedImages:
    """Build a dataset from items, in their order; images without captions are left out and noted.

    Raises:
        XmrError: an image id, a file name or a caption id occurs twice, or no image has a caption.
    """
    _refuse_twice(source, "image id", ((item.image_id, item.filename) for item in items))
    _refuse_twice(source, "file name", ((item.filename, f"image id {item.image_id}") for item in items))
    _refuse_twice(source, "caption id", ((number, item.filename) for item in items for number in item.caption_ids))
    for item in items:
        if leaves_folder(item.filename):
            where = f"{source}: the file name {item.filename!r}"
            raise XmrError(f"{where} leads out of the folder of images; name it as it is in there")
    captioned = [item for item in items if item.raw]
    if not captioned:
        raise XmrError(f"{source}: there is no image with a caption in it")
    notes = [*notes, *splits.notes, *note_on_links(images_folder, [item.filename for item in captioned])]
    if bare := [item.filename for item in items if not item.raw]:
        notes.append(f"{len(bare)} images without captions were left out: {some(bare)}")
    members: dict[str, list[int]] = {split: [] for split in ("train", "val", "test")}
    for position, item in enumerate(captioned):
        for split in splits.of.get(item.filename, ()):
            members.setdefault(split, []).append(position)
    if halves := sum(bool(_HALF.search(text)) for item in captioned for text in item.raw):
        notes.append(f"{halves} captions hold half a character (a lone surrogate); it is read as \ufffd")
    raw = tuple(tuple(html.unescape(_whole(text)) for text in item.raw) for item in captioned)
    notes += note_on_scripts(
        [text for item, texts in zip(captioned, raw, strict=True) if item.tokens is None for text in texts]
    )
    return CaptionedImages(
        name=slug(name),
        image_ids=np.array([item.image_id for item in captioned], dtype=np.int64),
        filenames=tuple(item.filename for item in captioned),
        raw=tuple(text for of_image in raw for text in of_image),
        tokens=tuple(
            tuple(map(_whole, words)) if item.tokens is not None else tuple(words)
            for item, of_image in zip(captioned, raw, strict=True)
            for words in (map(tokenise, of_image) if item.tokens is None else item.tokens)
        ),
        caption_ids=np.array([number for item in captioned for number in item.caption_ids], dtype=np.int64),
        image_of_caption=np.repeat(np.arange(len(captioned)), [len(item.raw) for item in captioned]),
        splits={split: np.array(positions, dtype=np.int64) for split, positions in members.items()},
        split_source=splits.source,
        layout=layout,
        images_folder=images_folder,
        source=source,
        notes=tuple(notes),
    )


def _whole(text: str) -> str:
    """Return a text without halves of characters, which no file and no tokenizer takes."""
    return _HALF.sub("\ufffd", text)


def some(names: Sequence[object], most: int = 10) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    # A file name may hold bytes that are no text, which a terminal would refuse.
    shown = (str(name).encode("utf-8", "backslashreplace").decode() for name in names[:most])
    return ", ".join(shown) + more


def _refuse_twice(source: Path, what: str, named: Iterable[tuple[object, str]]) -> None:
    seen: dict[object, str] = {}
    for key, of in named:
        if key in seen:
            raise XmrError(f"{source}: {what} {key} occurs twice ({seen[key]} and {of}); each must be unique")
        seen[key] = of
