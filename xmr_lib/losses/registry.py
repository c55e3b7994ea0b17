"""Losses by name. One is a module from a similarity matrix and the image of each pair to a scalar."""

from torch import nn

from ..registry import Registry

LOSSES: Registry[type[nn.Module]] = Registry("loss")
"""The arguments of a class, with bounds and defaults, are what a config may set of it. ``distances``, if it has any,
names those that it can be computed from."""
