"""Aggregation of words in the model: LSTM and GRU, attention, trained tables; padding can't change anything."""

import numpy as np
import pytest
import torch
from small_models import small_model
from torch import nn

from xmr_lib.config import from_flat
from xmr_lib.modules import (
    LEARNED,
    RECURRENT,
    ItemEncoder,
    Projection,
    RowPart,
    TokenEntry,
    Tunable,
    row_pooling,
)
from xmr_lib.modules.entries import WordEmbedding, without_some
from xmr_lib.modules.recurrent import RecurrentPooling
from xmr_lib.ragged import Ragged, offsets_of
from xmr_lib.training import Pairs, parameter_groups, pretrained_parameters

DIM, HIDDEN = 6, 8
IN_MODEL = ("mean", "sum", "max", "meanmax", "cls", *LEARNED, *RECURRENT)


def captions(lengths, seed=0):
    values = np.random.default_rng(seed).standard_normal((sum(lengths), DIM)).astype(np.float32)
    return Ragged(values, offsets_of(np.array(lengths))).tensors()


def encoder(how, seed=0):
    torch.manual_seed(seed)
    pooling, pooled = row_pooling(how, DIM, HIDDEN, 0.0)
    for parameter in pooling.parameters():
        nn.init.normal_(parameter, std=0.5)
    return ItemEncoder([RowPart(TokenEntry(DIM, 0.0), pooling)], [Projection(pooled, 4, "linear", 4, 0.0, "none")])


@pytest.mark.parametrize("how", IN_MODEL)
def test_padding_cannot_change_a_caption(how):
    """A caption comes out the same whether it is alone or beside a longer one, to which it would be padded."""
    rows, model = captions([3, 1, 9, 2]), encoder(how).eval()
    together = model(rows)
    for caption in range(4):
        torch.testing.assert_close(model(rows[torch.tensor([caption])])[0], together[caption], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("how", IN_MODEL)
def test_a_caption_without_words_is_finite_and_so_are_its_gradients(how):
    rows, model = captions([3, 0, 2]), encoder(how)
    found = model(rows)
    assert found.isfinite().all()
    (found * torch.arange(4.0)).sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("how", RECURRENT)
def test_the_order_of_words_matters_to_recurrent_networks_alone(how):
    rows = captions([5])
    turned = Ragged(rows.values.flip(0), rows.offsets)
    for other, matters in ((how, True), ("meanmax", False)):
        model = encoder(other).eval()
        assert torch.allclose(model(rows), model(turned), atol=1e-5) != matters


@pytest.mark.parametrize("how", RECURRENT)
def test_the_hidden_states_are_those_of_torchs_cells(how):
    """Step by step, with no packing: forwards from <bos> to <eos>, and back; the last state, or all of them pooled."""
    torch.manual_seed(0)
    pooling, rows = RecurrentPooling(how, DIM, HIDDEN), captions([4, 2])
    words = rows.values[4:]
    sequence = torch.stack([pooling.bos, *words, pooling.eos])
    directions = []
    for suffix, steps in (("", sequence), ("_reverse", sequence.flip(0))):
        if suffix and not how.startswith("bi"):
            continue
        width = pooling.rnn.hidden_size
        cell = (nn.LSTMCell if "lstm" in how else nn.GRUCell)(DIM, width)
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            getattr(cell, name).data.copy_(getattr(pooling.rnn, f"{name}_l0{suffix}"))
        state, states = None, []
        for step in steps:
            state = cell(step[None], state)
            states.append(state[0] if isinstance(state, tuple) else state)
        directions.append(torch.cat(states))
    found = pooling(rows, rows.values[:, :0])[1]
    if how.endswith("-meanmax"):
        # Backwards states stand at the words they have read last.
        whole = torch.cat([states.flip(0) if i else states for i, states in enumerate(directions)], dim=1)
        expected = torch.cat([whole.mean(0), whole.amax(0)])
    else:
        expected = torch.cat([states[-1] for states in directions])
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_bos_and_eos_stand_around_each_caption_and_learn():
    pooling, rows = RecurrentPooling("lstm", DIM, HIDDEN), captions([2, 0, 1])
    marked = pooling.marked(rows)
    assert marked.lengths.tolist() == [4, 2, 3]
    expected = [pooling.bos, *rows.values[:2], pooling.eos, pooling.bos, pooling.eos, pooling.bos]
    torch.testing.assert_close(marked.values, torch.stack([*expected, rows.values[2], pooling.eos]))
    pooling(rows, rows.values[:, :0]).sum().backward()
    assert pooling.bos.grad.any() and pooling.eos.grad.any()


def word_pairs():
    words = Ragged(torch.tensor([0, 1, 2, 1, 3]), torch.tensor([0, 2, 5]))
    return Pairs(torch.rand(2, 5), words, np.arange(2))


@pytest.mark.parametrize("trained", [True, False])
def test_a_table_of_words_is_trained_if_asked_and_never_shared(trained):
    table = torch.randn(5, DIM)
    before, pairs = table.clone(), word_pairs()
    config = from_flat(
        "x", text_features="onehot", text_pooling="lstm", hidden=HIDDEN, embed_dim=4, train_words=trained
    )
    model = small_model(config, pairs, table)
    model.caption(pairs.captions).sum().backward()
    weight = model.caption.parts[0].entry.table.weight
    assert weight.requires_grad == trained and (weight.grad is not None) == trained
    assert torch.equal(table, before)


def test_a_table_is_standardised_over_the_training_words_and_unknown_words_stay_zero():
    table = torch.randn(5, DIM) * 4 + 7
    table[3] = 0
    pairs = word_pairs()
    entry = WordEmbedding(table, True, 0.0)
    entry.fit(pairs.captions)
    used = entry.table.weight[[0, 1, 2, 1]]
    torch.testing.assert_close(used.mean(0), torch.zeros(DIM), atol=1e-5, rtol=0)
    torch.testing.assert_close(used.var(0).mean(), torch.tensor(1.0))
    assert not entry.table.weight[3].any()


def test_word_dropout_leaves_out_whole_words_in_training_only():
    rows = captions([40, 0, 60])
    torch.manual_seed(0)
    fewer = without_some(rows, 0.3)
    assert 50 < len(fewer.values) < 90 and fewer.lengths[1] == 0
    kept = {tuple(row) for row in rows.values[:40].tolist()}
    assert all(tuple(row) in kept for row in fewer.values[: fewer.offsets[1]].tolist())
    entry = TokenEntry(DIM, 0.5)
    assert len(entry.eval()(rows)[0].values) == 100 > len(entry.train()(rows)[0].values)


def multipliers(model, loss, weight_decay=0.1):
    groups = parameter_groups(model, loss, weight_decay)
    # Matrices are decayed; biases, learned marks of one axis and the temperature are not.
    for group in groups:
        assert all(p.requires_grad and (group["weight_decay"] > 0) == (p.ndim > 1) for p in group["params"])
    own = [(id(p), group["lr_multiplier"]) for group in groups for p in group["params"]]
    assert len(dict(own)) == len(own), "each parameter is in one group"
    return dict(own)


def test_the_vectors_of_words_have_a_rate_of_their_own():
    config = from_flat("x", text_features="onehot", train_words=True, word_lr=0.1, embed_dim=4)
    model, loss = small_model(config, word_pairs(), torch.rand(4, DIM)), config.method.loss.build()
    rates = multipliers(model, loss)
    table = model.caption.parts[0].entry.table.weight
    assert rates.pop(id(table)) == 0.1 and set(rates.values()) == {1.0}
    assert len(rates) == len(list(model.parameters())) + len(list(loss.parameters())) - 1
    # They are no layers of a network that was trained before.
    assert pretrained_parameters(model) == []


def test_parameter_groups_follow_types_not_names():
    """A module that is called like an entry or a table learns at the common rate; a ``Tunable`` does not."""

    class Tuned(Tunable):
        def __init__(self, lr_multiplier, pretrained):
            super().__init__(lr_multiplier, pretrained)
            self.anything = nn.Linear(2, 3)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.entry = nn.ModuleDict({"table": nn.Embedding(4, 2), "tail": nn.Linear(2, 2)})
            self.last_layer = nn.Linear(2, 2)
            self.plain = Tuned(0.2, True)
            self.other = nn.Sequential(nn.Linear(2, 2), Tuned(0.5, False))

    model = Model()
    model.plain.anything.bias.requires_grad_(False)
    rates = multipliers(model, nn.Module())
    expected = {0.2: [model.plain.anything.weight], 0.5: list(model.other[1].parameters())}
    for rate, parameters in expected.items():
        assert {id(p) for p in parameters} == {key for key, value in rates.items() if value == rate}
    assert set(rates.values()) == {0.2, 0.5, 1.0} and id(model.plain.anything.bias) not in rates
    assert list(map(id, pretrained_parameters(model))) == list(map(id, model.plain.parameters()))
