"""Regions: the right networks, the right pictures, vectors of the final boxes, rows of the right image."""

import json

import numpy as np
import pytest
import torch
from course_twin import write_course_twin
from PIL import Image
from safetensors.torch import load_file, save_file
from torchvision.models import resnet50
from torchvision.models.detection import FasterRCNN, fasterrcnn_mobilenet_v3_large_fpn
from torchvision.models.detection._utils import overwrite_eps
from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor
from torchvision.ops import FrozenBatchNorm2d, box_iou

from xmr_lib.data.boxes import read_boxes
from xmr_lib.encoders import ENCODERS, Encoder, Site, open_encoder
from xmr_lib.encoders.frcnn import CocoRegionEncoder
from xmr_lib.errors import XmrError
from xmr_lib.experiment import Workspace, run
from xmr_lib.experiment.bank import TRUNK
from xmr_lib.experiment.detectors import detector_of
from xmr_lib.features.extract import pixels_of, read_image
from xmr_lib.features.spec import FeatureSpec
from xmr_lib.features.view import together
from xmr_lib.networks import faster_rcnn
from xmr_lib.networks.faster_rcnn import OVERLAP, SCORE, coco_detector, coco_names, find_regions
from xmr_lib.networks.frcnn_lite import DETECTOR, frcnn_lite, load_frcnn_lite
from xmr_lib.study import detector_lines, get_configs, region_queries, roi_example, runnable
from xmr_lib.tensor_file import read_tensors
from xmr_lib.training import Schedule
from xmr_lib.training.detector import detect, mean_average_precision, train_detector


def schedule(epochs, batch):
    return Schedule(epochs, batch, learning_rate=1e-3, weight_decay=1e-2, warmup=0.1)


def encoder_of(slug, *file) -> Encoder:
    spec = FeatureSpec.parse(slug)
    return ENCODERS[spec.encoder](spec, *file)


@pytest.fixture(scope="module")
def workspace(smoke_workspace):
    smoke_workspace.bank.detector()
    return smoke_workspace


@pytest.fixture(scope="module")
def pixels(workspace):
    extractor = encoder_of("effnet-lite0")
    part = workspace.dataset.split("test")
    return np.stack([read_image(part.path(image), extractor.side) for image in range(3)])


def as_images(pixels):
    return torch.tensor(pixels).permute(0, 3, 1, 2).float() / 255


def confident(detector, label=1):
    """Make a detector that has learned nothing find things: its predictor prefers one label."""
    with torch.no_grad():
        detector.roi_heads.box_predictor.cls_score.bias[label] += 6
    return detector


def test_the_whole_image_is_the_cnns_own_feature(workspace, pixels):
    """It would not be with other weights, another normalisation or a trunk cut at the wrong place."""
    detector, _, _ = load_frcnn_lite(workspace.bank.detector_file)
    extractor, regions_of = encoder_of("effnet-lite0"), encoder_of("frcnn-lite0", workspace.bank.detector_file)
    expected = extractor.features(pixels)
    stored, head = regions_of.features(pixels), regions_of.settings["columns"][0]
    whole = stored.values[stored.offsets[:-1], head:-6]
    np.testing.assert_allclose(whole.astype(float), expected, rtol=1e-2, atol=1e-2)
    for regions, feature in zip(find_regions(detector, as_images(pixels)), expected, strict=True):
        np.testing.assert_allclose(regions.backbone[0], feature, rtol=1e-3, atol=1e-3)
        assert regions.labels[0] == 0 and regions.scores[0] == 1
        assert regions.boxes[0].tolist() == [0, 0, 1, 1]


def test_vectors_belong_to_the_final_boxes(pixels):
    detector = confident(frcnn_lite(5)).eval()
    images = as_images(pixels)
    found = find_regions(detector, images, most=5)
    assert all(1 < len(regions.boxes) <= 6 for regions in found)
    with torch.inference_mode():
        features = {"0": detector.backbone(detector.transform(list(images))[0].tensors)}
        boxes = [regions.boxes * 224 for regions in found]
        pooled = detector.roi_heads.box_roi_pool(features, boxes, [(224, 224)] * 3)
        head = detector.roi_heads.box_head
        expected = torch.relu(head.fc6(pooled.flatten(1)))
        torch.testing.assert_close(torch.relu(head.fc7(expected)), head(pooled))
    torch.testing.assert_close(torch.cat([regions.head for regions in found]), expected, rtol=1e-3, atol=1e-4)


@pytest.fixture(scope="module")
def coco_file(tmp_path_factory):
    """A file in the form of torchvision's, its weights made up."""
    torch.manual_seed(0)
    detector = confident(fasterrcnn_mobilenet_v3_large_fpn(weights=None, weights_backbone=None))
    return save_as_torchvision_did(detector, tmp_path_factory.mktemp("coco") / "frcnn.pth")


def save_as_torchvision_did(detector, path):
    """Its COCO files are older than the names that its code has now, and their normalisation counts no batches."""
    state = {name: x for name, x in detector.state_dict().items() if not name.endswith("num_batches_tracked")}
    for name in list(state):
        if "fpn." in name or name.startswith("rpn.head.conv."):
            *front, end = name.split(".")
            state[".".join([*front[: 3 if "rpn" in name else -1], end])] = state.pop(name)
    torch.save(state, path)
    return path


def test_torchvisions_file_of_the_resnet_is_read_as_torchvision_reads_it(tmp_path):
    torch.manual_seed(0)
    body = _resnet_fpn_extractor(resnet50(norm_layer=FrozenBatchNorm2d), 3)
    for layer in body.modules():
        if isinstance(layer, FrozenBatchNorm2d):
            # Small variances: a normalisation that adds 1e-5 to them would show.
            layer.running_var.fill_(1e-5)
            layer.weight.fill_(1e-3)
    path = save_as_torchvision_did(FasterRCNN(body, num_classes=91), tmp_path / "frcnn.pth")
    reference = FasterRCNN(_resnet_fpn_extractor(resnet50(norm_layer=FrozenBatchNorm2d), 3), num_classes=91)
    # torchvision's own hooks rename what is old.
    reference.load_state_dict(torch.load(path, weights_only=True))
    overwrite_eps(reference, 0.0)
    images = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        expected = reference.eval().backbone(images)
        found = coco_detector("frcnn-resnet50", 64, 64, file=str(path)).backbone(images)
    for name, values in expected.items():
        torch.testing.assert_close(found[name], values, rtol=1e-3, atol=1e-3 * float(values.abs().max()))


def test_boxes_are_those_of_torchvisions_own_forward(coco_file, pixels, monkeypatch):
    monkeypatch.setenv("XMR_FRCNN_MOBILENET_WEIGHTS", str(coco_file))
    # As many and as sure as torchvision keeps: of a network that has learned nothing, the others are all but ties.
    monkeypatch.setattr(CocoRegionEncoder, "least_score", SCORE)
    monkeypatch.setattr(faster_rcnn, "MOST_FOUND", 100)
    extractor = encoder_of("frcnn-mobilenet")
    detector = extractor.network()
    sizes = {"min_size": extractor.view.shorter, "max_size": extractor.view.longest}
    reference = fasterrcnn_mobilenet_v3_large_fpn(weights=None, weights_backbone=None, **sizes)
    reference.load_state_dict(torch.load(coco_file, weights_only=True))
    images = as_images(pixels)[:2]
    with torch.inference_mode():
        expected = reference.eval()(list(images))
    for regions, own in zip(find_regions(detector, images), expected, strict=True):
        assert len(own["boxes"]) and 1 < len(regions.boxes) <= 37
        # Each is one of torchvision's, with its label and score; the first is torchvision's surest.
        overlap = box_iou(regions.boxes[1:] * 224, own["boxes"])
        best = overlap.max(1)
        assert (best.values > 0.98).all()
        torch.testing.assert_close(regions.scores[1], own["scores"].max())
        among = box_iou(regions.boxes[1:], regions.boxes[1:]).fill_diagonal_(0)
        assert (among <= OVERLAP + 1e-3).all() and (regions.scores[1:].diff() <= 0).all()
    # What is stored is of the same pictures, in the same colours.
    rows = extractor.features(pixels[:1]).values
    [regions] = find_regions(detector, images[:1])
    assert rows.shape[1:] == extractor.row_shape == (1024 + 960 + 6,)
    vectors = torch.cat([regions.head, regions.backbone], dim=1).numpy()
    np.testing.assert_allclose(rows[:, :-6].astype(float), vectors, rtol=5e-3, atol=2e-3 * np.abs(vectors).max())


def test_photographs_of_mixed_sizes_are_described_as_if_alone(coco_file, monkeypatch):
    """In their own shape; padded to one another's size, their borders would see the neighbour."""
    monkeypatch.setenv("XMR_FRCNN_MOBILENET_WEIGHTS", str(coco_file))
    extractor, rng = encoder_of("frcnn-mobilenet"), np.random.default_rng(0)
    pictures = [
        Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8)).resize((2 * width, 2 * height))
        for height, width in ((60, 80), (80, 60), (60, 80), (20, 200))
    ]
    seen = [pixels_of(picture, extractor.view) for picture in pictures]
    assert [own.shape[:2] for own in seen] == [(640, 853), (853, 640), (640, 853), (107, 1067)]
    batch = extractor.features(together(seen))
    # As many as there may be, and the whole image.
    assert batch.lengths.tolist() == [37] * 4
    for place, own in enumerate(seen):
        alone = extractor.features(together([own]))
        np.testing.assert_allclose(batch[place], alone.values, rtol=2e-2, atol=2e-3 * np.abs(alone.values).max())
    # The boxes that were found, described again.
    given = [(rows[1:, -6:-2], rows[1:, -2].astype(int), rows[1:, -1]) for rows in (batch[0], batch[1])]
    again = extractor.describe(together(seen[:2]), given)
    np.testing.assert_array_equal(again.lengths, batch.lengths[:2])
    np.testing.assert_allclose(again[1], batch[1], rtol=2e-2, atol=2e-3 * np.abs(batch[1]).max())


def test_names_and_weights_of_torchvisions_detectors(workspace, tmp_path, monkeypatch):
    assert coco_names("frcnn-resnet50")[18] == "dog"
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(XmrError, match=r"frcnn-resnet50: no weights at .*XMR_FRCNN_RESNET50_WEIGHTS"):
        encoder_of("frcnn-resnet50")
    with pytest.raises(XmrError, match="'yolo' is unknown"):
        encoder_of("yolo")
    with pytest.raises(XmrError, match="must be given"):
        encoder_of("frcnn-lite0")
    with pytest.raises(XmrError, match=r"frcnn-lite0-full.safetensors: no detector here; 'xmr detector train'"):
        open_encoder(FeatureSpec("frcnn-lite0"), Site(workspace.dataset, tmp_path))


def test_rows_of_the_store_are_those_of_their_own_image(workspace):
    head_spec, roi_spec = map(FeatureSpec.parse, ("frcnn-lite0", "frcnn-lite0-roi"))
    store = workspace.bank.image_store(head_spec)
    assert workspace.bank.image_store(roi_spec) is store
    extractor = encoder_of("frcnn-lite0", workspace.bank.detector_file)
    for image in (0, 37, 99):
        pixels = read_image(workspace.dataset.path(image), extractor.side)[None]
        alone = extractor.features(pixels)
        stored = store.take(workspace.dataset.image_ids[[image]])
        assert len(alone.values) == len(stored.values)
        np.testing.assert_allclose(stored.values.astype(float), alone.values.astype(float), rtol=0.02, atol=0.02)
    assert store.offsets[-1] > 1.5 * len(store), "hardly any region was found: nothing is tested"
    stored = store.take(workspace.dataset.image_ids[:4])
    rows, head = (workspace.bank.encoder(spec).inputs(stored) for spec in (roi_spec, head_spec))
    columns = store.meta["columns"]
    assert rows.values.shape[1] == columns[1] + 5 and head.values.shape[1] == columns[0] + 5
    np.testing.assert_array_equal(rows.values[:, -5:], head.values[:, -5:])
    assert rows.values[rows.offsets[:-1], -5:].tolist() == [[0, 0, 1, 1, 1]] * 4
    np.testing.assert_array_equal(head.values[:, :-5], stored.values[:, : columns[0]])
    np.testing.assert_array_equal(rows.values[:, :-5], stored.values[:, columns[0] : sum(columns)])
    boxes, labels, scores = extractor.boxes_of(store, int(workspace.dataset.image_ids[1]))
    np.testing.assert_array_equal(np.column_stack([boxes, labels, scores]), stored[1][:, -6:].astype(np.float32))


def test_a_detector_learns_what_it_is_shown(workspace, tmp_path):
    """Its own training pictures, often: without the right boxes on the right pictures it could not."""
    boxes = read_boxes(workspace.dataset.source / "boxes.json", workspace.dataset)
    maps = workspace.bank.image_store(TRUNK)
    few = np.array([image for image in range(40) if len(boxes.boxes[image])])[:8]
    path = tmp_path / "d.safetensors"
    history = train_detector(maps, workspace.dataset.image_ids, boxes, few, few, path, schedule(14, 4), {"x": 1})
    assert history.loss[-1] < 0.6 * history.loss[0]
    assert history.validation[-1] > 0.2 > history.validation[0]
    detector, names, _ = load_frcnn_lite(path)
    assert names == boxes.names
    found = mean_average_precision(detector, maps, workspace.dataset.image_ids, boxes, few)
    assert found["map_50"] == pytest.approx(history.validation[-1], abs=1e-6)
    assert found["map_50"] == pytest.approx(np.mean([found[n] for n in found if n != "map_50"]), abs=1e-5)
    # What it finds on cached maps is what the whole network finds in the pictures.
    pixels = read_image(workspace.dataset.path(int(few[0])), 224)[None]
    [whole] = find_regions(detector, as_images(pixels))
    stored = torch.from_numpy(maps.take(workspace.dataset.image_ids[few[:1]]).astype(np.float32))
    [cached] = detect(detector, stored)
    torch.testing.assert_close(whole.scores[1], cached["scores"].max(), rtol=0.02, atol=0.01)


def test_training_goes_on_after_a_stop_to_the_same_weights(workspace, tmp_path):
    boxes = read_boxes(workspace.dataset.source / "boxes.json", workspace.dataset)
    maps = workspace.bank.image_store(TRUNK)
    few = np.array([image for image in range(40) if len(boxes.boxes[image])])[:4]
    arguments = (maps, workspace.dataset.image_ids, boxes, few, few)
    train_detector(*arguments, tmp_path / "whole.safetensors", schedule(2, 2), {"x": 1})

    def stop(epoch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_detector(*arguments, tmp_path / "stopped.safetensors", schedule(2, 2), {"x": 1}, after_epoch=stop)
    assert not (tmp_path / "stopped.safetensors").exists()
    with pytest.raises(XmrError):
        train_detector(*arguments, tmp_path / "stopped.safetensors", schedule(2, 2), {"x": "other"})
    train_detector(*arguments, tmp_path / "stopped.safetensors", schedule(2, 2), {"x": 1})
    whole, stopped = load_file(tmp_path / "whole.safetensors"), load_file(tmp_path / "stopped.safetensors")
    assert whole.keys() == stopped.keys() and all(torch.equal(whole[name], stopped[name]) for name in whole)


def test_a_file_that_is_no_detector_is_refused(workspace, tmp_path):
    with pytest.raises(XmrError, match="xmr detector train"):
        load_frcnn_lite(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("no")
    with pytest.raises(XmrError, match="not a detector of this project"):
        load_frcnn_lite(tmp_path / "text.safetensors")
    # Without the checksums that read_tensors takes away: as an older version wrote it.
    facts, state = read_tensors(workspace.bank.detector_file, *DETECTOR)
    dropped = {name: x for name, x in state.items() if "fc7" not in name}
    save_file(dropped, tmp_path / "less.safetensors", facts)
    with pytest.raises(XmrError, match="fc7"):
        load_frcnn_lite(tmp_path / "less.safetensors")
    save_file(state, tmp_path / "names.safetensors", facts | {"names": json.dumps({1: "one"})})
    with pytest.raises(XmrError, match="not a detector of this project"):
        load_frcnn_lite(tmp_path / "names.safetensors")
    state["rpn.head.conv.0.0.bias"][3] = np.nan
    save_file(state, tmp_path / "ruined.safetensors", facts)
    with pytest.raises(XmrError, match=r"weights of this detector are not finite; delete it \(and its regions\)"):
        load_frcnn_lite(tmp_path / "ruined.safetensors")


def test_a_detector_of_other_boxes_is_refused(workspace, tmp_path):
    content = json.loads((workspace.dataset.source / "boxes.json").read_text())
    content["annotations"] = content["annotations"][1:]
    (tmp_path / "boxes.json").write_text(json.dumps(content))
    arguments = (
        workspace.bank.usable((TRUNK,)),
        tmp_path / "boxes.json",
        workspace.bank.image_store(TRUNK),
        workspace.bank.detector_file,
    )
    with pytest.raises(XmrError, match="trained with boxes = "):
        detector_of(*arguments, workspace.profile.detector_epochs)
    facts, state = read_tensors(workspace.bank.detector_file, *DETECTOR)
    older = {key: value for key, value in json.loads(facts["identity"]).items() if key != "splits"} | {"train": 60}
    path = tmp_path / "older.safetensors"
    save_file(state, path, facts | {"identity": json.dumps(older)})
    boxes = workspace.dataset.source / "boxes.json"
    with pytest.raises(XmrError, match="trained with train = 60, not None"):
        detector_of(arguments[0], boxes, arguments[2], path, workspace.profile.detector_epochs)


def test_data_without_boxes_take_torchvisions_detector_and_say_what_is_missing(tmp_path, monkeypatch):
    write_course_twin(tmp_path / "course", images=40, feature_files=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    workspace = Workspace("flickr30k", tmp_path / "course", "smoke", tmp_path / "results")
    [config] = get_configs(workspace, "c-head-mean")
    assert config.image_features == "frcnn-resnet50"
    with pytest.raises(XmrError, match="frcnn-resnet50: no weights at"):
        run(workspace, config)
    [line] = detector_lines(workspace)
    assert line.startswith("no Faster R-CNN here: frcnn-resnet50: no weights at") and "boxes.json" in line
    assert [own.name for own in runnable(workspace, "c-head-mean", "f-image-sum", "r-fasttext")] == ["r-fasttext"]
    with pytest.raises(XmrError, match="no boxes here"):
        workspace.bank.detector()


def test_a_run_on_regions_and_where_it_looks(workspace, tmp_path):
    assert detector_lines(workspace)[0].startswith("epoch 1: loss ")
    config = get_configs(workspace, "c-roi-attention")[0].replace(name="attention-here")
    [result] = run(workspace, config)
    assert result.test["rsum"] > 0 and result.config.image_features == "frcnn-lite0-roi"
    figure = region_queries(workspace, result, count=2)
    titles = [axes.get_title("left") for axes in figure.axes]
    assert len(titles) == 4 and sum("of the weight" in title for title in titles) == 2
    region, pooled, aligned = roi_example(workspace, config).axes
    assert region.get_title("left").startswith("the region: ") and "7 × 7 cells" in region.get_xlabel()
    assert "the mean of 4 places each" in aligned.get_xlabel() and len(aligned.patches) == len(pooled.patches) - 1 == 9
    [other] = run(workspace, get_configs(workspace, "c-head-mean")[0].replace(name="mean-here"))
    with pytest.raises(XmrError, match="attention over regions is to be drawn, not 'mean'"):
        region_queries(workspace, other)
