"""The one loop: any problem is gone through, kept at its best, cut back and taken up again in the same way."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from xmr_lib.errors import XmrError
from xmr_lib.training import Checkpoint, History, Problem, Schedule, fit


class Line(Problem):
    """A straight line through noisy points; what is best on validation may be named."""

    name, measure = "line", "closeness"

    def __init__(self, values: list[float] | None = None, chooses: bool = True):
        x = torch.linspace(-1, 1, 50)[:, None]
        self.x, self.y = x, 3 * x + torch.randn(50, 1, generator=torch.Generator().manual_seed(0))
        torch.manual_seed(0)
        self.model = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Dropout(0.1))
        self.modules = torch.nn.ModuleDict({"model": self.model})
        self.items, self.values, self.chooses = 50, values, chooses
        self.batches: list[torch.Tensor] = []
        self.epoch = -1

    def parameter_groups(self, weight_decay):
        weight, bias = self.model[0].weight, self.model[0].bias
        return [
            {"params": [weight], "weight_decay": weight_decay, "lr_multiplier": 1.0},
            {"params": [bias], "weight_decay": 0.0, "lr_multiplier": 0.0},
        ]

    def start_epoch(self):
        super().start_epoch()
        self.epoch += 1

    def batch_loss(self, batch):
        assert self.model.training
        self.batches.append(batch)
        return (self.model(self.x[batch]) - self.y[batch]).square().mean()

    def validate(self):
        return self.values[self.epoch] if self.values else -(self.model[0](self.x) - self.y).square().mean().item()


LINE = Schedule(epochs=4, batch=16, learning_rate=0.1, weight_decay=0.01, warmup=0.1)


def fit_line(path: Path, problem: Line, schedule: Schedule = LINE, **kwargs) -> tuple[History, float]:
    history = fit(problem, schedule, 5, Checkpoint(path, {"line": 1}), **kwargs)
    return history, problem.model[0].weight.item()


def test_an_epoch_goes_once_through_the_items_and_each_group_has_its_rate(tmp_path):
    problem = Line()
    bias = problem.model[0].bias.clone()
    history, _ = fit_line(tmp_path / "c", problem)
    assert len(problem.batches) == 4 * 3 and all(len(batch) == 16 for batch in problem.batches)
    for epoch in range(4):
        assert len(torch.cat(problem.batches[3 * epoch : 3 * epoch + 3]).unique()) == 48
    assert not torch.equal(problem.batches[0], problem.batches[3])
    assert torch.equal(problem.model[0].bias, bias), "its multiplier is 0"
    assert len(history.seconds) == 4 and not problem.model.training


def test_which_epoch_is_kept(tmp_path):
    values, weights = [1.0, 3.0, 3.0, 2.0], []
    for chooses, kept in ((True, 1), (False, 3)):
        problem, weights = Line(values, chooses), []
        after = {"after_epoch": lambda epoch, p=problem, w=weights: w.append(p.model[0].weight.item())}
        history, weight = fit_line(tmp_path / str(chooses), problem, **after)
        assert history.best_epoch == kept and weight == weights[kept] and len(set(weights)) == 4


def test_patience_counts_epochs_without_a_better_value(tmp_path):
    for patience, epochs in ((1, 3), (2, 4), (None, 4)):
        history, _ = fit_line(tmp_path / str(patience), Line([1, 2, 2, 2]), replace(LINE, patience=patience))
        assert len(history.loss) == epochs


def test_any_problem_goes_on_after_a_stop_to_the_same_numbers(tmp_path):
    def stop(epoch):
        if epoch == 1:
            raise KeyboardInterrupt

    whole = fit_line(tmp_path / "whole", Line())
    with pytest.raises(KeyboardInterrupt):
        fit_line(tmp_path / "stopped", Line(), after_epoch=stop)
    epochs = []
    history, weight = fit_line(tmp_path / "stopped", Line(), after_epoch=epochs.append)
    assert epochs == [2, 3]
    assert (history.loss, history.validation, weight) == (whole[0].loss, whole[0].validation, whole[1])


def test_a_large_gradient_is_cut_back(tmp_path):
    """Adam's steps hardly tell how large a gradient is: what the optimiser is given is looked at."""
    for largest, lowest, highest in ((None, 1e3, np.inf), (10.0, 9.99, 10.01)):
        problem, norms = Line(), []
        problem.y *= 1e6
        problem.largest_gradient = largest

        def note(epoch, problem=problem, norms=norms):
            norms.append(float(torch.cat([p.grad.flatten() for p in problem.model.parameters()]).norm()))

        fit_line(tmp_path / str(largest), problem, after_epoch=note)
        assert lowest < min(norms) <= max(norms) < highest


def test_a_checkpoint_of_other_modules_is_refused(tmp_path):
    fit_line(tmp_path / "c", Line())
    other = Line()
    other.modules["more"] = torch.nn.Linear(1, 1)
    with pytest.raises(XmrError, match="a checkpoint of other modules"):
        fit_line(tmp_path / "c", other)
