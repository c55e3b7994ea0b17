"""The embedded dataset on disk, in the course's own layout: json files and an image folder, no feature files."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..errors import XmrError
from ..paths import one_at_a_time
from .captions import PER_IMAGE, Caption, write_captions
from .draw import Box, draw_scene
from .facts import FactIndex
from .layout import SIDE, Stage, place
from .things import THINGS
from .world import FRESH, THEMES, Scene, sample_scene, vary

VERSION = 1
"""Goes up whenever the same seed would give other pictures or captions."""
ATTEMPTS = 1000
QUALITY = 90


def sample_theme(number: int, seed: int) -> Scene:
    """Draw a scene for others to vary. Each kind in turn is in one, so that none is rare."""
    rng = random.Random(f"theme {seed} {number}")
    wanted = sorted(THINGS)[number % len(THINGS)]
    for _ in range(ATTEMPTS):
        scene = sample_scene(rng)
        if any(group.kind == wanted for group in scene.groups) and place(scene, rng) is not None:
            break
    return scene


def sample_scenes(count: int, seed: int) -> list[tuple[Scene, Stage, int | None]]:
    """Draw scenes of which no one's facts all hold in another. Those before ``i`` settle ``i``, later ones do not.

    Each comes with its place in the picture and the number of the theme that it varies (None: it follows none).

    Raises:
        XmrError: so many different scenes cannot be found.
    """
    index, found = FactIndex(), []
    themes = [sample_theme(number, seed) for number in range(THEMES)]
    for number in range(count):
        rng = random.Random(f"scene {seed} {number}")
        for _ in range(ATTEMPTS):
            theme = None if rng.random() < FRESH else rng.choice(range(len(themes)))
            scene = sample_scene(rng) if theme is None else vary(themes[theme], rng)
            stage = place(scene, rng)
            if stage is not None and not index.confusable(scene):
                break
        else:
            raise XmrError(f"scenes: no {count} scenes can be told apart by their captions; ask for fewer pictures")
        index.add(scene)
        found.append((scene, stage, theme))
    return found


def is_whole(folder: Path, settings: dict[str, int]) -> bool:
    """Tell if the folder holds this very dataset, nothing missing."""
    try:
        if json.loads((folder / "scenes.json").read_text()) != settings:
            return False
    except (OSError, ValueError):
        return False
    files = ("dataset.json", "train.json", "val.json", "test.json", "boxes.json", "labels.json")
    images = settings["train"] + settings["val"] + settings["test"]
    return all((folder / name).is_file() for name in files) and len(list(folder.glob("images/*.jpg"))) == images


def item(imgid: int, split: str, captions: list[Caption]) -> dict[str, Any]:
    """One image's entry in the course's json files."""
    sentids = range(PER_IMAGE * imgid, PER_IMAGE * (imgid + 1))
    sentences = [
        {"tokens": list(caption.tokens), "raw": caption.raw, "imgid": imgid, "sentid": sentid}
        for sentid, caption in zip(sentids, captions, strict=True)
    ]
    filename = f"{imgid:06d}.jpg"
    return {"imgid": imgid, "sentids": list(sentids), "sentences": sentences, "split": split, "filename": filename}


def coco_boxes(items: list[dict[str, Any]], boxes: list[list[tuple[str, Box]]]) -> dict[str, Any]:
    """The boxes in COCO's detection format; category ids start at 1, as there."""
    category = {kind: number for number, kind in enumerate(sorted(THINGS), start=1)}
    annotations: list[dict[str, Any]] = []
    for entry, found in zip(items, boxes, strict=True):
        for kind, box in found:
            area = round(box[2] * box[3], 2)
            place_of = {"id": len(annotations) + 1, "image_id": entry["imgid"], "category_id": category[kind]}
            annotations.append({**place_of, "bbox": list(box), "area": area, "iscrowd": 0})
    return {
        "images": [{"id": e["imgid"], "file_name": e["filename"], "width": SIDE, "height": SIDE} for e in items],
        "categories": [{"id": number, "name": kind} for kind, number in category.items()],
        "annotations": annotations,
    }


def write_scenes(
    folder: str | Path, train: int = 800, val: int = 100, test: int = 200, seed: int = 0, progress: bool = True
) -> Path:
    """Draw the dataset ``scenes`` and write it to ``folder``; return at once if it stands there whole.

    Files: ``dataset.json``, ``train.json``, ``val.json``, ``test.json`` (Karpathy's fields), ``boxes.json`` (COCO's
    format, what can be seen of every thing), ``labels.json`` (the theme of each picture that has one; see
    ``data.labels``), ``images/000000.jpg`` … (224×224) and ``scenes.json`` (settings). The same settings give the same
    files. Written beside the folder first, so a kill never leaves half of it.

    Raises:
        XmrError: a size below 1; a folder with other files in it; more scenes than can be told apart; a full disk.
    """
    folder = Path(folder)
    sizes = {"train": train, "val": val, "test": test}
    for split, size in sizes.items():
        if size < 1:
            raise XmrError(f"scenes: {split} has {size} pictures; every split needs at least 1")
    settings = {"version": VERSION, "seed": seed, **sizes}
    if is_whole(folder, settings):
        return folder
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not (folder / "scenes.json").is_file()):
        raise XmrError(f"{folder}: holds something that is not the dataset scenes; name another folder or empty it")
    partial = folder.with_name(folder.name + ".partial")
    try:
        with one_at_a_time(folder, folder.name):
            # Another process may have drawn them while this one waited.
            if not is_whole(folder, settings):
                shutil.rmtree(partial, ignore_errors=True)
                (partial / "images").mkdir(parents=True)
                fill(partial, sizes, seed, progress)
                (partial / "scenes.json").write_text(json.dumps(settings, indent=1))
                shutil.rmtree(folder, ignore_errors=True)
                partial.rename(folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise XmrError(f"{folder}: the scenes could not be written ({error.strerror or error})") from error
    return folder


def fill(folder: Path, sizes: dict[str, int], seed: int, progress: bool) -> None:
    """Draw everything into an empty folder."""
    splits = [split for split, size in sizes.items() for _ in range(size)]
    # Scattered as in the course's data, so that whoever slices ids by split is found out here.
    random.Random(f"splits {seed}").shuffle(splits)
    scenes = sample_scenes(len(splits), seed)
    captions = write_captions([scene for scene, _, _ in scenes], seed)
    items = [item(imgid, split, own) for imgid, (split, own) in enumerate(zip(splits, captions, strict=True))]
    boxes = []
    for entry, (scene, stage, _) in zip(tqdm(items, "drawing scenes", disable=not progress), scenes, strict=True):
        picture, found = draw_scene(scene, stage, random.Random(f"picture {seed} {entry['imgid']}"))
        # 4:4:4, or small things in strong colours would bleed.
        picture.save(folder / "images" / entry["filename"], quality=QUALITY, subsampling=0)
        boxes.append(found)
    contents: dict[str, Any] = {"dataset": {"images": items, "dataset": "scenes"}, "boxes": coco_boxes(items, boxes)}
    themes = zip(items, scenes, strict=True)
    contents["labels"] = {"labels": {e["filename"]: theme for e, (_, _, theme) in themes if theme is not None}}
    contents |= {split: [entry for entry in items if entry["split"] == split] for split in sizes}
    for name, content in contents.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
