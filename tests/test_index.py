"""An index of pictures and sentences: kept up to date, whole after any kill, of one model alone."""

import multiprocessing
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_index import slow_update, with_bank

from xmr_lib import RetrievalModel
from xmr_lib.data import read_dataset
from xmr_lib.errors import XmrError
from xmr_lib.experiment import run
from xmr_lib.experiment.run import model_folder
from xmr_lib.index import Dataset, Index, Pictures, Sentences, update
from xmr_lib.index.gallery import page_of
from xmr_lib.model.card import card
from xmr_lib.model.folder import identity
from xmr_lib.study import get_configs


@pytest.fixture(scope="module")
def models(smoke_workspace):
    """Folders of two small models: cosine, and Euclidean distance."""
    configs = get_configs(smoke_workspace, "ab-infonce-meanmax", "a-recipe")
    for config in configs:
        run(smoke_workspace, config)
    return [model_folder(smoke_workspace, config, 0) for config in configs]


@pytest.fixture(scope="module")
def drawn(smoke_workspace):
    dataset = smoke_workspace.dataset
    return [dataset.path(image) for image in range(40)]


@pytest.fixture
def photos(tmp_path, drawn):
    """Twelve pictures in nested folders, of several kinds and sizes, one turned by its EXIF; no captions."""
    folder = tmp_path / "photos"
    for place, path in enumerate(drawn[:12]):
        picture = Image.open(path).convert("RGB").resize((150 + 20 * place, 120 + 7 * place))
        to = folder / ("a b/é" if place % 2 else "") / f"{place:02}{('.jpg', '.png', '.webp', '.JPG')[place % 4]}"
        to.parent.mkdir(parents=True, exist_ok=True)
        exif = Image.Exif()
        if place == 0:
            exif[0x0112], picture = 6, picture.transpose(Image.Transpose.ROTATE_90)
        picture.save(to, exif=exif)
    return folder


@pytest.fixture
def index(tmp_path, models):
    made = Index.create(tmp_path / "index", models[0])
    yield made
    made.close()


def names(index, kind="image"):
    return sorted(item.name for item in index.catalogue.items(index.catalogue.ids(kind)).values())


def assert_whole(index, photos):
    """All pictures are there once, each with the vector that the model gives it."""
    files = sorted(path for path in photos.rglob("*") if path.suffix.lower() in (".jpg", ".png", ".webp"))
    assert names(index) == sorted(path.relative_to(photos).as_posix() for path in files)
    ids = index.catalogue.ids("image")
    assert index.shelves["image"].exact.ids().tolist() == ids == index.shelves["image"].engine.ids().tolist()
    items = index.catalogue.items(ids)
    embeddings = index.model.encode_images([items[own].path for own in ids])
    shelf = index.shelves["image"]
    excess = index.model.bank.excess(embeddings, "t2i") if shelf.normalises else None
    vectors = shelf.products.items(embeddings, excess)
    np.testing.assert_allclose(shelf.exact.take(np.array(ids)), vectors, atol=1e-4)


def test_pictures_are_found_by_a_sentence_and_by_a_picture(index, photos):
    report = update(index, [Pictures(photos)], progress=False)
    assert (report.added, report.unchanged, report.broken) == (12, 0, {})
    assert_whole(index, photos)
    sentence = "a dog on a beach"
    gallery = [photos / name for name in names(index)]
    embeddings = index.model.encode_images(gallery)
    scores = index.model.similarity(embeddings, index.model.encode_texts([sentence]))[:, 0]
    hits = index.search(sentence, top=5, bank=False)
    assert [hit.path for hit in hits] == [gallery[place] for place in np.argsort(-scores)[:5]]
    assert [hit.score for hit in hits] == pytest.approx(sorted(scores, reverse=True)[:5], abs=1e-5)
    assert [hit.rank for hit in hits] == [1, 2, 3, 4, 5]
    for path in gallery:
        [first] = index.search(path, top=1)
        assert (first.path, first.score) == (path, pytest.approx(1, abs=1e-5))
    assert len(index.search(sentence, top=99)) == 12


def test_distances_are_searched_as_well(tmp_path, models, photos):
    index = Index.create(tmp_path / "euclidean", models[1])
    update(index, [Pictures(photos)], progress=False)
    model, gallery = index.model, [photos / name for name in names(index)]
    embeddings, asked = model.encode_images(gallery), model.encode_texts(["two children"])
    scores = model.similarity(embeddings, asked)[:, 0]
    hits = index.search("two children", top=12, bank=False)
    assert [hit.path for hit in hits] == [gallery[place] for place in np.argsort(-scores)]
    assert [hit.score for hit in hits] == pytest.approx(np.sort(scores)[::-1], abs=1e-3)


def test_a_models_bank_orders_the_index_as_it_orders_the_model(tmp_path, models, photos):
    index = Index.create(tmp_path / "normalised", with_bank(models[0], tmp_path / "with a bank"))
    update(index, [Pictures(photos)], progress=False)
    gallery = [photos / name for name in names(index)]
    embeddings = index.model.encode_images(gallery)
    assert index.facts["bank"]
    value = index.model.facts["query_bank"]["val_rsum"]
    assert f"rSum {value['without']:.1f} without, {value['with']:.1f} with it" in card(index.model)
    differ = 0
    for sentence in ("a dog on a beach", "two children play", "a red car", "snow", "a boat on the sea at night"):
        places, scores = index.model.search([sentence], embeddings, 12, normalise="t2i")
        hits = index.search(sentence, top=12)
        assert [hit.path for hit in hits] == [gallery[place] for place in places[0]]
        assert [hit.score for hit in hits] == pytest.approx(scores[0], abs=1e-5)
        plain = index.search(sentence, top=12, bank=False)
        differ += [hit.path for hit in hits] != [hit.path for hit in plain]
        assert sorted(hit.score for hit in hits) == pytest.approx(sorted(hit.score for hit in plain), abs=1e-5)
    assert differ
    # A picture that asks for pictures has no bank.
    assert not index.normalises(gallery[0], "image")


def test_what_is_new_changed_moved_or_gone_is_brought_up_and_the_rest_is_not_read_again(index, photos, monkeypatch):
    update(index, [Pictures(photos)], progress=False)
    before = {item.name: item.id for item in index.catalogue.items(index.catalogue.ids("image")).values()}
    first, second, third, fourth = (photos / name for name in names(index)[:4])
    shutil.copyfile(second, first)  # another picture under the name
    second.unlink()
    third.rename(photos / "moved.png")
    os.utime(fourth)  # the same bytes at another time
    Image.new("RGB", (50, 40), "red").save(photos / "new.png")
    read = []
    monkeypatch.setattr("xmr_lib.index.refresh.read_picture", lambda path: read.append(Path(path).name) or _read(path))
    report = update(index, progress=False)
    assert (report.added, report.changed, report.removed, report.unchanged) == (2, 1, 2, 9)
    assert sorted(read) == sorted([first.name, "moved.png", fourth.name, "new.png"])
    assert_whole(index, photos)
    after = {item.name: item.id for item in index.catalogue.items(index.catalogue.ids("image")).values()}
    assert after[fourth.relative_to(photos).as_posix()] == before[fourth.relative_to(photos).as_posix()]
    assert not set(before.values()) & {
        after["new.png"],
        after["moved.png"],
        after[first.relative_to(photos).as_posix()],
    }
    report = update(index, progress=False)
    assert (report.added, report.changed, report.removed, report.unchanged) == (0, 0, 0, 12)


def _read(path):
    from xmr_lib.data.pictures import read_picture

    return read_picture(path)


def test_broken_files_are_named_left_out_and_tried_again_once_they_are_mended(index, photos):
    good = (photos / "00.jpg").read_bytes()
    (photos / "00.jpg").write_bytes(good[:300])
    (photos / "text.jpg").write_text("no picture")
    (photos / "notes.txt").write_text("hello")
    (photos / "phone.heic").write_bytes(b"x")
    report = update(index, [Pictures(photos)], progress=False)
    assert report.added == 11 and set(report.broken) == {"00.jpg", "text.jpg"}
    [files] = report.notes
    assert "2 files that are no pictures were left alone" in files and ".heic" in files
    told = "\n".join(report.lines())
    assert "2 can't be read and are left out" in told and "text.jpg" in told
    assert set(update(index, progress=False).broken) == {"00.jpg", "text.jpg"}
    (photos / "00.jpg").write_bytes(good)
    (photos / "text.jpg").unlink()
    report = update(index, progress=False)
    assert (report.added, report.broken) == (1, {})
    # A picture that breaks leaves the index.
    (photos / "00.jpg").write_bytes(good[:300])
    assert set(update(index, progress=False).broken) == {"00.jpg"}
    assert "00.jpg" not in names(index) and len(index.shelves["image"]) == 11


def test_a_folder_that_is_not_there_takes_nothing_out(index, photos):
    update(index, [Pictures(photos)], progress=False)
    photos.rename(photos.with_name("elsewhere"))
    with pytest.raises(XmrError, match="no such folder of pictures; its pictures stay"):
        update(index, progress=False)
    assert index.counts == {"image": 12, "text": 0}
    photos.with_name("elsewhere").rename(photos)
    assert update(index, progress=False).unchanged == 12


def test_an_index_within_its_own_folder_of_pictures_does_not_find_itself(models, photos):
    index = Index.create(photos / "index", models[0])
    update(index, [Pictures(photos)], progress=False)
    for own in index.catalogue.ids("image"):
        assert len(index.thumbnail(own)) > 100
    assert update(index, progress=False).unchanged == 12


def test_sentences_of_text_and_csv(index, tmp_path):
    (tmp_path / "lines.txt").write_text("a dog runs\n\n  a cat sleeps \na dog runs\n", "utf-8")
    (tmp_path / "table.csv").write_text('id,text\n1,"a boat, red"\n2,"two\nchildren"\n3,\n', "utf-8")
    sources = [Sentences(tmp_path / "lines.txt"), Sentences(tmp_path / "table.csv", column="Text")]
    report = update(index, sources, progress=False)
    assert report.added == 4 and report.notes == ["1 sentences that were there before were left out"]
    hits = index.search("a dog runs", "text", top=4)
    assert (hits[0].text, hits[0].score) == ("a dog runs", pytest.approx(1, abs=1e-5))
    assert {hit.text for hit in hits} == {"a dog runs", "a cat sleeps", "a boat, red", "two children"}
    ids = index.catalogue.ids("text")
    # A line more at the beginning moves all others: they are what they were.
    (tmp_path / "lines.txt").write_text("new\na dog runs\na cat sleeps\n", "utf-8")
    report = update(index, progress=False)
    assert (report.added, report.removed, report.unchanged) == (1, 0, 4)
    assert set(ids) < set(index.catalogue.ids("text"))
    assert index.search("a dog runs", "text", top=1)[0].name == "lines.txt:2"
    with pytest.raises(XmrError, match="which column holds the sentences"):
        Sentences(tmp_path / "table.csv").look()
    with pytest.raises(XmrError, match=r"there is no column 'caption'.*id, text"):
        Sentences(tmp_path / "table.csv", column="caption").look()


def test_a_dataset_brings_pictures_and_captions(index, smoke_workspace):
    source = Dataset(smoke_workspace.dataset.source, split="test")
    update(index, [source], progress=False)
    test = read_dataset(smoke_workspace.dataset.source).split("test")
    assert index.counts == {"image": len(test), "text": test.caption_count}
    [hit] = index.search(test.raw[0], "text", top=1)
    assert hit.text == test.raw[0]


def test_an_index_of_another_model_is_refused_by_name(index, models, tmp_path):
    index.check_model(models[0])
    with pytest.raises(XmrError, match=r"made with the model 'ab-infonce-meanmax', .*another one \('a-recipe'\)"):
        index.check_model(models[1])
    # With its networks copied in it is the same model.
    RetrievalModel.load(models[0]).save(tmp_path / "copy", with_networks=True)
    assert identity(tmp_path / "copy") == identity(models[0]) != identity(models[1])
    with pytest.raises(XmrError, match="it is there already"):
        Index.create(index.folder, models[1])


def test_an_index_needs_nothing_but_its_folder(index, photos, tmp_path):
    update(index, [Pictures(photos)], progress=False)
    before = index.search("a dog", top=3)
    index.close()
    shutil.move(index.folder, tmp_path / "moved")
    there = Index.open(tmp_path / "moved")
    assert there.search("a dog", top=3) == before
    assert there.facts["counts"] == {"image": 12, "text": 0}


@pytest.mark.parametrize(("engine", "package"), [("faiss", "faiss"), ("milvus", "milvus_lite")])
def test_an_engine_finds_what_the_exact_vectors_do_and_follows_them(tmp_path, models, photos, engine, package):
    pytest.importorskip(package)
    index = Index.create(tmp_path / engine, models[0], engine=engine)
    update(index, [Pictures(photos)], progress=False)
    assert index.facts["engines"]["image"] == engine

    def by_hand(found):
        shelf = found.shelves["image"]
        ids, _ = shelf.exact.search(shelf.products.queries(found.embed("a dog")[None]), 12)
        return [own for own in ids[0].tolist() if own >= 0]

    assert [hit.id for hit in index.search("a dog", top=12, bank=False)] == by_hand(index)
    (photos / "00.jpg").unlink()
    Image.new("RGB", (50, 40), "red").save(photos / "new.png")
    update(index, progress=False)
    assert [hit.id for hit in index.search("a dog", top=12, bank=False)] == by_hand(index) and len(by_hand(index)) == 12
    index.close()
    # Its own files can be made again from the exact vectors; until then nothing is silently missing.
    shutil.rmtree(tmp_path / engine / "images" / engine)
    again = Index.open(tmp_path / engine)
    with pytest.raises(XmrError, match="has 0 of 12 vectors; bring it up: xmr index --out"):
        again.search("a dog")
    update(again, progress=False)
    assert [hit.id for hit in again.search("a dog", top=12, bank=False)] == by_hand(again)
    again.close()


def test_an_open_index_tells_when_it_was_updated(index, photos):
    update(index, [Pictures(photos)], progress=False)
    reader = Index.open(index.folder)
    assert not reader.stale and len(reader.search("a dog", top=99)) == 12
    model = reader.model
    Image.new("RGB", (50, 40), "red").save(photos / "new.png")
    update(index, progress=False)
    assert reader.stale
    again = reader.reopened()
    assert not again.stale and again.model is model and len(again.search("a dog", top=99)) == 13


def test_a_place_that_is_no_index_is_one_line(tmp_path, index):
    with pytest.raises(XmrError, match="no index here; make one: xmr index"):
        Index.open(tmp_path)
    (index.folder / "index.json").write_text("{}")
    with pytest.raises(XmrError, match="the index is damaged"):
        Index.open(index.folder)


def test_a_page_shows_what_was_found_and_runs_nothing(index, tmp_path, photos):
    (tmp_path / "lines.txt").write_text("<script>alert(1)</script> & more\n", "utf-8")
    update(index, [Pictures(photos), Sentences(tmp_path / "lines.txt")], progress=False)
    query = "<b>dogs</b>"
    page = page_of(index, query, {kind: index.search(query, kind, 3) for kind in ("image", "text")})
    assert "<script" not in page and "&lt;script&gt;" in page and "<b>" not in page
    assert page.count("data:image/jpeg;base64,") == 3 and "http" not in page
    page = page_of(index, photos / "00.jpg", {"image": index.search(photos / "00.jpg", "image", 2)})
    assert page.count("data:image/jpeg;base64,") == 3


def test_thumbnails_are_upright_small_and_kept(index, photos):
    update(index, [Pictures(photos)], progress=False)
    items = {hit.name: hit for hit in index.search(photos / "00.jpg", top=12)}
    turned = items["00.jpg"].id
    made = index.thumbnail(turned, 64)
    with Image.open(photos / "00.jpg") as stored:
        assert stored.size[0] < stored.size[1]  # as it lies in the file
    kept = list((index.folder / "thumbnails").rglob("*.jpg"))
    assert len(kept) == 1 and kept[0].read_bytes() == made == index.thumbnail(turned, 64)
    with Image.open(kept[0]) as picture:
        assert max(picture.size) == 64 and picture.size[0] > picture.size[1]
    with pytest.raises(XmrError, match="there is nothing under the number 99999"):
        index.thumbnail(99_999)


def test_ten_kills_lose_nothing_and_double_nothing(index, tmp_path, drawn):
    photos = tmp_path / "many"
    photos.mkdir()
    for place, path in enumerate(drawn):
        shutil.copyfile(path, photos / f"{place}.jpg")
    # Forked of a process that has imported everything, and in which torch has no threads yet: a child would wait for
    # them for ever.
    rng, kills, apart = np.random.default_rng(0), 0, multiprocessing.get_context("forkserver")
    apart.set_forkserver_preload(["small_index", "xmr_lib.index"])
    while kills < 10:
        process = apart.Process(target=slow_update, args=(index.folder, photos))
        process.start()
        _wait_for_growth(index, process)
        time.sleep(rng.uniform(0, 0.05))
        process.kill()
        process.join()
        kills += process.exitcode < 0
        # There is always other work than what was begun.
        (photos / f"{kills}.jpg").unlink(missing_ok=True)
        for number in range(3):
            picture = Image.new("RGB", (32, 32), (20 * kills, 90 * number, len(list(photos.iterdir()))))
            picture.save(photos / f"kill {kills} {number} {len(list(photos.iterdir()))}.png")
    again = Index.open(index.folder)
    update(again, [Pictures(photos)], progress=False)
    assert_whole(Index.open(index.folder), photos)


def _wait_for_growth(index, process):
    counts, ended = index.catalogue.counts()["image"], time.monotonic() + 60
    while process.exitcode is None and index.catalogue.counts()["image"] == counts:
        assert time.monotonic() < ended, "nothing was indexed"
        time.sleep(0.005)
