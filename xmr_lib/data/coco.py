"""COCO captions: ``captions_*.json`` with ``images`` and ``annotations``."""

from pathlib import Path
from typing import Any

from ..errors import XmrError
from .assemble import Item, from_items
from .captioned import CaptionedImages
from .files import field, find_images_folder, read_json
from .layouts import Layout, register_layout
from .splits import Splits, name_fraction, own_splits


def find_coco_files(folder: Path) -> list[Path]:
    """Return ``captions_*.json`` of the folder or of its ``annotations/``."""
    return sorted(folder.glob("captions_*.json")) or sorted(folder.glob("annotations/captions_*.json"))


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


def read_coco(path: Path, name: str | None = None) -> CaptionedImages:
    """Read one file, or a folder with one file for training and one for validation.

    COCO publishes no captions for its test images: the validation file is divided into val and test by a hash of the
    file name. A file by itself is split 80 / 10 / 10. Either way the split is our own.

    Args:
        path: the folder (that of ``annotations/`` or with the json in it), or the file itself.
        name: default: the name of the folder.

    Raises:
        XmrError: the json is not what it seems (file, place and key are named), or an image or caption occurs twice.
    """
    files = [path] if path.is_file() else find_coco_files(path)
    if not files:
        raise XmrError(f"{path}: no captions_*.json in it or in annotations/")
    folder = files[0].parent.parent if files[0].parent.name == "annotations" else files[0].parent
    base, subfolders = _image_folders(folder, files)
    items: list[Item] = []
    of: dict[str, tuple[str, ...]] = {}
    for file in files:
        found = _items(file)
        split = next((split for split in ("train", "val") if split in file.name), None)
        own = own_splits([item.filename for item in found]).of
        for item in found:
            # The bare name is hashed: the split does not hang on which folders of images are there.
            if len(files) == 1 or split is None:
                places = own[item.filename]
            elif split == "val":
                places = ("val",) if name_fraction(item.filename) < 0.5 else ("test",)
            else:
                places = ("train",)
            filename = f"{subfolders[file]}/{item.filename}" if base else item.filename
            of[filename] = places
            items.append(Item(filename, item.image_id, item.raw, item.caption_ids))
    halves = "the validation file was divided into val and test by a hash of the file name: COCO has no test captions"
    return from_items(
        items,
        Splits(of, "own-split", (halves,) if len(files) > 1 else ()),
        name=name or folder.resolve().name,
        layout="coco",
        source=path,
        images_folder=base or find_images_folder(folder, [item.filename for item in items]),
    )


def _image_folders(folder: Path, files: list[Path]) -> tuple[Path | None, dict[Path, str]]:
    """Return the folder that holds ``train2017`` … (None if there is no such folder), and which is each file's."""
    subfolders = {file: file.stem.removeprefix("captions_") for file in files}
    for base in (folder, folder / "images"):
        if any((base / sub).is_dir() for sub in subfolders.values()):
            return base, subfolders
    return None, subfolders


def _items(file: Path) -> list[Item]:
    content: Any = read_json(file)
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
