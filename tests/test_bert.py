"""BERT: the packaged weights are the ones that are used, tokens are their captions', padding counts nowhere."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from torch.nn.utils.rnn import pad_sequence

from xmr_lib.encoders import Captions, Site, open_encoder
from xmr_lib.encoders.bert import BertEncoder, encode
from xmr_lib.errors import XmrError
from xmr_lib.experiment import Workspace, run
from xmr_lib.features.spec import ENCODERS, FeatureSpec
from xmr_lib.networks.bert import BertTail, load_bert
from xmr_lib.study import get_configs

CAPTIONS = ["A dog runs .", "Two people walk along the beach at sunset, with a big brown dog.", "", "zyzzyva!"]


@pytest.fixture(scope="module")
def bert():
    return load_bert("minilm")


def opened(slug, dataset):
    return open_encoder(FeatureSpec.parse(slug), Site(dataset, Path("no-cache")))


@pytest.fixture
def copied(bert, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(bert.weights.path, folder)
    return folder


def test_the_mean_of_tokens_is_what_sentence_transformers_gives(bert):
    """Another library's whole path: weights not loaded, padding counted or rows mixed up would all show."""
    theirs = SentenceTransformer(str(bert.weights.path)).encode(CAPTIONS)
    tokens = encode(bert, CAPTIONS, (bert.layers,))
    ours = np.stack([own.mean(0) / np.linalg.norm(own.mean(0)) for own in tokens])
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_caption_does_not_depend_on_its_batch(bert):
    together = encode(bert, CAPTIONS, (3,))
    for caption, own in zip(CAPTIONS, together, strict=True):
        np.testing.assert_allclose(encode(bert, [caption], (3,))[0], own, atol=1e-4)
    # [CLS] and [SEP] around the tokens; nothing of a caption without words is left but these.
    assert [len(own) for own in together][2] == 2


def test_layers_are_chosen_and_averaged(bert):
    one, two, both = (encode(bert, CAPTIONS, layers)[1] for layers in ((2,), (4,), (2, 4)))
    np.testing.assert_allclose(both, (one + two) / 2, atol=1e-5)
    assert np.abs(one - two).max() > 0.1


@pytest.mark.parametrize("layers", [1, 2, 6])
def test_cut_in_two_the_network_is_whole_again(bert, layers):
    whole, cut = (encode(bert, CAPTIONS, (layer,)) for layer in (bert.layers, bert.layers - layers))
    states = pad_sequence([torch.from_numpy(own) for own in cut], batch_first=True)
    real = torch.arange(states.shape[1]) < torch.tensor([len(own) for own in cut])[:, None]
    tail = BertTail(bert, layers).eval()
    for found, own in zip(tail(states, real), whole, strict=True):
        np.testing.assert_allclose(found[: len(own)].detach().numpy(), own, atol=1e-4)
    assert all(p.requires_grad for p in tail.parameters())
    assert not any(p.requires_grad for p in bert.network.parameters())


def test_more_layers_than_there_are_can_not_be_tuned(bert):
    with pytest.raises(XmrError, match="7 layers can't be tuned, it has 6"):
        BertTail(bert, 7)


def test_the_store_has_each_captions_own_tokens(bert, smoke_workspace, tmp_path):
    dataset = smoke_workspace.dataset
    encoder = opened("minilm@5", dataset)
    store = encoder.store(dataset, tmp_path / "store")
    chosen = np.array([3, 0, dataset.caption_count - 1])
    rows = store.take(dataset.caption_ids[chosen])
    for place, caption in enumerate(chosen):
        expected = encode(bert, [dataset.raw[caption]], (5,))[0]
        np.testing.assert_allclose(rows[place].astype(np.float32), expected, atol=0.01)
        # Without a store the encoder gives the same.
        alone = encoder.rows(Captions([dataset.raw[caption]], [dataset.tokens[caption]]))
        assert alone.values.dtype == rows.values.dtype == np.float16
        np.testing.assert_allclose(alone.values.astype(np.float32), expected, atol=0.01)
    with pytest.raises(XmrError, match="made with layers"):
        opened("minilm@4", dataset).store(dataset, tmp_path / "store")


def test_slugs_tell_network_and_layers(copied, smoke_workspace):
    dataset = smoke_workspace.dataset
    slugs = ("minilm", "minilm@3", "bert:x/y", "bert-base-uncased", "glove")
    berts = [issubclass(ENCODERS[FeatureSpec.parse(slug).encoder], BertEncoder) for slug in slugs]
    assert berts == [True, True, True, True, False]
    assert [opened(slug, dataset).name for slug in slugs[:4]] == ["minilm", "minilm", "x/y", "bert-base-uncased"]
    assert opened("minilm", dataset).layers == (6,) and opened("minilm@3", dataset).layers == (3,)
    encoder = opened(f"bert:{copied}@4-6", dataset)
    assert (encoder.name, encoder.layers) == (str(copied), (4, 5, 6))
    assert encoder.networks()[0].path == copied
    with pytest.raises(XmrError, match="from 0 \\(embeddings\\) to 6"):
        opened("minilm@7", dataset).rows(Captions(CAPTIONS, ()))
    for slug, told in (("minilm@x", "'minilm@x' is unknown"), ("minilm@5-3", "the lower one first")):
        with pytest.raises(XmrError, match=told):
            FeatureSpec.parse(slug)


def test_what_is_not_there_is_told_in_one_line(tmp_path):
    for name in ("no-such-bert-at-all", str(tmp_path)):
        with pytest.raises(XmrError, match="no BERT that can be loaded without a download") as error:
            load_bert(name)
        assert "\n" not in str(error.value)


def test_weights_that_are_not_all_there_are_refused(copied):
    """Hugging Face would start the missing ones at random, with a warning."""
    file = copied / "model.safetensors"
    state = load_file(file)
    del state["encoder.layer.3.output.dense.weight"]
    save_file(state, file, {"format": "pt"})
    with pytest.raises(XmrError, match=r"1 missing \(encoder.layer.3.output.dense.weight"):
        load_bert(str(copied))


def test_a_folder_of_the_users_own_is_another_network_with_another_digest(copied, bert):
    file = copied / "model.safetensors"
    state = load_file(file)
    state["encoder.layer.0.output.dense.weight"] *= 1.5
    save_file(state, file, {"format": "pt"})
    assert load_bert(str(copied)).weights.sha256 != bert.weights.sha256
    assert Path(load_bert(str(copied)).weights.path) == copied


def test_the_last_layers_are_tuned_from_their_pretrained_values(tmp_path):
    workspace = Workspace("scenes", None, "smoke", tmp_path)
    [config] = get_configs(workspace, "ab-infonce")
    branch = "text.branches.0."
    changes = {"features": "minilm@5", "pooling": "mean", "unfreeze": 1}
    tuned = config.replace(name="tuned", **{branch + key: value for key, value in changes.items()})
    assert tuned.track == "open"
    [result] = run(workspace, tuned)
    assert result.test["rsum"] > result.chance["rsum"]
    with pytest.raises(XmrError, match="take the features of the layer before them, 'minilm@4'"):
        run(workspace, tuned.replace(**{"name": "wrong", branch + "unfreeze": 2}))
