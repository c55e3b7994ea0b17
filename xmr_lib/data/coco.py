"""COCO captions: ``captions_*.json`` with ``images`` and ``annotations``, one file a split."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import XmrError
from .assemble import Item, from_items, with_relative_names
from .captioned import CaptionedImages
from .files import field, find_images_folder, read_json
from .layouts import Layout, register_layout
from .names import note_on_names
from .splits import OWN, SPLIT_NAMES, Splits, name_fraction, own_splits, settle, splits_named

_BY_SPLIT_ALONE = ("train.json", "val.json", "test.json")


def find_coco_files(folder: Path) -> list[Path]:
    """Return the caption files of a folder, else those of its ``annotations/``.

    They are ``captions_*.json``; ``*_captions.json`` and ``train.json`` and its like where COCO's format is in them.
    """
    for place in (folder, folder / "annotations"):
        named = [path for path in sorted(place.glob("*.json")) if _may_be_captions(path)]
        if found := [path for path in named if is_coco_file(path)]:
            return found
    return []


def is_coco_file(file: Path) -> bool:
    """Tell whether a json holds COCO's captions; it is only looked into where its name does not say."""
    name = file.name.lower()
    if not name.endswith(".json") or name.startswith(("captions_", "dataset")):
        return name.startswith("captions_") and name.endswith(".json")
    content = read_json(file)
    return isinstance(content, dict) and "annotations" in content


@register_layout("coco", order=60)
class Coco(Layout):
    looked_for = "captions_*.json (COCO)"

    def recognise(self, path: Path) -> bool:
        return is_coco_file(path) if path.is_file() else bool(find_coco_files(path))

    def read(self, path: Path, name: str | None) -> CaptionedImages:
        return read_coco(path, name)


def read_coco(path: str | Path, name: str | None = None) -> CaptionedImages:
    """Read one file, or a folder with one file a split.

    A file's name says its split (``train``, ``val``, ``test``; ``restval`` goes into ``train``), unless its images
    have a ``split`` of their own. COCO publishes no captions for its test images: where no file brings a test split,
    the images of val are divided into val and test by a hash of the file name. A file by itself is split 80 / 10 / 10.

    Args:
        path: the folder (that of ``annotations/`` or with the json in it), or the file itself.
        name: default: the name of the folder.

    Raises:
        XmrError: the json is not what it seems (file, place and key are named), an image or caption occurs twice, or
            the names of some files say a split and those of others none.
    """
    path = Path(path)
    files = [path] if path.is_file() else find_coco_files(path)
    if not files:
        raise XmrError(f"{path}: no captions_*.json in it or in annotations/")
    folder = files[0].parent.parent if files[0].parent.name == "annotations" else files[0].parent
    contents = {file: read_json(file) for file in files}
    found = {file: _items(file, content) for file, content in contents.items()}
    given = {file: _own_splits_of(content, file) for file, content in contents.items()}
    tidy, below = with_relative_names([item for own in found.values() for item in own])
    rest = iter(tidy)
    found = {file: [next(rest) for _ in own] for file, own in found.items()}
    base, subfolders = _image_folders(folder, {file: [item.filename for item in own] for file, own in found.items()})
    items: list[Item] = []
    split_of: dict[str, str] = {}
    written: dict[str, str] = {}
    says = _splits_of_files([file for file in files if not given[file]]) if len(files) > 1 else {}
    for file in files:
        for item in found[file]:
            filename = f"{subfolders[file]}/{item.filename}" if subfolders[file] else item.filename
            items.append(Item(filename, item.image_id, item.raw, item.caption_ids))
            written[filename] = item.filename
            if split := given[file].get(item.image_id, says.get(file)):
                split_of[filename] = split
    splits = _sort_out(items, written, split_of)
    alone = [f"{files[0].name} is the only file of captions: its images are split by a hash of the file name"]
    return from_items(
        items,
        splits,
        name=name or folder.resolve().name,
        layout="coco",
        source=path,
        images_folder=base or find_images_folder(folder, [item.filename for item in items], below),
        notes=[*(alone if not split_of and splits_named(files[0].stem) else []), *note_on_names(below)],
    )


def _may_be_captions(file: Path) -> bool:
    name = file.name.lower()
    return not name.startswith((".", "dataset")) and (
        name.startswith("captions_") or name.endswith("captions.json") or name in _BY_SPLIT_ALONE
    )


def _splits_of_files(files: Sequence[Path]) -> dict[Path, str]:
    """Return the split that each file's name says; none for all of them is as good as one for each."""
    named = {file: splits_named(file.stem) for file in files}
    clear = {file: next(iter(splits)) for file, splits in named.items() if len(splits) == 1}
    for file in files:
        if any(named.values()) and file not in clear:
            says = "several splits" if named[file] else "no split"
            raise XmrError(
                f"{file}: its name says {says}, but there is more than one file of captions; name each after its split "
                "(train, val, test, restval), or give the path of one"
            )
    return clear


def _sort_out(items: Sequence[Item], written: dict[str, str], split_of: dict[str, str]) -> Splits:
    """Return the splits that the files say; where they have no test split, val is divided; without any, our own.

    The name as written in the file is hashed: a split does not hang on which folders of images are there.
    """
    if not split_of:
        own = own_splits(list(written.values())).of
        return Splits({filename: own[name] for filename, name in written.items()}, OWN)
    captioned = {item.filename for item in items if item.raw}
    if any(split == "test" and name in captioned for name, split in split_of.items()):
        return settle({name: (split,) for name, split in split_of.items()}, "layout")
    val = [name for name, split in split_of.items() if split == "val"]
    split_of |= {name: "test" for name in val if name_fraction(written[name]) >= 0.5}
    splits = settle({name: (split,) for name, split in split_of.items()}, OWN)
    halves = "no file has a test split: the images of val were divided into val and test by a hash of the file name"
    return Splits(splits.of, splits.source, (*splits.notes, *([halves] if val else ())))


def _image_folders(folder: Path, names: dict[Path, list[str]]) -> tuple[Path | None, dict[Path, str]]:
    """Return the folder that holds ``train2017`` … (None if there is no such folder), and which is each file's.

    A file's images may lie in another's folder: those of Karpathy's test split are among COCO's ``val2014``.
    """
    own = {file: file.stem.removeprefix("captions_").removesuffix("_captions") for file in names}
    for base in (folder, folder / "images"):
        if any((base / sub).is_dir() for sub in own.values()):
            tried = sorted({sub for sub in own.values() if (base / sub).is_dir()})
            return base, {
                file: max([own[file], *tried], key=lambda sub: sum(os.path.isfile(base / sub / n) for n in some_names))
                for file, all_names in names.items()
                for some_names in [all_names[:20]]
            }
    return None, dict.fromkeys(names, "")


def _own_splits_of(content: Any, file: Path) -> dict[int, str]:
    """Return the splits that images of a file name themselves, by image id."""
    found: dict[int, str] = {}
    for index, image in enumerate(content["images"]):
        if "split" in image:
            split = field(image, "split", str, f"{file}: image {index}").lower()
            found[image["id"]] = SPLIT_NAMES.get(split, split)
    return found


def _items(file: Path, content: Any) -> list[Item]:
    images = field(content, "images", list, f"{file}: the file")
    annotations = field(content, "annotations", list, f"{file}: the file")
    filenames: dict[int, str] = {}
    captions: dict[int, list[tuple[int, str]]] = {}
    for index, image in enumerate(images):
        where = f"{file}: image {index}"
        image_id, filename = field(image, "id", int, where), field(image, "file_name", str, where)
        if image_id in filenames:
            raise XmrError(f"{where}: id {image_id} occurs twice ({filenames[image_id]} and {filename})")
        filenames[image_id], captions[image_id] = filename, []
    for index, annotation in enumerate(annotations):
        where = f"{file}: annotation {index}"
        image_id = field(annotation, "image_id", int, where)
        if image_id not in captions:
            raise XmrError(f"{where} has image_id {image_id}, which is not among the images")
        captions[image_id].append((field(annotation, "id", int, where), field(annotation, "caption", str, where)))
    return [
        Item(filenames[image_id], image_id, [text.strip() for _, text in found], [number for number, _ in found])
        for image_id, found in captions.items()
    ]
