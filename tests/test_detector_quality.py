"""Regions at boxes that are made worse step by step."""

import numpy as np
import pytest

from xmr_lib.data.boxes import read_boxes
from xmr_lib.experiment import Workspace, run
from xmr_lib.experiment.sweep import read_sweep
from xmr_lib.figures import detector_quality_figure
from xmr_lib.study import detector_quality, get_configs
from xmr_lib.study.detector_quality import LEAST, SWEEP, _map50, _noisy, quality_points


@pytest.fixture(scope="module")
def boxes(smoke_workspace):
    return read_boxes(smoke_workspace.beside("boxes.json"), smoke_workspace.dataset)


def test_noise_makes_boxes_worse_and_leaves_them_in_the_image(smoke_workspace, boxes):
    images = smoke_workspace.dataset.splits["val"]
    quality = []
    for noise in (0.0, 0.1, 0.3, 1.0):
        noisy = [_noisy(own, noise, image) for image, own in enumerate(boxes.boxes)]
        assert all(len(a) == len(b) for a, b in zip(noisy, boxes.boxes, strict=True))
        every = np.concatenate(noisy)
        assert every.min() >= 0 and every.max() <= 1 + 1e-6
        assert (every[:, 2:] - every[:, :2]).min() >= 0.99 * LEAST
        quality.append(_map50(noisy, boxes, images))
    assert quality[0] == pytest.approx(1) and quality == sorted(quality, reverse=True) and quality[-1] < 0.3
    # Without noise they are the very boxes, but for the smallest.
    large = boxes.boxes[0][(boxes.boxes[0][:, 2:] - boxes.boxes[0][:, :2]).min(1) > LEAST]
    same = _noisy(large, 0.0, 5)
    np.testing.assert_allclose(same, large, atol=1e-6)
    np.testing.assert_array_equal(_noisy(large, 0.7, 5), _noisy(large, 0.7, 5))


def test_points_stand_beside_the_detector_and_the_whole_image(smoke_workspace, tmp_path, monkeypatch):
    own = Workspace("scenes", None, "smoke", tmp_path)
    points = quality_points(own, [0])
    assert list(points["regions"]) == ["noise 0", "noise 0.5", "the detector", "the whole image"]
    assert points["map50"][0] == pytest.approx(100) and np.isnan(points["map50"][3])
    config, whole = get_configs(own, "c-roi-attention", "r-fasttext")
    for row, kind in ((2, config), (3, whole)):
        assert points["val_rsum"][row] == run(own, kind, [0])[0].val_rsum
    recorded = {point.run: point.val_rsum for point in read_sweep(own.results, SWEEP)}
    assert recorded["c-roi-attention-noise0.5"] == points["val_rsum"][1] != points["val_rsum"][0]
    # What is recorded is not described again.
    monkeypatch.setattr(detector_quality, "_described", lambda *given: pytest.fail("described again"))
    assert quality_points(own, [0]).equals(points)
    axis = detector_quality_figure(points).axes[0]
    assert axis.get_xlabel() == "mAP@0.5 of the boxes (%)" and len(axis.containers) == 2


def test_without_boxes_there_are_no_points(smoke_workspace, tmp_path, monkeypatch):
    own = Workspace("scenes", None, "smoke", tmp_path)
    monkeypatch.setattr(Workspace, "detector_slug", "frcnn-resnet50")
    assert len(quality_points(own, [0])) == 0
