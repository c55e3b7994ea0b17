"""What stands behind a score: against naive loops, other libraries and what the scenes' grammar knows."""

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.distance import pdist

from xmr_lib.analysis.duplicates import near_pairs, perceptual_hashes, same_words
from xmr_lib.analysis.wording import wording_by_lists
from xmr_lib.experiment import Workspace, run
from xmr_lib.experiment.run import embed, ranks_of
from xmr_lib.figures import wording_figure
from xmr_lib.metrics.alignment import alignment, uniformity
from xmr_lib.metrics.statistics import contrast_interval
from xmr_lib.scenes.truth import read_truth
from xmr_lib.study import get_configs
from xmr_lib.study.false_negatives import Judge, false_negatives, judges
from xmr_lib.study.trust import doubles_table, hub_table, reference_table, seeds_table, space_table
from xmr_lib.study.wording import wording_of, wording_table

MODELS = ("cca-mean", "ab-infonce-meanmax")


@pytest.fixture(scope="module")
def groups(smoke_workspace):
    return [run(smoke_workspace, config, [0]) for config in get_configs(smoke_workspace, *MODELS)]


@pytest.fixture(scope="module")
def part(smoke_workspace):
    return smoke_workspace.dataset.split("test")


def test_alignment_and_uniformity_are_their_definitions():
    rng = np.random.default_rng(0)
    images, captions, owner = rng.normal(size=(5, 4)), rng.normal(size=(9, 4)), np.array([0, 0, 1, 2, 2, 3, 3, 4, 4])
    unit = [own / np.linalg.norm(own, axis=1, keepdims=True) for own in (images, captions)]
    by_hand = np.mean([((unit[0][o] - unit[1][c]) ** 2).sum() for c, o in enumerate(owner)])
    assert alignment(images, captions, owner) == pytest.approx(by_hand)
    assert uniformity(captions) == pytest.approx(np.log(np.exp(-2 * pdist(unit[1]) ** 2).mean()))
    assert uniformity(np.eye(2)) == pytest.approx(-4) and uniformity(np.ones((3, 2))) == pytest.approx(0, abs=1e-9)
    with pytest.raises(ValueError, match="1 items"):
        uniformity(np.ones((1, 2)))


def test_a_contrast_is_drawn_over_images():
    rng = np.random.default_rng(1)
    owner = np.repeat(np.arange(40), 5)
    group = rng.random(200) < 0.3
    values = (rng.random(200) < np.where(group, 0.7, 0.4)).astype(float)
    low, high = contrast_interval(values, group, owner)
    draws = []
    for _ in range(2000):
        captions = (5 * rng.integers(40, size=40)[:, None] + np.arange(5)).ravel()
        mine, theirs = values[captions][group[captions]], values[captions][~group[captions]]
        draws.append(mine.mean() - theirs.mean())
    assert (low, high) == pytest.approx(tuple(np.quantile(draws, (0.025, 0.975))), abs=0.02)
    # Nothing differs: nothing is found.
    assert contrast_interval(np.ones(200), group, owner) == (0, 0)


def test_doubles_are_found_through_size_and_compression(tmp_path):
    rng = np.random.default_rng(0)
    for name in "ab":
        noise = Image.fromarray(rng.integers(0, 255, (7, 7, 3), dtype=np.uint8)).resize((300, 200), Image.BICUBIC)
        noise.save(tmp_path / f"{name}.png")
    with Image.open(tmp_path / "a.png") as first:
        first.resize((180, 120)).save(tmp_path / "small.jpg", quality=60)
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    Image.new("RGB", (60, 60), "white").save(tmp_path / "white.png")
    names = ("a.png", "b.png", "small.jpg", "broken.jpg", "white.png", "broken.jpg")
    hashes = perceptual_hashes([tmp_path / name for name in names])
    assert near_pairs(hashes).tolist() == [[0, 2]]
    naive = [(i, j) for i in range(200) for j in range(i) if (int(HASHES[i]) ^ int(HASHES[j])).bit_count() <= 20]
    assert sorted(map(tuple, near_pairs(HASHES, 20)[:, ::-1].tolist())) == sorted(naive) and len(naive) > 10


HASHES = np.random.default_rng(2).integers(1, 2**63, 200, dtype=np.uint64)


def test_sentences_of_two_images_alone_are_doubles(part):
    assert len(same_words(part)) == 0
    tokens = list(part.tokens)
    own, foreign = part.captions_of(0), part.captions_of(1)
    tokens[own[1]] = tokens[foreign[0]] = tokens[own[0]]
    changed = part.__class__(**{**vars_of(part), "tokens": tuple(tokens)})
    assert same_words(changed).tolist() == [[own[0], foreign[0]], [own[1], foreign[0]]]


def vars_of(part):
    return {name: getattr(part, name) for name in part.__dataclass_fields__}


def test_the_truth_of_scenes_is_that_of_its_files(part):
    scenes, captions = read_truth(part.source)
    for place, image in enumerate(part.image_ids):
        assert [part.raw[c] for c in part.captions_of(place)] == [own.raw for own in captions[image]]
    stated = [caption for image in part.image_ids for caption in captions[image] if caption.slip in (None, "typo")]
    assert all(caption.facts for caption in stated)
    assert read_truth(part.images_folder) is None
    assert len(scenes) == 100


def test_word_lists_say_what_the_grammar_knows(smoke_workspace, part):
    exact = wording_of(smoke_workspace, part)
    by_lists = wording_by_lists(part, smoke_workspace.dataset.split("train"))
    assert np.array_equal(exact.words, [len(tokens) for tokens in part.tokens])
    for name, least in (("colours", 0.95), ("numbers", 0.95), ("relations", 0.8), ("negations", 0.95)):
        same = (getattr(exact, name) > 0) == (getattr(by_lists, name) > 0)
        assert same.mean() >= least, name
    assert (exact.things >= 1).mean() > 0.95


def test_a_judge_measures_a_caption_by_the_others_of_its_image(smoke_workspace, part):
    found = {judge.name: judge for judge in judges(smoke_workspace, part)}
    assert set(found) == {"MiniLM", "shared words", "truth"}
    owner = part.image_of_caption
    sets = [set(tokens) for tokens in part.tokens]
    # Shared words by hand: two captions share their weighted words.
    idf = {w: np.log((1 + len(sets)) / (1 + sum(w in own for own in sets))) for own in sets for w in own}

    def cosine(a, b):
        lengths = [np.sqrt(sum(idf[w] ** 2 for w in own)) for own in (a, b)]
        return sum(idf[w] ** 2 for w in a & b) / (lengths[0] * lengths[1])

    for caption, image in ((0, 3), (7, 1), (7, 0)):
        others = [c for c in part.captions_of(image) if c != caption]
        expected = np.mean([cosine(sets[caption], sets[c]) for c in others])
        assert found["shared words"].fits[caption, image] == pytest.approx(expected)
    accepts = found["MiniLM"].accepts(owner)
    assert accepts[np.arange(len(owner)), owner].all() and accepts.mean() < 0.3
    # By construction hardly a caption is true of two pictures.
    truth = found["truth"].accepts(owner)
    assert truth[np.arange(len(owner)), owner].mean() > 0.9 and truth.sum(1).mean() < 1.05


def test_false_negatives_are_counted_among_wrong_first_answers(smoke_workspace, groups, part, capsys):
    table = false_negatives(smoke_workspace, groups)
    result = groups[1][0]
    ranks, owner = ranks_of(smoke_workspace, result), part.image_of_caption
    row = table.loc[(result.model, "caption → images", "truth")]
    assert row["R@1 (%)"] == pytest.approx(100 * (ranks.t2i == 1).mean())
    images, captions = embed(smoke_workspace, result, "test")
    unit = [own / np.linalg.norm(own, axis=1, keepdims=True) for own in (images, captions)]
    first = (unit[1] @ unit[0].T).argmax(1)
    wrong = np.flatnonzero(first != owner)
    minilm = judges(smoke_workspace, part)[0].accepts(owner)
    accepted = minilm[wrong, first[wrong]]
    row = table.loc[(result.model, "caption → images", "MiniLM")]
    assert row["accepted (%)"] == pytest.approx(100 * accepted.mean())
    assert row["R@1 with them (%)"] == pytest.approx(row["R@1 (%)"] + 100 * accepted.sum() / len(owner))
    images_asking = table.loc[(result.model, "image → captions", "MiniLM")]
    assert images_asking["R@1 (%)"] == pytest.approx(result.test["i2t_r1"])
    [bert] = get_configs(smoke_workspace, "d-mean")
    false_negatives(smoke_workspace, [groups[0], run(smoke_workspace, bert)])
    assert "d-mean: left out, MiniLM is no judge" in capsys.readouterr().out


def test_a_judge_of_estimates_needs_more_than_chance():
    owner = np.array([0, 0, 1, 1])
    fits = np.array([[0.9, 0.1], [0.2, 0.5], [0.3, 0.3], [0.1, 0.8]])
    assert Judge("x", fits).accepts(owner).tolist() == [[True, False], [True, True], [True, True], [False, True]]
    truth = Judge("truth", (fits > 0.4).astype(float), exact=True)
    assert truth.accepts(owner).tolist() == (fits > 0.4).tolist()


def test_the_table_of_wording_is_what_a_loop_finds(smoke_workspace, groups, part):
    table = wording_table(smoke_workspace, groups[1])
    wording, ranks = wording_of(smoke_workspace, part), ranks_of(smoke_workspace, groups[1][0]).t2i
    said = wording.relations > 0
    row = table.loc[("relations", "said")]
    assert row["captions (%)"] == pytest.approx(100 * said.mean())
    assert row["R@1 (%)"] == pytest.approx(100 * np.mean([r == 1 for r, own in zip(ranks, said, strict=True) if own]))
    assert row["difference"] == pytest.approx(100 * ((ranks[said] == 1).mean() - (ranks[~said] == 1).mean()))
    assert row["low"] <= row["difference"] <= row["high"]
    lengths = table.loc["length"]["captions (%)"]
    assert lengths.sum() == pytest.approx(100)
    axis = wording_figure(table).axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == [f"{a}: {b}" for a, b in table.index]


def test_captions_find_captions(smoke_workspace, groups, part):
    table = reference_table(smoke_workspace, groups)
    result, owner = groups[1][0], part.image_of_caption
    captions = embed(smoke_workspace, result, "test")[1]
    unit = captions / np.linalg.norm(captions, axis=1, keepdims=True)
    alike = unit @ unit.T
    np.fill_diagonal(alike, -1)
    hits = owner[alike.argmax(1)] == owner
    assert table.loc[f"text side of {result.model}", "R@1 (%)"] == pytest.approx(100 * hits.mean())
    assert table.loc["chance", "R@1 (%)"] == pytest.approx(100 * 4 / (len(owner) - 1))
    assert {"shared words", "fasttext-self, mean", "MiniLM, mean"} < set(table.index)


def test_tables_of_hubs_space_and_doubles(smoke_workspace, groups):
    assert {name for name, *_ in hub_table(smoke_workspace, groups).index} == set(MODELS)
    space = space_table(smoke_workspace, groups)
    assert list(space.index) == list(MODELS) and (space["rSum"] > 0).all()
    doubles = doubles_table(smoke_workspace)
    assert list(doubles.index) == ["pictures", "sentences"]
    assert list(doubles.columns) == ["train", "train and val", "train and test", "val", "val and test", "test"]


def test_seeds_have_a_spread(smoke_workspace, tmp_path, capsys):
    own = Workspace("scenes", None, "smoke", tmp_path)
    first, second = get_configs(own, *MODELS)
    rsums = [result.test["rsum"] for result in run(own, second, [0, 1, 2])]
    run(own, first, [0])
    table = seeds_table(own)
    assert list(table.index) == [MODELS[1]]
    assert "left out: 1 models with one seed" in capsys.readouterr().out
    row = table.loc[MODELS[1]]
    assert row["spread"] == pytest.approx(np.std(rsums, ddof=1)) and row["seeds"] == "3"
    assert (row["lowest"], row["highest"]) == (min(rsums), max(rsums)) and row["of images"] > 0
