"""What a plugin brings: one class each of an image encoder, a text encoder, an aggregation and a loss."""

from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import nn

from xmr_lib.encoders import ENCODERS, ImageEncoder, WordEncoder
from xmr_lib.losses import LOSSES
from xmr_lib.modules import POOLINGS
from xmr_lib.provenance import Provenance


@ENCODERS.register("thumbnails")
class Thumbnails(ImageEncoder):
    """A picture at 4 × 4 pixels."""

    provenance = Provenance(())
    row_shape, side = (48,), 4

    def features(self, pixels):
        return (pixels.reshape(len(pixels), -1) / 255).astype(np.float32)


@ENCODERS.register("letters")
class Letters(WordEncoder):
    """How often each letter stands in a word."""

    provenance = Provenance(())

    def vectors(self, words):
        return np.array([[word.count(chr(97 + k)) for k in range(26)] for word in words], dtype=np.float32)


@POOLINGS.register("softmax-mean")
class SoftMean(nn.Module):
    """The mean of the rows, times a learned scale for each dimension."""

    def __init__(self, dim, hidden, dropout, box_features=0):
        super().__init__()
        self.dim, self.scale = dim, nn.Parameter(torch.ones(dim))

    def forward(self, rows, box_features):
        sums = rows.values.new_zeros(len(rows), self.dim).index_add(0, rows.item_of_row, rows.values)
        return self.scale * sums / rows.lengths.clamp_min(1)[:, None]


@LOSSES.register("pull")
class Pull(nn.Module):
    """Softplus of how much more alike the other pairs are than an item's own."""

    def __init__(self, sharpness: Annotated[float, Field(gt=0)] = 10.0):
        super().__init__()
        self.sharpness = nn.Parameter(torch.tensor(sharpness), requires_grad=False)

    def forward(self, similarity, image_of_pair):
        negative = image_of_pair[:, None] != image_of_pair[None, :]
        apart = nn.functional.softplus(self.sharpness * (similarity - similarity.diagonal()[:, None]))
        return (apart * negative).sum() / negative.sum().clamp_min(1)
