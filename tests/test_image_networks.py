"""Image networks by name: torchvision's and Hugging Face's give what their own code gives of the same photograph."""

import re

import numpy as np
import pytest
import torch
from PIL import Image
from test_clip import SHAPES, encoder_of, given
from tiny_clip import save_clip, save_dinov2
from torchvision.models import get_model_builder, get_model_weights
from transformers import AutoModel, ConvNextConfig, ConvNextModel, ViTConfig, ViTForImageClassification
from transformers.models.auto.image_processing_auto import AutoImageProcessor
from transformers.models.convnext.image_processing_pil_convnext import ConvNextImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from xmr_lib.config import from_flat
from xmr_lib.encoders.model_cards import known_by_name
from xmr_lib.errors import XmrError
from xmr_lib.experiment import Workspace, embed, run
from xmr_lib.experiment.run import model_of
from xmr_lib.features.spec import FeatureSpec
from xmr_lib.model import RetrievalModel
from xmr_lib.networks.torchvision_networks import NETWORKS
from xmr_lib.ragged import Ragged

CLASSIFIERS = {"resnet50": "fc", "vit-b-32": "heads", "convnext-tiny": "classifier.2"}
"""One network of each kind, and its last layers, whose input is the feature."""


@pytest.fixture(scope="module")
def pictures():
    random = np.random.default_rng(0)
    small = [Image.fromarray(random.integers(0, 256, (*shape, 3), dtype=np.uint8)) for shape in SHAPES]
    return [picture.resize((4 * picture.width, 4 * picture.height)) for picture in small[:3]]


@pytest.fixture
def network(request, tmp_path, monkeypatch):
    """A random network of torchvision's, and a file of its weights with the names that older versions gave."""
    slug = request.param
    torch.manual_seed(0)
    made = get_model_builder(slug.replace("-", "_"))(weights=None).eval()
    state = {name: x.half() for name, x in made.state_dict().items() if not name.endswith("num_batches_tracked")}
    made.load_state_dict({name: x.float() for name, x in state.items()}, strict=False)
    for new, old in ((r"(mlp)\.0\.", r"\1.linear_1."), (r"(mlp)\.3\.", r"\1.linear_2.")):
        state = {re.sub(new, old, name): x for name, x in state.items()}
    torch.save(state, tmp_path / "weights.pth")
    monkeypatch.setenv(f"XMR_{slug.replace('-', '_').upper()}_WEIGHTS", str(tmp_path / "weights.pth"))
    return slug, made


@pytest.mark.parametrize("network", CLASSIFIERS, indirect=True)
def test_torchvisions_features_are_what_its_classifier_reads(network, pictures):
    slug, made = network
    read = []
    last = made.get_submodule(CLASSIFIERS[slug])
    last.register_forward_pre_hook(lambda module, inputs: read.append(inputs[0]))
    official = NETWORKS[slug].published.transforms()
    with torch.inference_mode():
        made(torch.stack([official(picture) for picture in pictures]))
    encoder = encoder_of(slug)
    found = encoder.features(given(encoder, pictures))
    assert found.shape == (3, *encoder.row_shape)
    np.testing.assert_allclose(found, read[0].numpy(), rtol=1e-3, atol=1e-4 * np.abs(found).max())
    if slug == "resnet50":
        grid = encoder_of("resnet50-grid")
        places = grid.features(given(grid, pictures))
        assert places.shape == (3, *grid.row_shape) == (3, 49, 2048) and isinstance(grid.inputs(places), Ragged)
        np.testing.assert_allclose(places.mean(1), found, rtol=1e-2, atol=1e-3)


def test_names_of_torchvision_are_versions_that_it_publishes():
    for slug, weights in NETWORKS.items():
        own = get_model_weights(slug.replace("-", "_"))
        assert weights.published is own[weights.version] and FeatureSpec.parse(slug).provenance.track == "clean"
        assert weights.published is own.DEFAULT or "swag" not in weights.file
    with pytest.raises(XmrError, match="'vit-b-16-grid' is unknown"):
        FeatureSpec.parse("vit-b-16-grid")
    with pytest.raises(XmrError, match=r"resnet152: no weights at .*resnet152-f82ba261.pth; .*XMR_RESNET152_WEIGHTS"):
        encoder_of("resnet152")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """DINOv2; a ViT that was saved without its pooler; a ConvNeXt, whose states are a map."""
    root = tmp_path_factory.mktemp("vision")
    save_dinov2(root / "dinov2")
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2, "intermediate_size": 32}
    ViTForImageClassification(ViTConfig(**sizes, image_size=32, patch_size=8)).save_pretrained(root / "vit")
    ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(root / "vit")
    ConvNextModel(ConvNextConfig(hidden_sizes=[4, 8, 8, 16], depths=[1, 1, 1, 1])).save_pretrained(root / "convnext")
    ConvNextImageProcessorPil(size={"shortest_edge": 224}).save_pretrained(root / "convnext")
    return root


@pytest.mark.parametrize("kind", ["dinov2", "vit", "convnext"])
def test_hugging_faces_features_are_the_networks_own(folders, pictures, kind):
    slug = f"hf-vision:{folders / kind}"
    processor = AutoImageProcessor.from_pretrained(folders / kind, backend="pil")
    theirs = AutoModel.from_pretrained(folders / kind).eval()
    with torch.inference_mode():
        expected = theirs(**processor(images=pictures, return_tensors="pt"))
    states = expected.last_hidden_state
    encoder, patches = encoder_of(slug), encoder_of(slug.replace(":", "-patches:"))
    found, places = encoder.features(given(encoder, pictures)), patches.features(given(patches, pictures))
    pooled = states[:, 0] if kind == "vit" else expected.pooler_output
    np.testing.assert_allclose(found, pooled.numpy(), atol=1e-5)
    tokens = states.flatten(2).transpose(1, 2) if kind == "convnext" else states[:, 1:]
    np.testing.assert_allclose(places, tokens.numpy(), atol=1e-2)
    assert places.shape == (3, *patches.row_shape) and found.shape == (3, *encoder.row_shape)


def test_a_model_on_dinov2_leaves_its_run(folders, tmp_path):
    workspace = Workspace("scenes", None, "smoke", tmp_path / "results")
    fields = {"image_features": f"hf-vision-patches:{folders / 'dinov2'}", "image_pooling": "mean"}
    config = workspace.sized(from_flat("dinov2", **fields, text_features="onehot"))
    [result] = run(workspace, config)
    model_of(workspace, result).save(tmp_path / "model", with_networks=True)
    part = workspace.dataset.split("test")
    model = RetrievalModel.load(tmp_path / "model")
    again = model.encode_images([part.path(image) for image in range(len(part))])
    np.testing.assert_allclose(again, embed(workspace, result, "test")[0], atol=2e-3)
    assert config.track == "open", "nobody says what this one was trained on"


def test_what_a_network_was_trained_on_is_known_by_name_alone(tmp_path, monkeypatch):
    tracks = {
        "clip-image:openai/clip-vit-base-patch32": ("open", "WIT 400M"),
        "clip-text:laion/CLIP-ViT-B-32-laion2B-s34B-b79K": ("open", "LAION-2B"),
        "clip-text:google/siglip-base-patch16-224": ("open", "WebLI"),
        "clip-text:me/my-clip": ("open", "unknown"),
        "hf-vision:facebook/dinov2-base": ("clean", "LVD-142M"),
        "hf-vision:me/my-vit": ("open", "unknown"),
    }
    for slug, (track, data) in tracks.items():
        found = FeatureSpec.parse(slug).provenance
        assert found.track == track and found.trained_on[0].startswith(data)
        assert track == "clean" or "nobody" in found.note
    monkeypatch.chdir(tmp_path)
    (tmp_path / "openai" / "clip-mine").mkdir(parents=True)
    assert known_by_name("openai/clip-mine", ((r"openai/clip-.*", found),)) is None
    (tmp_path / "openai" / "clip-mine" / "README.md").write_text("---\ndatasets:\n- cc12m\n---\n")
    assert FeatureSpec.parse("clip-text:openai/clip-mine").provenance.trained_on == ("cc12m",)


def test_what_is_no_image_network_is_told(tmp_path):
    with pytest.raises(XmrError, match="take clip-image:"):
        encoder_of(f"hf-vision:{save_clip(tmp_path / 'clip')}").row_shape  # noqa: B018 (it loads the network)
    save_dinov2(tmp_path / "net")
    ViTImageProcessorPil(do_resize=False).save_pretrained(tmp_path / "net")
    with pytest.raises(XmrError, match="prepares pictures in a way that is not known here"):
        encoder_of(f"hf-vision:{tmp_path / 'net'}").view  # noqa: B018
