"""Karpathy's json: the course folder (``dataset.json`` and three lists) and any ``dataset*.json``."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import XmrError
from .assemble import Item, from_items, with_relative_names
from .captioned import CaptionedImages
from .coco import is_coco_file
from .files import field, find_images_folder, read_json
from .layouts import Layout, register_layout
from .names import note_on_names
from .splits import Splits, settle

LISTS = ("train.json", "val.json", "test.json")


def read_karpathy(path: str | Path, name: str | None = None) -> CaptionedImages:
    """Read a json file, or a folder with ``dataset.json``, one ``dataset_*.json``, or ``train/val/test.json``.

    Image ids are ``imgid``, caption ids are ``sentid``, and tokens are taken as they are: the course's feature files
    have one row for each. Images keep the order of the file. Where ``dataset.json`` and lists are both there, the
    former is read and the lists must agree with it. COCO's ``restval`` is put into ``train``, and noted.

    Args:
        path: folder or file; images are looked for beside the json.
        name: default: the json's ``dataset``, else the name of the folder.

    Raises:
        XmrError: the json is not what it seems (file, item and key are named), an item occurs twice, or
            ``dataset.json`` and the lists disagree about an item.
    """
    path = Path(path)
    if path.is_file():
        folder, whole, lists = path.parent, path, []
    else:
        folder, whole, lists = path, _dataset_json(path), [path / n for n in LISTS if (path / n).is_file()]
    notes: list[str] = []
    items: list[Item] = []
    split_of: dict[str, str] = {}
    title = None
    if whole is not None:
        entries, title = _entries(whole)
        _read_items(whole, entries, items, split_of)
    elif lists:
        for file in lists:
            _read_items(file, _entries(file)[0], items, split_of, file.stem)
        missing = [file for file in LISTS if folder / file not in lists]
        notes += [f"{file} is missing" for file in missing]
    else:
        raise XmrError(f"{path}: neither dataset*.json nor {', '.join(LISTS)} is in it")
    known = {item.image_id: item for item in items}
    splits = settle({filename: (split,) for filename, split in split_of.items()}, "layout")
    tidy, below = with_relative_names(items)
    by_tidy_name = {short.filename: splits.of[item.filename] for item, short in zip(items, tidy, strict=True)}
    dataset = from_items(
        tidy,
        replace(splits, of=by_tidy_name),
        name=name or title or folder.resolve().name,
        layout="course" if lists else "karpathy",
        source=path,
        images_folder=find_images_folder(folder, [item.filename for item in tidy], below),
        notes=[*notes, *note_on_names(below)],
    )
    if whole is not None:
        _refuse_other_splits(whole, lists, known, splits)
    return dataset


@register_layout("course", order=10)
class Course(Layout):
    """``dataset.json``, or the course's three lists: before all others, for course features are numbered by them."""

    looked_for = f"dataset.json or {', '.join(LISTS)} (the course's folder)"

    def recognise(self, path: Path) -> bool:
        lists = [path / file for file in LISTS if (path / file).is_file()]
        # A file per split is a habit of COCO's format too.
        return (path / "dataset.json").is_file() or any(not is_coco_file(file) for file in lists)

    def read(self, path: Path, name: str | None) -> CaptionedImages:
        return read_karpathy(path, name)


@register_layout("karpathy", order=40)
class Karpathy(Layout):
    """``dataset_flickr8k.json`` and its like: beside Kaggle's files it only gives the splits, so those go first."""

    looked_for = "dataset*.json (Karpathy)"

    def recognise(self, path: Path) -> bool:
        if path.is_file():
            return path.name.lower().endswith(".json") and not is_coco_file(path)
        return any(path.glob("dataset*.json"))

    def read(self, path: Path, name: str | None) -> CaptionedImages:
        return read_karpathy(path, name)


def _dataset_json(folder: Path) -> Path | None:
    if (folder / "dataset.json").is_file():
        return folder / "dataset.json"
    found = sorted(folder.glob("dataset*.json"))
    if len(found) > 1:
        raise XmrError(f"{folder}: there are {', '.join(p.name for p in found)}; give the path of one of them")
    return found[0] if found else None


def _entries(file: Path) -> tuple[list[Any], str | None]:
    """Return the items of a json and the dataset's name if it says one."""
    content = read_json(file)
    if isinstance(content, list):
        return content, None
    if not isinstance(content, dict) or not isinstance(content.get("images"), list):
        if not isinstance(content, dict):
            what = f"is a {type(content).__name__}"
        elif "images" in content:
            what = f"has 'images', but that is a {type(content['images']).__name__}"
        else:
            what = f"has the keys {', '.join(list(content)[:8]) or '(none)'}"
        raise XmrError(f"{file}: not a Karpathy json, which is {{'images': [items]}} or a list of items; this {what}")
    title = content.get("dataset")
    return content["images"], title if isinstance(title, str) and title else None


def _read_items(
    file: Path, entries: list[Any], items: list[Item], split_of: dict[str, str], split_of_file: str | None = None
) -> None:
    """Append the items of one file, and note their splits by file name.

    Raises:
        XmrError: an entry is not an item, or it says another split than the list that it is in.
    """
    for index, entry in enumerate(entries):
        where = f"{file}: item {index}"
        item = _item(entry, where)
        split = field({"split": split_of_file} | entry if split_of_file else entry, "split", str, where)
        if split_of_file and split != split_of_file and (split, split_of_file) != ("restval", "train"):
            raise XmrError(
                f"{where} (imgid {item.image_id}, {item.filename}) says split {split!r}, not {split_of_file!r}"
            )
        items.append(item)
        split_of[item.filename] = split


def _item(entry: Any, where: str) -> Item:
    image_id, filename = _names(entry, where)
    raw, tokens, caption_ids = [], [], []
    for number, sentence in enumerate(field(entry, "sentences", list, where)):
        of = f"{where}, sentence {number}"
        words = field(sentence, "tokens", list, of)
        if set(map(type, words)) - {str}:  # quicker than a generator, and there are millions of words
            raise XmrError(f"{of}: 'tokens' holds something that is not a string")
        if field(sentence, "imgid", int, of) != image_id:
            raise XmrError(f"{of} has imgid {sentence['imgid']}, but its item ({filename}) has {image_id}")
        raw.append(field(sentence, "raw", str, of))
        tokens.append(words)
        caption_ids.append(field(sentence, "sentid", int, of))
    return Item(filename, image_id, raw, caption_ids, tokens)


def _names(entry: Any, where: str) -> tuple[int, str]:
    """Return ``imgid`` and the file name, with the subfolder that COCO's items have in ``filepath``."""
    image_id, filename = field(entry, "imgid", int, where), field(entry, "filename", str, where)
    subfolder = entry.get("filepath")
    return image_id, f"{subfolder}/{filename}" if isinstance(subfolder, str) and subfolder else filename


def _refuse_other_splits(whole: Path, lists: list[Path], known: dict[int, Item], splits: Splits) -> None:
    for file in lists:
        for index, entry in enumerate(_entries(file)[0]):
            where = f"{file}: item {index}"
            image_id, filename = _names(entry, where)
            item = known.get(image_id)
            if item is None or item.filename != filename:
                raise XmrError(f"{where} (imgid {image_id}, {filename}) is not in {whole.name}; remove the list")
            (split,) = splits.of[item.filename]
            if split != file.stem:
                raise XmrError(
                    f"{where} (imgid {image_id}, {filename}) is in {file.name}, but {whole.name} puts it into split "
                    f"{split!r}; remove the wrong one"
                )
