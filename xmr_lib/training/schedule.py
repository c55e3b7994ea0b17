"""How long a training takes and how large its steps are."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """Settings of AdamW, of the learning rate over the steps, and of early stop."""

    epochs: int
    """Most passes over the items; the cosine ends there."""
    batch: int
    """Items per step."""
    learning_rate: float
    """Peak, for what has no multiplier of its own."""
    weight_decay: float
    warmup: float
    """Share of all steps in which the learning rate rises."""
    patience: int | None = None
    """Epochs without a better validation value after which training stops; None: it goes on to the last epoch."""

    def steps(self, items: int) -> int:
        """Return the steps of an epoch: the last, smaller batch is left out, if it is not the only one."""
        return max(items // self.batch, 1)

    def rate(self, step: int, total: int) -> float:
        """Return the learning rate of one of ``total`` steps."""
        return self.learning_rate * share_of_peak(step, total, self.warmup)


def share_of_peak(step: int, total: int, warmup: float) -> float:
    """Return the share of the peak learning rate: linear warm-up, then half a cosine down to zero."""
    rise = max(round(total * warmup), 1)
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(total - rise, 1)))
