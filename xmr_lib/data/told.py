"""What people tell of their data where the data don't say it: the folder of images, names of columns, the delimiter."""

import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import yaml

from ..errors import XmrError
from ..paths import atomic_write
from .captioned import CaptionedImages
from .files import beside, find_images_folder, read_text
from .names import note_on_links

TOLD = "xmr-data.yaml"
"""The file beside the captions that keeps it, so that every command reads the data in the same way."""


@dataclass(frozen=True)
class Told:
    """What is told of a dataset; None where nothing is."""

    images: str | Path | None = None
    """Folder that holds the images, or that has it somewhere below."""
    image_column: str | None = None
    caption_column: str | None = None
    delimiter: str | None = None
    """What separates the cells of a table; ``tab`` is a tab."""

    @property
    def of_table(self) -> bool:
        """Whether a table is told of, whatever the files look like."""
        return any((self.image_column, self.caption_column, self.delimiter))

    @property
    def columns(self) -> dict[str, str]:
        named = {"image": self.image_column, "caption": self.caption_column}
        return {kind: name for kind, name in named.items() if name}

    @property
    def separator(self) -> str | None:
        return "\t" if self.delimiter in ("tab", "\\t") else self.delimiter

    def over(self, other: "Told") -> "Told":
        """Return what is told here, else there."""
        return replace(other, **{key: value for key, value in asdict(self).items() if value is not None})


def read_told(path: Path) -> Told:
    """Return what ``xmr-data.yaml`` beside the captions tells; nothing where there is none.

    Raises:
        XmrError: the file is not YAML, or holds something else.
    """
    file = beside(path, TOLD)
    if not file.is_file():
        return Told()
    try:
        content = yaml.safe_load(read_text(file)) or {}
    except yaml.YAMLError as error:
        raise XmrError(f"{file}: not YAML ({' '.join(str(error).split())})") from None
    known = [one.name for one in fields(Told)]
    if not isinstance(content, dict) or not all(key in known and isinstance(content[key], str) for key in content):
        raise XmrError(f"{file}: may hold {', '.join(known)}, each with a text; remove what else is in it")
    images = content.pop("images", None)
    return Told(images=None if images is None else file.parent / Path(images).expanduser(), **content)


def keep_told(path: str | Path, told: Told) -> Path:
    """Write ``xmr-data.yaml`` beside the captions, over what it tells by now, and return it.

    Raises:
        XmrError: it can't be written.
    """
    file, told = beside(Path(path), TOLD), told.over(read_told(Path(path)))
    content = {key: value for key, value in asdict(told).items() if value is not None}
    if told.images is not None:
        # Relative where it can be: the folder may be moved as a whole.
        images, folder = Path(told.images).expanduser().resolve(), file.parent.resolve()
        content["images"] = os.path.relpath(images, folder) if images.is_relative_to(folder) else str(images)
    try:
        with atomic_write(file) as temporary:
            temporary.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    except OSError as error:
        raise XmrError(f"{file}: can't be written ({error.strerror or error})") from error
    return file


def with_images(dataset: CaptionedImages, images: str | Path) -> CaptionedImages:
    """Return the dataset with its images in a folder, or in one below it.

    Raises:
        XmrError: there is no such folder, or none of the images is in it.
    """
    images = Path(images).expanduser()
    if not images.is_dir():
        raise XmrError(f"{images}: no such folder; it should hold the images of {dataset.source}")
    folder = find_images_folder(images, dataset.filenames)
    if folder is None or not any(os.path.isfile(folder / name) for name in dataset.filenames):
        raise XmrError(f"{images}: holds none of the images of {dataset.source}, such as {dataset.filenames[0]}")
    notes = (*dataset.notes, *note_on_links(folder, dataset.filenames))
    return replace(dataset, images_folder=folder, notes=notes)
