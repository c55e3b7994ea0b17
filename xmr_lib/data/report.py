"""``DataReport``: what the data check found, as facts and as lines to print."""

from dataclasses import dataclass

import numpy as np

from ..errors import printable
from .assemble import some
from .splits import OWN, OWN_NOTE


@dataclass(frozen=True)
class DataReport:
    """What ``check_dataset`` found. ``lines()`` is for people, the fields are for programs."""

    name: str
    layout: str
    source: str
    images: int
    captions: int
    split_source: str
    split_sizes: dict[str, int]
    """Images of each split; ``train``, ``val`` and ``test`` are always there."""
    usable: dict[str, int]
    """Of these, images that have what image features are made of: a file that is there and can be decoded."""
    features: str | None
    """Name of the file of image features beside the captions; where there is one, every image is usable."""
    unsplit: int
    """Images in no split."""
    overlaps: dict[tuple[str, str], tuple[str, ...]]
    """File names that two splits share, by the pair of splits; pairs that share none are not in it."""
    images_folder: str | None
    images_read: bool
    """Whether image files were decoded, not only looked for."""
    missing: tuple[str, ...]
    """File names of images that are not in the folder."""
    unreadable: dict[str, str]
    """File names of images that can't be decoded, with the reason."""
    unknown_files: int
    """Image files in the folder that the dataset does not know."""
    wordless: tuple[tuple[int, str], ...]
    """Captions without words: caption id and file name."""
    captions_per_image: dict[int, int]
    """Histogram: number of captions -> number of images."""
    words_per_caption: tuple[int, float, int]
    """Minimum, mean, maximum."""
    scripts: dict[str, int]
    """Scripts that captions are written in, most frequent first: number of captions with a letter of it."""
    shared_captions: int
    """Captions whose very words also stand under another image, anywhere in the dataset."""
    recall_ceiling: float | None
    """Highest text-to-image R@1 on the test split, in %, by ``check.recall_ceiling``; None without test captions."""
    notes: tuple[str, ...]

    @property
    def problems(self) -> int:
        """Number of findings that spoil results: overlaps, bad or no images, captions without words, empty splits."""
        empty = sum(self.split_sizes[split] == 0 for split in ("train", "val", "test"))
        overlapping = sum(map(len, self.overlaps.values()))
        return overlapping + len(self.missing) + len(self.unreadable) + len(self.wordless) + empty + self.imageless

    @property
    def imageless(self) -> bool:
        """Whether there are neither images nor features of them."""
        return self.images_folder is None and self.features is None

    @property
    def obstacles(self) -> list[str]:
        """Reasons why this project can't train on the data at all."""
        if self.imageless:
            return [f"no folder with the images was found in or below {self.source}; give it with --images FOLDER"]
        found = [
            f"{split} has no image that can be used" for split in ("train", "val", "test") if not self.usable.get(split)
        ]
        if self.usable.get("train") == 1:
            found.append("train has one image, and learning takes at least two")
        return found + (["no caption has words"] if not self.words_per_caption[2] else [])

    def lines(self) -> list[str]:
        """Return the report as lines to print; problems begin with ``!``."""
        shortest, mean, longest = self.words_per_caption
        counts = np.repeat(list(self.captions_per_image), list(self.captions_per_image.values()))
        histogram = ", ".join(f"{count}: {images}" for count, images in self.captions_per_image.items())
        sizes = ", ".join(f"{split} {size}" for split, size in self.split_sizes.items())
        lines = [
            f"{self.name}: {self.images} images, {self.captions} captions; layout {self.layout}, {self.source}",
            f"splits: {sizes}, in none {self.unsplit}; from: {self.split_source}"
            + (f" ({OWN_NOTE})" if self.split_source == OWN else ""),
            f"captions per image: min {counts.min()}, median {np.median(counts):g}, max {counts.max()} ({histogram})",
            f"words per caption: min {shortest}, mean {mean:.2f}, max {longest}",
            "scripts: " + (", ".join(f"{name} in {count} captions" for name, count in self.scripts.items()) or "none"),
            f"captions that stand under another image too, word for word: {self.shared_captions}",
        ]
        if self.recall_ceiling is not None:
            lines.append(f"text-to-image R@1 on test can't exceed {self.recall_ceiling:.2f} % by words alone")
        if self.images_folder is None:
            lines.append("no image folder: only features can be used" if self.features else f"! {self.obstacles[0]}")
        else:
            good = self.images - len(self.missing) - len(self.unreadable)
            state = "can be decoded" if self.images_read else "are there (not decoded)"
            lines.append(
                f"image files: {good} of {self.images} {state}; {self.unknown_files} unknown in {self.images_folder}"
            )
        lines += [f"note: {note}" for note in self.notes]
        for (one, other), names in self.overlaps.items():
            lines.append(f"! {len(names)} images are in both {one} and {other}: {some(names)}")
        lines += [f"! split {split} is empty" for split in ("train", "val", "test") if not self.split_sizes[split]]
        if self.missing:
            lines.append(f"! {len(self.missing)} images are missing: {some(self.missing)}")
        if self.unreadable:
            reasons = [f"{name} ({reason})" for name, reason in self.unreadable.items()]
            lines.append(f"! {len(reasons)} images can't be decoded: {some(reasons)}")
        if self.wordless:
            captions = [f"caption {number} of {name}" for number, name in self.wordless]
            lines.append(f"! {len(captions)} captions have no words: {some(captions)}")
        problems = f"{self.problems} problems" if self.problems else "no problems"
        if self.obstacles:
            problems += f"; this project can't train on these data: {'; '.join(self.obstacles)}"
        elif self.problems:
            problems += "; this project can train on the rest"
        lines.append(problems)
        return [printable(line) for line in lines]
