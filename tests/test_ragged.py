"""Ragged rows against plain lists, as arrays and as tensors."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xmr_lib.ragged import Ragged, offsets_of

LENGTHS = st.lists(st.integers(0, 4), min_size=1, max_size=8)


@given(LENGTHS, st.data())
def test_gathering_is_that_of_lists(lengths, data):
    wanted = data.draw(st.lists(st.integers(0, len(lengths) - 1), max_size=10))
    values = np.arange(2 * sum(lengths)).reshape(-1, 2)
    rows = Ragged.from_lengths(values, np.array(lengths))
    ends = np.cumsum(lengths)
    items = [values[end - length : end] for length, end in zip(lengths, ends, strict=True)]
    expected = [items[item].tolist() for item in wanted]
    taken = rows[np.array(wanted, dtype=np.int64)]
    assert [own.tolist() for own in taken] == expected
    tensors = rows.tensors()
    assert [own.tolist() for own in tensors[torch.tensor(wanted, dtype=torch.int64)]] == expected
    assert [own.tolist() for own in tensors[1:3]] == [item.tolist() for item in items[1:3]]
    owners = [item for item, length in enumerate(lengths) for _ in range(length)]
    assert rows.item_of_row.tolist() == tensors.item_of_row.tolist() == owners
    assert rows.lengths.tolist() == tensors.lengths.tolist() == lengths
    assert offsets_of(torch.tensor(lengths)).tolist() == rows.offsets.tolist()
    assert rows.shape == tensors.shape == (len(lengths), 2)


def test_one_item_by_its_place():
    rows = Ragged.from_lengths(np.arange(5), np.array([2, 0, 3]))
    assert rows[-1].tolist() == [2, 3, 4] and rows[1].tolist() == []
    with pytest.raises(IndexError, match="item 3 of 3"):
        rows[3]


def test_tensors_share_the_memory_of_arrays():
    rows = Ragged.from_lengths(np.zeros((3, 2)), np.array([1, 2]))
    rows.tensors().values[0, 0] = 5
    assert rows.values[0, 0] == 5
