"""From a config to a recorded result."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from course_twin import write_course_twin

from xmr_lib.data import read_dataset
from xmr_lib.errors import XmrError
from xmr_lib.experiment import Workspace, chosen_on_validation, embed, ranks_of, run, search_train
from xmr_lib.experiment.captions import caption_vectors, word_weights
from xmr_lib.features.words import WordVectors
from xmr_lib.metrics import ranks_of_embeddings, summarise
from xmr_lib.ragged import Ragged
from xmr_lib.records import read_summary, run_folder
from xmr_lib.study import MODELS, get_configs, nearest_words_table, representation_table


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
    assert {config.model for config in configs} == set(MODELS)
    assert len({tuple(sorted((k, str(v)) for k, v in c.to_dict().items() if k != "model")) for c in configs}) == len(
        configs
    )


def test_the_epochs_of_a_profile_are_the_most_there_may_be(course, tmp_path):
    demo, full = (Workspace("flickr30k", course, profile, tmp_path) for profile in ("demo", "full"))
    assert [c.epochs for c in get_configs(full, "ab-infonce", "r-fasttext", "t-cnn-tuned")] == [12, 16, 4]
    assert [c.epochs for c in get_configs(demo, "ab-infonce", "r-fasttext", "t-cnn-tuned")] == [8, 8, 4]


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
    [result] = run(course_workspace, config.but(model="cca-planted", regularisations=(1.0,)))
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
    with pytest.raises(XmrError, match="is there with margin"):
        run(course_workspace, config.but(margin=0.9))


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
        Workspace("broken", folder, "smoke", tmp_path / "results", strict=True).image_store("effnet-lite0")


def test_idf_weights_count_training_captions_only(course_workspace):
    dataset = course_workspace.dataset
    weights = word_weights(dataset)
    train = dataset.split("train")
    for caption in (0, 11, dataset.caption_count - 1):
        for word, weight in zip(dataset.tokens[caption], weights[caption], strict=True):
            having = sum(word in words for words in train.tokens)
            assert weight == pytest.approx(np.log((1 + train.caption_count) / (1 + having)), rel=1e-5)


def test_caption_vectors_refuse_vectors_that_do_not_fit_the_tokens(course_workspace):
    dataset = course_workspace.dataset
    lengths = np.array([len(words) + 1 for words in dataset.tokens])
    rows = Ragged.from_lengths(np.zeros(lengths.sum(), np.int64), lengths)
    words = WordVectors(("x",), np.ones((1, 3), np.float32), rows)
    assert torch.equal(caption_vectors(dataset, words, "mean"), torch.ones(dataset.caption_count, 3))
    with pytest.raises(XmrError, match="word vectors for"):
        caption_vectors(dataset, words, "idf")


def test_unknown_text_features_are_named(smoke_workspace):
    with pytest.raises(XmrError, match="text features 'word2vec' are unknown"):
        smoke_workspace.words("word2vec", 0)


def test_the_courses_word_vectors_can_be_trained_as_a_table(course_workspace):
    [config] = get_configs(course_workspace, "e-mean-trained")
    assert config.text_features == "fasttext-course"
    [result] = run(course_workspace, config)
    assert result.test["rsum"] > result.chance["rsum"]
    store, words = course_workspace.words("fasttext-course", 0), course_workspace.words("fasttext-course as a table", 0)
    first = store.take(course_workspace.dataset.caption_ids[:1]).values
    np.testing.assert_array_equal(words.table[words.words[0]][0], first[0])


def test_late_fusion_is_the_weighted_mean_of_cosines_chosen_on_validation(tmp_path):
    workspace = Workspace("scenes", None, "smoke", tmp_path)
    [config] = get_configs(workspace, "f-text-late")
    [late] = run(workspace, config)
    table, weights = late.history["validation"], late.history["weights"]
    assert len(table) == 11 and sum(weights) == pytest.approx(1)
    assert max(row["val_rsum"] for row in table) == pytest.approx(late.val_rsum)
    members = [run(workspace, member)[0] for member in get_configs(workspace, *config.members)]
    # All weight on one member is that member.
    for place, member in enumerate(members):
        alone = [row for row in table if row["weights"][place] == 1]
        assert alone[0]["val_rsum"] == pytest.approx(member.val_rsum, abs=0.5)
    images, captions = embed(workspace, late, "test")
    each = [embed(workspace, member, "test") for member in members]
    expected = sum(w * i @ c.T for w, (i, c) in zip(weights, each, strict=True))
    np.testing.assert_allclose(images @ captions.T, expected, atol=1e-5)
    with pytest.raises(XmrError, match="two models or more"):
        run(workspace, config.but(model="alone", members=("r-fasttext",)))


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
