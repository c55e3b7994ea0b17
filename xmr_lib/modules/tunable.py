"""What starts from values that mean something already, and so may learn at a rate of its own."""

from torch import nn


class Tunable(nn.Module):
    """A module all of whose parameters take part in training in their own way, if they are trained.

    Args:
        lr_multiplier: learning rate as a share of that of new layers.
        pretrained: whether the parameters are layers of a network that was trained before.
    """

    def __init__(self, lr_multiplier: float, pretrained: bool):
        super().__init__()
        self.lr_multiplier, self.pretrained = lr_multiplier, pretrained
