"""What an optimiser is given: the parameters that are trained, in groups."""

from torch import nn

from ..modules import Tunable


def parameter_groups(model: nn.Module, loss: nn.Module, weight_decay: float) -> list[dict]:
    """Return what is trained, in groups: decayed or not, and by the multiplier of their learning rate."""
    multipliers = {id(p): own.lr_multiplier for own in _tunables(model) for p in own.parameters()}
    parameters = [p for p in (*model.parameters(), *loss.parameters()) if p.requires_grad]
    groups = []
    for multiplier in sorted({multipliers.get(id(p), 1.0) for p in parameters}, reverse=True):
        own = [p for p in parameters if multipliers.get(id(p), 1.0) == multiplier]
        # Biases and the temperature are not pulled towards zero: they scale nothing.
        for several, decay in ((True, weight_decay), (False, 0.0)):
            if of_group := [p for p in own if (p.ndim > 1) == several]:
                groups.append({"params": of_group, "weight_decay": decay, "lr_multiplier": multiplier})
    return groups


def pretrained_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Return the parameters of pretrained layers: a detector's fc7, the rest of a network that was cut in two."""
    return [p for own in _tunables(model) if own.pretrained for p in own.parameters()]


def _tunables(model: nn.Module) -> list[Tunable]:
    return [module for module in model.modules() if isinstance(module, Tunable)]
