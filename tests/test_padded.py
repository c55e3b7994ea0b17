"""Towers on rectangles against the ragged ones: items without rows, of one row, with rubbish behind their own."""

import numpy as np
import pytest
import torch
from torch import nn

from xmr_lib.errors import XmrError
from xmr_lib.items import Parts
from xmr_lib.modules import POOLINGS, ItemEncoder, PaddedTower, Projection, RowPart, row_pooling
from xmr_lib.modules.entries import BESIDE, MapEntry, RegionEntry, TokenEntry, WordEmbedding
from xmr_lib.ragged import Ragged

DIM, HIDDEN = 6, 8
LENGTHS = torch.tensor([3, 0, 1, 5, 2])
WITH_BOXES = [how for how in POOLINGS if how not in ("idf", "selfattention")]
WITHOUT = [how for how in WITH_BOXES if how != "score"]


def shaken(module):
    """Weights from a dice also where training starts from zeros."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, 0.5)
    return module.eval()


def tower(entry, how, box_features=0):
    pooling, dim = row_pooling(how, DIM, HIDDEN, 0.1, box_features)
    return ItemEncoder([RowPart(entry, pooling)], [Projection(dim, 4, "residual", HIDDEN, 0.1, "l2")])


def rectangle(rows):
    """The rows padded, with rubbish behind an item's own."""
    values = rows.values
    rubbish = torch.full((len(rows), 7, *values.shape[1:]), 7 if values.ndim == 1 else torch.nan, dtype=values.dtype)
    for item in range(len(rows)):
        rubbish[item, : rows.lengths[item]] = rows[item]
    return rubbish


def assert_same(encoder, rows):
    with torch.inference_mode():
        found = PaddedTower(encoder)(rectangle(rows), rows.lengths)
        torch.testing.assert_close(found, encoder(rows), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("tail", [False, True])
@pytest.mark.parametrize("how", WITH_BOXES)
def test_regions(how, tail):
    torch.manual_seed(0)
    encoder = shaken(tower(RegionEntry(nn.Linear(9, DIM) if tail else None), how, BESIDE))
    rows = torch.rand(int(LENGTHS.sum()), (9 if tail else DIM) + BESIDE)
    recurrent = "gru" in how or "lstm" in how
    rows = Ragged.from_lengths(rows, LENGTHS)
    if recurrent:
        # NaN would spread through steps that nobody looks at; numbers must not.
        with torch.inference_mode():
            given = torch.nan_to_num(rectangle(rows), nan=9.0)
            torch.testing.assert_close(PaddedTower(encoder)(given, LENGTHS), encoder(rows), atol=1e-6, rtol=1e-5)
    else:
        assert_same(encoder, rows)


@pytest.mark.parametrize("how", WITHOUT)
def test_numbers_of_words(how):
    torch.manual_seed(1)
    encoder = shaken(tower(WordEmbedding(torch.randn(11, DIM), True, 0.2), how))
    assert_same(encoder, Ragged.from_lengths(torch.randint(11, (int(LENGTHS.sum()),)), LENGTHS))


@pytest.mark.parametrize("how", ["mean", "max", "cls", "attention", "gpo"])
def test_tokens(how):
    torch.manual_seed(2)
    entry = TokenEntry(DIM, 0.1)
    entry.mean.normal_()
    entry.scale.fill_(3.0)
    encoder = shaken(tower(entry, how))
    assert_same(encoder, Ragged.from_lengths(torch.randn(int(LENGTHS.sum()), DIM), LENGTHS))


@pytest.mark.parametrize("fusion", ["concat", "sum", "average", "gate", "attention"])
def test_several_branches(fusion):
    torch.manual_seed(3)
    pooling, dim = row_pooling("attention", DIM, HIDDEN, 0.1, BESIDE)
    dims = [5, dim]
    joint = fusion == "concat"
    projections = [Projection(own, 4, "mlp", HIDDEN, 0.1, "power") for own in ([dims] if joint else dims)]
    encoder = shaken(ItemEncoder([nn.Identity(), RowPart(RegionEntry(), pooling)], projections, fusion))
    vectors, rows = torch.rand(5, 5), Ragged.from_lengths(torch.rand(int(LENGTHS.sum()), DIM + BESIDE), LENGTHS)
    with torch.inference_mode():
        found = PaddedTower(encoder)(vectors, rectangle(rows), LENGTHS)
        torch.testing.assert_close(found, encoder(Parts((vectors, rows))), atol=1e-6, rtol=1e-5)


def test_what_has_no_form_on_rectangles_is_refused():
    projection = Projection(DIM, 4, "linear", HIDDEN, 0.1, "none")
    with pytest.raises(XmrError, match="its last layers are those of a pretrained network"):
        PaddedTower(ItemEncoder([MapEntry(nn.Identity())], [projection]))
    with pytest.raises(XmrError, match="its last layers are those of a pretrained network"):
        PaddedTower(tower(TokenEntry(DIM, 0.1, nn.Linear(3, DIM)), "mean"))
    with pytest.raises(XmrError, match="its aggregation, SelfAttention, has no form"):
        PaddedTower(tower(WordEmbedding(torch.randn(3, DIM), True, 0.1), "selfattention"))


def test_weights_of_places_are_the_same_whether_items_are_padded_or_not():
    """Of one item alone, and beside a longer one."""
    torch.manual_seed(4)
    encoder = shaken(tower(WordEmbedding(torch.randn(11, DIM), True, 0.2), "gpo"))
    alone, beside = torch.tensor([[4, 2]]), torch.tensor([[4, 2, 0, 0, 0], [1, 2, 3, 4, 5]])
    with torch.inference_mode():
        one = PaddedTower(encoder)(alone, torch.tensor([2]))
        both = PaddedTower(encoder)(beside, torch.tensor([2, 5]))
    np.testing.assert_allclose(one[0], both[0], atol=1e-6)
