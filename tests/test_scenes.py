"""The embedded dataset: determinism, layout on disk, pictures that match their boxes, captions that match scenes."""

import json
import random
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest
from PIL import Image

from xmr_lib.data.karpathy import read_karpathy
from xmr_lib.errors import XmrError
from xmr_lib.scenes import words, write, write_scenes
from xmr_lib.scenes.captions import ambiguous_captions, write_captions
from xmr_lib.scenes.draw import draw_scene
from xmr_lib.scenes.facts import FactIndex
from xmr_lib.scenes.grammar import sentence
from xmr_lib.scenes.kinds import HABITATS, PAINTS, STRONG
from xmr_lib.scenes.layout import SIDE, Placement, Stage
from xmr_lib.scenes.things import COLOURS, THINGS, sprite
from xmr_lib.scenes.world import Group, Scene

SIZES = {"train": 12, "val": 5, "test": 5}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scenes(tmp_path_factory.mktemp("drawn") / "scenes", **SIZES, progress=False)


@pytest.fixture(scope="module")
def many() -> tuple[list[Scene], list]:
    scenes = [scene for scene, _, _ in write.sample_scenes(400, seed=3)]
    return scenes, write_captions(scenes, seed=3)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def solo(kind: str, band: str = "ground", background: str = "park", count: int = 1) -> Scene:
    colour = PAINTS.get(kind, STRONG)[0]
    return Scene(background, "day", "clear", "row", (Group(kind, colour, "medium", count, band),), 0)


def test_same_seed_same_files_and_another_seed_others(folder: Path, tmp_path: Path) -> None:
    again = write_scenes(tmp_path / "again", **SIZES, progress=False)
    assert contents(again) == contents(folder)
    other = write_scenes(tmp_path / "other", train=2, val=1, test=1, seed=1, progress=False)
    assert (other / "images/000000.jpg").read_bytes() != (folder / "images/000000.jpg").read_bytes()


def test_a_picture_does_not_depend_on_how_many_follow(folder: Path, tmp_path: Path) -> None:
    short = write_scenes(tmp_path / "short", train=3, val=1, test=1, progress=False)
    for picture in short.glob("images/*.jpg"):
        assert picture.read_bytes() == (folder / "images" / picture.name).read_bytes()


def test_course_layout(folder: Path) -> None:
    whole = json.loads((folder / "dataset.json").read_text())
    assert whole["dataset"] == "scenes"
    items = whole["images"]
    assert [item["imgid"] for item in items] == list(range(22))
    sentids = [sentid for item in items for sentid in item["sentids"]]
    assert len(set(sentids)) == len(sentids) == 110
    for item in items:
        assert set(item) == {"imgid", "sentids", "sentences", "split", "filename"}
        assert [s["sentid"] for s in item["sentences"]] == item["sentids"]
        with Image.open(folder / "images" / item["filename"]) as picture:
            assert (picture.size, picture.mode) == ((224, 224), "RGB")
        for sentence_ in item["sentences"]:
            assert set(sentence_) == {"tokens", "raw", "imgid", "sentid"} and sentence_["imgid"] == item["imgid"]
            assert sentence_["raw"][0].isupper() and sentence_["raw"][-1] == "."
            assert " ".join(sentence_["tokens"]) == sentence_["raw"].lower().replace(",", "").rstrip(".")
    for split, size in SIZES.items():
        entries = json.loads((folder / f"{split}.json").read_text())
        assert entries == [item for item in items if item["split"] == split] and len(entries) == size
        ids = [entry["imgid"] for entry in entries]
        assert ids != list(range(ids[0], ids[0] + size))


def test_the_common_reader_takes_it(folder: Path) -> None:
    dataset = read_karpathy(folder)
    assert dataset.name == "scenes" and len(dataset) == 22 and dataset.caption_count == 110
    assert {name: len(images) for name, images in dataset.splits.items()} == SIZES
    assert dataset.path(0).is_file()


def test_boxes_are_in_the_picture_and_of_every_thing(folder: Path) -> None:
    boxes = json.loads((folder / "boxes.json").read_text())
    names = {category["id"]: category["name"] for category in boxes["categories"]}
    assert sorted(names.values()) == sorted(THINGS)
    for note in boxes["annotations"]:
        x, y, width, height = note["bbox"]
        assert x >= 0 and y >= 0 and x + width <= SIDE and y + height <= SIDE
        assert min(width, height) >= 8 and note["area"] == pytest.approx(width * height, abs=0.01)
    for imgid, (scene, _, _) in enumerate(write.sample_scenes(22, seed=0)):
        drawn = sorted(names[n["category_id"]] for n in boxes["annotations"] if n["image_id"] == imgid)
        assert drawn == sorted(group.kind for group in scene.groups for _ in range(group.count))


def test_a_label_is_the_theme_and_a_fresh_scene_has_none(folder: Path) -> None:
    labels = json.loads((folder / "labels.json").read_text())["labels"]
    themes = [theme for _, _, theme in write.sample_scenes(22, seed=0)]
    assert labels == {f"{imgid:06d}.jpg": theme for imgid, theme in enumerate(themes) if theme is not None}
    assert 0 < len(labels) < 22
    # A variation keeps the kinds of its theme: what makes two pictures of one label alike.
    for scene, _, theme in write.sample_scenes(22, seed=0):
        if theme is not None:
            of_theme = write.sample_theme(theme, 0)
            assert {group.kind for group in scene.groups} == {group.kind for group in of_theme.groups}


def test_every_kind_has_a_home_words_and_occurs(many: tuple[list[Scene], list]) -> None:
    assert len(THINGS) >= 24
    assert set(" ".join(HABITATS.values()).split()) == set(THINGS) == set(words.NOUNS)
    assert {colour for paints in PAINTS.values() for colour in paints} == set(COLOURS)
    scenes = many[0]
    assert {group.kind for scene in scenes for group in scene.groups} == set(THINGS)
    assert {scene.background for scene in scenes} == set(HABITATS)


@pytest.mark.parametrize("kind", sorted(THINGS))
def test_a_thing_changes_its_box_and_little_else(kind: str) -> None:
    scene = solo(kind)
    placed = Placement(scene.groups[0], 112.0, 200.0, 1.0, False)
    empty, none = draw_scene(scene, Stage(128, ()), random.Random(0))
    picture, boxes = draw_scene(scene, Stage(128, (placed,)), random.Random(0))
    assert none == [] and [name for name, _ in boxes] == [kind]
    x, y, width, height = boxes[0][1]
    assert width >= 0.8 * THINGS[kind].width and height >= 0.8 * THINGS[kind].height
    change = np.abs(np.asarray(picture, dtype=int) - np.asarray(empty, dtype=int)).max(axis=2) > 40
    inside = np.zeros_like(change)
    # Three pixels around it for the halo; the shadow on the ground reaches farther, but not far.
    inside[int(y) - 3 : int(y + height) + 4, int(x) - 3 : int(x + width) + 4] = True
    assert (change & inside).sum() > 0.15 * width * height
    assert (change & ~inside).sum() < 0.06 * (change & inside).sum()


@pytest.mark.parametrize("kind", sorted(THINGS))
def test_a_thing_shows_its_colour(kind: str) -> None:
    for colour in PAINTS.get(kind, STRONG):
        drawn = np.asarray(sprite(kind, colour, 2, random.Random(0))).reshape(-1, 4)
        opaque = drawn[drawn[:, 3] > 0, :3].astype(int)
        share = (np.abs(opaque - COLOURS[colour]).max(axis=1) < 26).mean()
        assert share > 0.03, f"{colour} {kind}: {share:.3f}"


def test_who_stands_in_front_hides_who_is_behind() -> None:
    dog, house = Group("dog", "brown", "medium", 1, "ground"), Group("house", "red", "medium", 1, "ground")
    scene = Scene("street", "day", "clear", "front", (dog, house), 0)
    far, near = Placement(house, 112.0, 190.0, 1.0, False), Placement(dog, 60.0, 200.0, 1.0, False)
    _, alone = draw_scene(scene, Stage(134, (far,)), random.Random(0))
    _, both = draw_scene(scene, Stage(134, (far, near)), random.Random(0))
    assert [kind for kind, _ in both] == ["house", "dog"]
    assert both[0][1][3] <= alone[0][1][3] and both[1][1][2] > 70


def test_captions_state_what_is_true_unless_they_slip(many: tuple[list[Scene], list]) -> None:
    slips = 0
    for scene, own in zip(*many, strict=True):
        assert len({caption.tokens for caption in own}) == 5
        for caption in own:
            slips += caption.slip is not None
            assert (caption.facts <= scene.facts()) == (caption.slip in (None, "typo")), caption
    assert 0.02 < slips / 2000 < 0.06


def test_the_text_names_the_stated_kinds_colours_and_no_others(many: tuple[list[Scene], list]) -> None:
    for scene, own in zip(*many, strict=True):
        for caption in own:
            if caption.slip == "typo":
                continue
            text = f" {' '.join(caption.tokens)} "
            for group in scene.groups:
                forms = [form for pair in words.NOUNS[group.kind] for form in pair]
                named = any(f" {form} " in text for form in forms)
                assert named == (("kind", group.kind) in caption.facts), caption
            for fact in caption.facts:
                if fact[0] == "colour":
                    ways = ("ginger", *words.COLOUR_WORDS.get(fact[2], (fact[2],)))
                    assert any(f" {way} " in text for way in ways), caption


def test_hardly_a_caption_fits_two_pictures(many: tuple[list[Scene], list]) -> None:
    assert len(ambiguous_captions(*many)) < 0.01 * 2000
    # The distance itself: of two scenes with the same facts every honest caption is ambiguous.
    twins = [solo("dog"), solo("dog")]
    assert len(ambiguous_captions(twins, write_captions(twins, seed=0))) >= 8


def test_facts_settle_which_scenes_a_caption_fits() -> None:
    index = FactIndex()
    one, two = solo("dog"), solo("dog", count=2)
    index.add(one)
    index.add(two)
    assert index.matches(frozenset({("kind", "dog")})) == 2
    assert index.matches(frozenset({("kind", "dog"), ("count", "dog", "two")})) == 1
    assert index.matches(frozenset({("kind", "cat")})) == 0
    assert index.confusable(one) and not index.confusable(solo("cat"))


def test_relations_are_seen_from_both_sides() -> None:
    groups = (Group("dog", "brown", "big", 1, "ground"), Group("car", "red", "medium", 1, "ground"))
    scene = Scene("street", "day", "clear", "row", (*groups, Group("plane", "blue", "medium", 1, "sky")), 1)
    found = scene.facts()
    assert {("relation", "left", "dog", "car"), ("relation", "right", "car", "dog")} <= found
    assert {("relation", "above", "plane", "car"), ("relation", "under", "dog", "plane")} <= found
    assert ("relation", "left", "car", "dog") not in found and ("alone",) not in found


def test_grammar_agrees_in_number() -> None:
    facts = frozenset({("kind", "man"), ("plural", "man"), ("count", "man", "two"), ("colour", "man", "orange")})
    texts = {sentence(facts, solo("man", count=2), random.Random(k)) for k in range(60)}
    assert all(" shirts" in text and " a orange" not in text for text in texts)
    assert not any("there is" in text for text in texts)


def test_whole_folder_is_left_alone_and_a_damaged_one_is_drawn_again(folder: Path, tmp_path: Path) -> None:
    target = write_scenes(tmp_path / "scenes", **SIZES, progress=False)
    times = {path: path.stat().st_mtime_ns for path in target.rglob("*")}
    assert write_scenes(target, **SIZES, progress=False) == target
    assert {path: path.stat().st_mtime_ns for path in target.rglob("*")} == times
    for missing in ("images/000003.jpg", "labels.json"):
        (target / missing).unlink()
        write_scenes(target, **SIZES, progress=False)
        assert contents(target) == contents(folder)


def test_a_kill_leaves_nothing_that_is_taken_for_whole(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = write.draw_scene, []

    def killed(*arguments: object) -> object:
        calls.append(1)
        if len(calls) > 9:
            raise KeyboardInterrupt
        return real(*arguments)

    target = tmp_path / "scenes"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(write, "draw_scene", killed)
        write_scenes(target, **SIZES, progress=False)
    assert not target.exists() and not (tmp_path / "scenes.partial" / "scenes.json").exists()
    write_scenes(target, **SIZES, progress=False)
    assert contents(target) == contents(folder) and not (tmp_path / "scenes.partial").exists()


def test_full_disk_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write, "fill", full)
    with pytest.raises(XmrError, match="No space left"):
        write_scenes(tmp_path / "scenes", **SIZES, progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["scenes.lock"]


def test_who_comes_second_waits_for_the_first(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, real, drawing, go_on = tmp_path / "scenes", write.fill, Event(), Event()
    fills = []

    def slow(*arguments: object) -> None:
        fills.append(1)
        drawing.set()
        go_on.wait(60)
        real(*arguments)

    monkeypatch.setattr(write, "fill", slow)
    both = [Thread(target=write_scenes, args=(target,), kwargs={**SIZES, "progress": False}) for _ in range(2)]
    both[0].start()
    assert drawing.wait(60)
    both[1].start()
    both[1].join(0.3)
    assert both[1].is_alive() and not target.exists()
    go_on.set()
    for one in both:
        one.join()
    assert len(fills) == 1 and contents(target) == contents(folder)


@pytest.mark.parametrize("sizes", [{"train": 0}, {"val": -1}, {"test": 0}])
def test_sizes_below_one_are_refused(tmp_path: Path, sizes: dict[str, int]) -> None:
    with pytest.raises(XmrError, match="at least 1"):
        write_scenes(tmp_path / "scenes", **{**SIZES, **sizes}, progress=False)


def test_other_peoples_folders_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(XmrError, match="not the dataset scenes"):
        write_scenes(tmp_path, **SIZES, progress=False)
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_too_many_scenes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "sample_scene", lambda rng: solo("dog"))
    monkeypatch.setattr(write, "vary", lambda scene, rng: scene)
    monkeypatch.setattr(write, "ATTEMPTS", 3)
    with pytest.raises(XmrError, match="fewer pictures"):
        write.sample_scenes(2, seed=0)
