"""From a config to a recorded result."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from course_twin import write_course_twin

from xmr_lib.config import from_flat
from xmr_lib.data import read_dataset
from xmr_lib.errors import XmrError
from xmr_lib.experiment import Workspace, chosen_on_validation, embed, ranks_of, run, search_train
from xmr_lib.experiment.run import model_of
from xmr_lib.features.idf import InverseFrequency
from xmr_lib.features.spec import FeatureSpec
from xmr_lib.metrics import ranks_of_embeddings, summarise
from xmr_lib.model import RetrievalModel, pooled
from xmr_lib.ragged import Ragged
from xmr_lib.records import run_folder
from xmr_lib.study import MODELS, get_configs, nearest_words_table, representation_table
from xmr_lib.summary_csv import read_summary


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("twin") / "course"
    write_course_twin(folder, images=80)
    return folder


@pytest.fixture
def course_workspace(course, tmp_path):
    return Workspace("flickr30k", course, "smoke", tmp_path)


def test_every_model_of_the_study_has_a_valid_config(smoke_workspace):
    configs = get_configs(smoke_workspace, *MODELS)
    assert {config.name for config in configs} == set(MODELS)
    without_names = {str(dict(config.to_dict(), name="")) for config in configs}
    assert len(without_names) == len(configs), "two models are the same but for their names"


def test_the_epochs_of_a_profile_are_the_most_there_may_be(course, tmp_path):
    demo, full = (Workspace("flickr30k", course, profile, tmp_path) for profile in ("demo", "full"))
    assert [c.method.optimiser.epochs for c in get_configs(full, "ab-infonce", "r-fasttext", "t-cnn-tuned")] == [
        12,
        16,
        4,
    ]
    assert [c.method.optimiser.epochs for c in get_configs(demo, "ab-infonce", "r-fasttext", "t-cnn-tuned")] == [
        8,
        8,
        4,
    ]


def test_two_branches_may_have_the_same_features(course_workspace):
    [config] = get_configs(course_workspace, "ab-infonce")
    image = config.to_dict()["method"]["image"]["branches"][0]
    text = config.to_dict()["method"]["text"]["branches"][0]
    texts = [text | {"pooling": pooling} for pooling in ("mean", "max", "mean")]
    twice = config.replace(
        **{"name": "twice", "image.branches": [image, image], "text.branches": texts, "image.fusion": "sum"}
    )
    [result] = run(course_workspace, twice)
    kept = embed(course_workspace, result, "test")
    assert (
        ranks_of_embeddings(*kept, ranks_of(course_workspace, result).image_of_caption).i2t.tolist()
        == ranks_of(course_workspace, result).i2t.tolist()
    )


def test_the_same_images_are_gathered_once_for_every_text_and_seed(course_workspace, monkeypatch):
    [config] = get_configs(course_workspace, "ab-infonce")
    course_workspace.pairs(config, "train", 0)
    monkeypatch.setattr(course_workspace.bank, "images", lambda *_: pytest.fail("gathered again"))
    other = config.replace(**{"text.branches.0.pooling": "max"})
    assert course_workspace.pairs(other, "train", 1).images is course_workspace.pairs(config, "train", 0).images


def test_course_features_reach_their_own_images_and_captions(course, course_workspace):
    """The planted link is found only if columns and rows are looked up by imgid, not by place."""
    [config] = get_configs(course_workspace, "cca-mean")
    assert (config.image_features, config.text_features) == ("vgg16-course", "fasttext-course")
    pairs = course_workspace.pairs(config, "train", 0)
    part = course_workspace.dataset.split("train")
    raw = np.load(course / "fasttext_feats.npy", allow_pickle=True)
    caption = 7
    image = part.image_of_caption[caption]
    place = caption - part.caption_offsets[image]
    expected = raw[part.image_ids[image], place].mean(0)
    np.testing.assert_allclose(pairs.captions[caption].numpy(), expected, rtol=1e-5, atol=1e-6)
    [result] = run(course_workspace, config.replace(name="cca-planted", regularisations=(1.0,)))
    assert result.test["rsum"] > 1.5 * result.chance["rsum"]


def test_a_run_is_recorded_once_and_read_again(course_workspace):
    [config] = get_configs(course_workspace, "ab-infonce")
    first = run(course_workspace, config, (0, 1))
    stamp = (run_folder(course_workspace.results, "ab-infonce", 1) / "result.json").stat().st_mtime_ns
    assert run(course_workspace, config, (0, 1)) == first
    assert (run_folder(course_workspace.results, "ab-infonce", 1) / "result.json").stat().st_mtime_ns == stamp
    assert run(course_workspace, config, (1,)) == first[1:]
    [row] = read_summary(course_workspace.results / "summary.csv")
    assert row["seeds"] == "2", "the row is of all that is recorded, not of the last call"
    assert float(row["rsum"]) == pytest.approx(np.mean([r.test["rsum"] for r in first]), abs=0.01)
    assert float(row["rsum_low"]) <= float(row["rsum"]) <= float(row["rsum_high"])
    with pytest.raises(XmrError, match=r"is there with loss\.temperature = 0\.07, not 0\.9"):
        run(course_workspace, config.replace(**{"loss.temperature": 0.9}))


def test_recorded_metrics_are_those_of_the_model_that_is_kept(course_workspace):
    [config] = get_configs(course_workspace, "a-recipe")
    [result] = run(course_workspace, config)
    pairs = course_workspace.pairs(config, "test", 0)
    images, captions = embed(course_workspace, result, "test")
    ranks = ranks_of_embeddings(images, captions, pairs.image_of_caption, config.distance)
    assert summarise(ranks) == result.test == summarise(ranks_of(course_workspace, result))
    # Where git holds only the facts, the run is made again, to the same numbers.
    (run_folder(course_workspace.results, "a-recipe", 0) / "ranks.npz").unlink()
    [again] = run(course_workspace, config)
    assert (again.test, again.history) == (result.test, result.history)
    np.testing.assert_array_equal(ranks_of(course_workspace, again).t2i, ranks.t2i)


def test_a_model_that_is_fitted_again_to_other_ranks_is_told_and_not_kept(smoke_workspace, tmp_path, capsys):
    own = Workspace("scenes", None, "smoke", tmp_path)
    [result] = run(own, get_configs(own, "cca-mean")[0])
    folder = run_folder(own.results, "cca-mean", 0)
    shutil.rmtree(folder / "model")
    # The very ranks: it is kept, and nothing needs to be said.
    assert model_of(own, result).bank is not None
    assert (folder / "model").is_dir() and "fitted again" not in capsys.readouterr().err
    shutil.rmtree(folder / "model")
    with np.load(folder / "ranks.npz") as arrays:
        changed = dict(arrays)
    changed["t2i"][:3] += 1
    np.savez_compressed(folder / "ranks.npz", **changed)
    model = model_of(own, result)
    assert model.bank is not None and not (folder / "model").exists()
    # It can be saved all the same, as a member of late fusion is, and its card says its own scores.
    model.save(tmp_path / "saved")
    assert "Trained on the training split of scenes" in (tmp_path / "saved" / "README.md").read_text()
    assert model.facts["test"] == result.test
    told = capsys.readouterr().err
    assert "cca-mean seed 0: fitted again, 3 of 120 queries have another rank than is recorded" in told
    assert f"delete {folder} to record it anew" in told


def test_selection_reads_validation_only(smoke_workspace):
    [a] = run(smoke_workspace, get_configs(smoke_workspace, "cca-mean")[0])
    worse_on_val = replace(a, val_rsum=a.val_rsum - 1, test={**a.test, "rsum": 600.0})
    assert chosen_on_validation([[worse_on_val], [a]]) == [a]


def test_images_without_features_leave_their_split_and_the_run_says_so(tmp_path):
    folder = tmp_path / "course"
    write_course_twin(folder, images=60, feature_files=False)
    dataset = read_dataset(folder)
    broken = dataset.split("test").filenames[0]
    dataset.path(dataset.filenames.index(broken)).write_bytes(b"not a picture")
    workspace = Workspace("broken", folder, "smoke", tmp_path / "results")
    [result] = run(workspace, get_configs(workspace, "cca-mean")[0])
    assert result.data["left_out"] == [broken]
    assert result.data["images"]["test"] == len(dataset.splits["test"]) - 1
    with pytest.raises(XmrError, match=broken):
        Workspace("broken", folder, "smoke", tmp_path / "results", strict=True).bank.image_store(
            FeatureSpec("effnet-lite0")
        )


def test_other_photographs_under_the_same_names_are_other_data(tmp_path):
    """The first ones' features and numbers were given for them once, in silence."""
    folder = tmp_path / "course"
    write_course_twin(folder, images=60, feature_files=False)
    first = Workspace("same", folder, "smoke", tmp_path / "results")
    config = get_configs(first, "cca-mean")[0]
    [result] = run(first, config)
    paths = [first.dataset.path(image) for image in range(60)]
    contents = [path.read_bytes() for path in paths]
    for path, content in zip(paths, contents[7:] + contents[:7], strict=True):
        path.write_bytes(content)
    second = Workspace("same", folder, "smoke", tmp_path / "results")
    with pytest.raises(XmrError, match=r"the run 'cca-mean' is there with data: pictures = .*delete .* to run it anew"):
        run(second, config)
    ids = second.dataset.image_ids
    old, new = (workspace.bank.image_store(FeatureSpec("effnet-lite0")).take(ids) for workspace in (first, second))
    np.testing.assert_allclose(new, np.roll(old, -7, axis=0), atol=1e-3)
    [other] = run(Workspace("same", folder, "smoke", tmp_path / "others"), config)
    assert other.data["pictures"] != result.data["pictures"] and other.test != result.test


def test_a_split_of_our_own_is_said_where_it_is_used(tmp_path, capsys):
    rows = "image,caption\n" + "".join(f"{k}.jpg,a dog {k}\n" for k in range(30))
    (tmp_path / "captions.csv").write_text(rows)
    Workspace("own", tmp_path, "smoke", tmp_path / "results")
    assert "own: own split: images were divided by a hash of their file names" in capsys.readouterr().err


def test_idf_weights_count_training_captions_only(course_workspace):
    dataset = course_workspace.dataset
    counted, train = InverseFrequency.of(dataset), dataset.split("train")
    assert course_workspace.bank.frequency() == counted
    for caption in (0, 11, dataset.caption_count - 1):
        weights = counted.weights([dataset.tokens[caption]])
        for word, weight in zip(dataset.tokens[caption], weights, strict=True):
            having = sum(word in words for words in train.tokens)
            assert weight == pytest.approx(np.log((1 + train.caption_count) / (1 + having)), rel=1e-5)


def test_vectors_that_do_not_fit_the_tokens_are_refused(course_workspace):
    dataset = course_workspace.dataset
    lengths = np.array([len(words) + 1 for words in dataset.tokens])
    rows = Ragged.from_lengths(np.ones((lengths.sum(), 3), np.float32), lengths)
    assert torch.equal(pooled(rows, "mean", dataset.tokens), torch.ones(dataset.caption_count, 3))
    with pytest.raises(XmrError, match=r"vectors for .* words; it needs one for each"):
        pooled(rows, "idf", dataset.tokens, InverseFrequency.of(dataset))


@pytest.mark.parametrize("pooling", ["mean", "idf"])
def test_captions_are_aggregated_ahead_as_a_loop_would(course_workspace, pooling, monkeypatch):
    """Across the edges of the blocks that captions are aggregated in."""
    monkeypatch.setattr("xmr_lib.experiment.bank.BLOCK", 37)
    bank, dataset = course_workspace.bank, course_workspace.dataset
    found = bank.caption_vectors(FeatureSpec("fasttext-course"), pooling, 0)
    assert len(found) == dataset.caption_count
    rows = bank.words(FeatureSpec("fasttext-course"), 0).take(dataset.caption_ids)
    for caption in (0, 36, 37, dataset.caption_count - 1):
        weights = bank.frequency().weights([dataset.tokens[caption]]) if pooling == "idf" else None
        expected = np.average(rows[caption], axis=0, weights=weights)
        np.testing.assert_allclose(found[caption].numpy(), expected, rtol=1e-4, atol=1e-5)


def test_unknown_text_features_are_named(smoke_workspace):
    with pytest.raises(XmrError, match="'word2vec' is unknown; there are"):
        smoke_workspace.sized(from_flat("x", text_features="word2vec"))


def test_the_courses_word_vectors_can_be_trained_as_a_table(course_workspace):
    # By its name for those who have nothing but the course's two files.
    [config] = get_configs(course_workspace, "assignment")
    assert (config.image_features, config.text_features) == ("vgg16-course", "fasttext-course")
    assert all(branch.train_words for branch in config.branches("text"))
    [result] = run(course_workspace, config)
    assert result.test["rsum"] > result.chance["rsum"]
    bank, course = course_workspace.bank, FeatureSpec("fasttext-course")
    store, words = bank.words(course, 0), bank.words(course, 0, True)
    first = store.take(course_workspace.dataset.caption_ids[:1]).values
    np.testing.assert_array_equal(words.table[words.words[0]][0], first[0])


def test_late_fusion_is_the_weighted_mean_of_cosines_chosen_on_validation(tmp_path):
    workspace = Workspace("scenes", None, "smoke", tmp_path)
    [config] = get_configs(workspace, "f-text-late")
    [late] = run(workspace, config)
    table, weights = late.history["validation"], late.history["weights"]
    assert len(table) == 11 and sum(weights) == pytest.approx(1)
    assert max(row["val_rsum"] for row in table) == pytest.approx(late.val_rsum)
    members = [run(workspace, member)[0] for member in config.method.members]
    # All weight on one member is that member.
    for place, member in enumerate(members):
        alone = [row for row in table if row["weights"][place] == 1]
        assert alone[0]["val_rsum"] == pytest.approx(member.val_rsum, abs=0.5)
    images, captions = embed(workspace, late, "test")
    each = [embed(workspace, member, "test") for member in members]
    expected = sum(w * i @ c.T for w, (i, c) in zip(weights, each, strict=True))
    np.testing.assert_allclose(images @ captions.T, expected, atol=1e-5)
    # The members are runs of their own, and those of the catalogue.
    assert [member.config for member in members] == get_configs(workspace, "r-fasttext", "d-meanmax")
    with pytest.raises(XmrError, match=r"late fusion needs at least 2 members"):
        config.replace(name="alone", members=config.to_dict()["method"]["members"][:1])


def test_late_fusion_over_seeds_is_their_mean(tmp_path, monkeypatch):
    workspace = Workspace("scenes", None, "smoke", tmp_path)
    [member] = get_configs(workspace, "r-fasttext")
    # One model, whatever seeds are asked for.
    [late] = run(workspace, from_flat("seeds-late", [member], method="late", seeds=(0, 1)), (0, 1, 2))
    rows = {row["run"]: row["seeds"] for row in read_summary(workspace.results / "summary.csv")}
    assert rows == {"r-fasttext": "2", "seeds-late": "1"}
    seeds = run(workspace, member, (0, 1))
    # Each has the FastText of its own seed.
    each = [embed(workspace, own, "test") for own in seeds]
    images, captions = embed(workspace, late, "test")
    np.testing.assert_allclose(images @ captions.T, sum(i @ c.T for i, c in each) / 2, atol=1e-5)
    assert late.history["weights"] == [1.0] and late.cpu_seconds > sum(own.cpu_seconds for own in seeds)
    model = model_of(workspace, late)
    assert [own.facts["seed"] for own in model.members] == [0, 1]
    # Two members, one image network: it is held once, and sees a picture once.
    picture = workspace.dataset.path(0)
    expected = np.concatenate([own.encode_images([picture]) for own in model.members], axis=1) / 2**0.5
    [encoder] = {given.encoder for own in model.members for given in own.images}
    seen, features = [], encoder.features
    monkeypatch.setattr(encoder, "features", lambda pixels: seen.append(len(pixels)) or features(pixels))
    np.testing.assert_allclose(model.encode_images([picture]), expected, atol=1e-6)
    assert seen == [1]
    with pytest.raises(XmrError, match="a member, or a seed, stands there twice"):
        from_flat("late", [member], method="late", seeds=(1, 1))
    with pytest.raises(XmrError, match="or one with several seeds"):
        from_flat("late", [member], method="late", seeds=(1,))


def test_a_teacher_is_a_run_of_its_own_and_changes_what_is_learned(tmp_path):
    workspace = Workspace("scenes", None, "smoke", tmp_path)
    student, teacher = get_configs(workspace, "r-onehot-trained", "r-fasttext")
    taught = student.replace(name="taught", teacher={"model": teacher.to_dict(), "weight": 0.9})
    [alone], [found] = run(workspace, student), run(workspace, taught)
    [own] = run(workspace, teacher)
    assert found.history["loss"] != alone.history["loss"]
    # Without its teacher it can't be made: its minutes count.
    assert found.cpu_seconds > own.cpu_seconds
    assert RetrievalModel.load(run_folder(workspace.results, "taught", 0)).config == taught
    assert taught.track == "clean" and taught.replace(name="x", teacher=None).to_dict()["method"]["teacher"] is None
    [open_teacher] = get_configs(workspace, "d-meanmax")
    leaked = taught.replace(name="leaked", teacher={"model": open_teacher.to_dict()})
    assert leaked.track == "open" and any("minilm" in reason for reason in leaked.track_reasons())
    with pytest.raises(XmrError, match="a teacher needs loss = infonce"):
        taught.replace(**{"name": "x", "loss.name": "triplet"})


def test_representations_are_told_apart_by_misspellings(smoke_workspace):
    groups = [
        run(smoke_workspace, config) for config in get_configs(smoke_workspace, "r-onehot", "r-phoc", "d-meanmax")
    ]
    ranks = [[ranks_of(smoke_workspace, result) for result in results] for results in groups]
    table = representation_table(smoke_workspace, groups, ranks)
    assert table.loc["onehot", "misspelt, found (%)"] == 0 < table.loc["phoc", "misspelt, found (%)"]
    assert table.loc["onehot", "cover (%)"] < table.loc["phoc", "cover (%)"] == 100
    shown = nearest_words_table(smoke_workspace, ["onehot", "phoc"])
    assert shown["onehot"].iloc[-1] == "unknown" and shown["phoc"].iloc[-1] != "unknown"


def test_the_training_split_as_gallery_is_scored_by_graded_relevance(course_workspace):
    [result] = run(course_workspace, get_configs(course_workspace, "cca-mean")[0])
    found = search_train(course_workspace, result)
    assert set(found) == {"image → training captions", "caption → training images"}
    for ndcg, chance in found.values():
        assert 0 < chance < ndcg <= 100
