"""Recurrent aggregation: an LSTM or GRU reads the words in their order, and its hidden states become the caption."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..ragged import Ragged
from .pooling import pool

NETWORKS = ("lstm", "bilstm", "gru", "bigru")
POOLED = "-meanmax"
"""Ending of an aggregation that takes mean ‖ maximum of the hidden states of all words, not the last one alone."""
RECURRENT = (*NETWORKS, *(f"{name}{POOLED}" for name in NETWORKS))


class RecurrentPooling(nn.Module):
    """LSTM (Hochreiter & Schmidhuber 1997) or GRU (Cho et al. 2014) over ``<bos>``, an item's rows, ``<eos>``.

    Sequences are packed: the network never takes a padded step, and its last hidden state is that after ``<eos>``
    (read backwards, in a bidirectional one: after ``<bos>``). Both marks are learned vectors.

    Args:
        kind: one of ``RECURRENT``.
        dim: length of a row.
        hidden: length of a hidden state, both directions together.
    """

    def __init__(self, kind: str, dim: int, hidden: int):
        super().__init__()
        self.pooled = kind.endswith(POOLED)
        network = nn.LSTM if "lstm" in kind else nn.GRU
        # Two directions share the width, so that what comes out is as long as of one.
        both = kind.startswith("bi")
        self.rnn = network(dim, hidden // 2 if both else hidden, batch_first=True, bidirectional=both)
        self.dim = 2 * hidden if self.pooled else hidden
        self.bos, self.eos = (nn.Parameter(torch.randn(dim) / math.sqrt(dim)) for _ in range(2))

    def forward(self, rows: Ragged, box_features: Float[Tensor, "rows box_features"]) -> Float[Tensor, "items dim"]:
        marked = self.marked(rows)
        packed = nn.utils.rnn.pack_padded_sequence(
            marked.padded()[0], marked.lengths, batch_first=True, enforce_sorted=False
        )
        outputs, states = self.rnn(packed)
        if self.pooled:
            padded = nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True)[0]
            return pool(marked.unpadded(padded), marked.offsets, "meanmax")
        last = states[0] if isinstance(states, tuple) else states
        return torch.cat(list(last), dim=1)

    def marked(self, rows: Ragged) -> Ragged:
        """Put ``<bos>`` before and ``<eos>`` behind the rows of each item."""
        items = len(rows)
        offsets = rows.offsets + 2 * torch.arange(items + 1)
        values = rows.values.new_empty(int(offsets[-1]), rows.values.shape[1])
        real = torch.ones(len(values), dtype=torch.bool)
        real[offsets[:-1]] = real[offsets[1:] - 1] = False
        # Out of place, so that the marks get their gradients.
        places = torch.cat([real.nonzero().squeeze(1), offsets[:-1], offsets[1:] - 1])
        parts = (rows.values, self.bos.expand(items, -1), self.eos.expand(items, -1))
        return Ragged(values.index_copy(0, places.to(values.device, non_blocking=True), torch.cat(parts)), offsets)
