"""Kin of BERT for other languages and sizes: what their own classes give is what is given here."""

import numpy as np
import pytest
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from torch.nn.utils.rnn import pad_sequence

from xmr_lib.encoders import Captions, Site, open_encoder
from xmr_lib.encoders.bert import encode
from xmr_lib.errors import XmrError
from xmr_lib.features.spec import FeatureSpec
from xmr_lib.features.store import FeatureStore
from xmr_lib.networks.bert import BertTail, load_bert

CAPTIONS = ["ein Hund läuft", "कुत्ता दौड़ता है", "two dogs run along the beach , one after the other", ""]
SIZES = {"num_hidden_layers": 3, "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32}
DISTIL = {"n_layers": 3, "dim": 16, "n_heads": 2, "hidden_dim": 32}
KIN = {
    "xlm-roberta": (transformers.XLMRobertaConfig, transformers.XLMRobertaModel, SIZES, 40),
    "roberta": (transformers.RobertaConfig, transformers.RobertaModel, SIZES, 40),
    "distilbert": (transformers.DistilBertConfig, transformers.DistilBertModel, DISTIL, 38),
    "electra": (transformers.ElectraConfig, transformers.ElectraModel, {**SIZES, "embedding_size": 8}, 38),
    "mpnet": (transformers.MPNetConfig, transformers.MPNetModel, SIZES, 40),
    "bert": (transformers.BertConfig, transformers.BertModel, SIZES, 38),
}
"""Classes, sizes and positions: RoBERTa's and MPNet's first two are never used, so that all read 38 tokens."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A network of each kind, with a tokenizer whose padding is 1 as XLM-R's is."""
    root = tmp_path_factory.mktemp("kin")
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(vocab_size=120, special_tokens=special, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(CAPTIONS * 20, trainer)
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    kept = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
    for name, (config, network, sizes, positions) in KIN.items():
        torch.manual_seed(0)
        made = config(**sizes, vocab_size=len(kept), pad_token_id=1, max_position_embeddings=positions)
        network(made).save_pretrained(root / name)
        kept.save_pretrained(root / name)
    return root


@pytest.mark.parametrize("kind", KIN)
def test_tokens_are_those_of_the_networks_own_class(folders, kind):
    theirs = KIN[kind][1].from_pretrained(folders / kind).eval()
    bert = load_bert(str(folders / kind))
    assert type(bert.network) is type(theirs) and bert.layers == 3 and bert.longest == 38
    for layer in (0, 2, 3):
        found = encode(bert, CAPTIONS, (layer,))
        for caption, own in zip(CAPTIONS, found, strict=True):
            ids = bert.tokenizer(caption, truncation=True, max_length=38, return_tensors="pt")["input_ids"]
            with torch.inference_mode():
                states = theirs(input_ids=ids, output_hidden_states=True).hidden_states
            np.testing.assert_allclose(own, states[layer][0].numpy(), atol=1e-5)


@pytest.mark.parametrize("kind", [kind for kind in KIN if kind != "mpnet"])
def test_their_last_layers_can_be_tuned(folders, kind):
    bert = load_bert(str(folders / kind))
    whole, cut = (encode(bert, CAPTIONS, (layer,)) for layer in (3, 1))
    states = pad_sequence([torch.from_numpy(own) for own in cut], batch_first=True)
    real = torch.arange(states.shape[1]) < torch.tensor([len(own) for own in cut])[:, None]
    tail = BertTail(bert, 2).eval()
    for found, own in zip(tail(states, real), whole, strict=True):
        np.testing.assert_allclose(found[: len(own)].detach().numpy(), own, atol=1e-5)


def test_what_can_not_be_cut_or_read_is_told(folders, tmp_path):
    with pytest.raises(XmrError, match="'mpnet' can't be tuned, only bert, roberta"):
        BertTail(load_bert(str(folders / "mpnet")), 1)
    config = transformers.GPT2Config(n_layer=1, n_embd=8, n_head=2, vocab_size=20)
    transformers.GPT2Model(config).save_pretrained(tmp_path)
    with pytest.raises(XmrError, match="a network of the kind 'gpt2'; what can be read is bert, roberta"):
        load_bert(str(tmp_path))


LONG = "dog " * 60


def test_captions_are_read_as_far_as_the_network_can_and_those_cut_are_told(folders, smoke_workspace, tmp_path, capsys):
    bert = load_bert(str(folders / "xlm-roberta"))
    assert len(encode(bert, [LONG, "dog"], (3,))[0]) == 38
    assert bert.too_long([LONG, "dog", "", LONG + "cat"]) == 2 and bert.too_long([LONG], 1000) == 0
    encoder = open_encoder(
        FeatureSpec.parse(f"bert:{folders / 'xlm-roberta'}"), Site(smoke_workspace.dataset, tmp_path)
    )
    encoder.rows(Captions([LONG, "dog"], ()))
    assert "1 of 2 captions are longer than the 38 tokens that it reads; they are cut" in capsys.readouterr().err
    encoder.rows(Captions(["dog"], ()))
    assert not capsys.readouterr().err


def test_the_end_of_a_long_caption_counts():
    """Up to 512 tokens with MiniLM; 128 were read once, and all after them was lost in silence."""
    bert = load_bert("minilm")
    assert bert.longest == 512
    one, other = encode(bert, ["a dog " * 100 + "runs", "a dog " * 100 + "sleeps"], (6,))
    assert len(one) == len(other) == 203 and np.abs(one.mean(0) - other.mean(0)).max() > 1e-3


def test_a_store_of_short_captions_holds_whatever_can_be_read(folders, smoke_workspace, tmp_path):
    dataset = smoke_workspace.dataset
    encoder = open_encoder(FeatureSpec.parse(f"bert:{folders / 'distilbert'}"), Site(dataset, tmp_path))
    encoder.store(dataset, tmp_path / "store")
    assert FeatureStore.open(tmp_path / "store").meta["longest"] == 128
