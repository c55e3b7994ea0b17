"""CLIP and SigLIP: both sides give what Hugging Face's own classes give of what its own processor makes."""

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_clip import save_clip, save_siglip
from transformers import AutoModel, AutoTokenizer
from transformers.models.auto.image_processing_auto import AutoImageProcessor

from xmr_lib.encoders import ENCODERS, Captions, ImageEncoder
from xmr_lib.encoders.clip_text import ClipTextEncoder
from xmr_lib.errors import XmrError
from xmr_lib.features.extract import pixels_of
from xmr_lib.features.spec import FeatureSpec
from xmr_lib.features.view import CentreCrop, Squash
from xmr_lib.modules import MapEntry, StatesEntry
from xmr_lib.networks.clip import ClipImageTail, ClipTextTail, load_clip
from xmr_lib.ragged import Ragged

CAPTIONS = [
    "a red dog runs on the beach",
    "Two people",
    "",
    "the tree",
    "zebras, at sea! a large blue ball in the snow",
]
SHAPES = [(45, 70), (70, 45), (33, 33), (32, 91), (200, 61)]
"""Heights and widths: the rest of a crop is odd in some, and pictures are shrunk or enlarged."""
KINDS = {"clip": save_clip, "siglip": save_siglip}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("clips")
    return {kind: save(root / kind) for kind, save in KINDS.items()}


@pytest.fixture(scope="module")
def pictures():
    random = np.random.default_rng(0)
    return [Image.fromarray(random.integers(0, 256, (*shape, 3), dtype=np.uint8)) for shape in SHAPES]


def encoder_of(slug):
    spec = FeatureSpec.parse(slug)
    return ENCODERS[spec.encoder](spec)


def given(encoder: ImageEncoder, pictures) -> np.ndarray:
    return np.stack([pixels_of(picture, encoder.view) for picture in pictures])


def theirs(folder, pictures):
    """What Hugging Face's own classes say, with its processor that resizes as the pictures were resized in training."""
    network = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    processor = AutoImageProcessor.from_pretrained(folder, local_files_only=True, backend="pil")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    whole = network.config.model_type == "siglip"
    tokens = tokenizer(
        CAPTIONS,
        return_tensors="pt",
        truncation=True,
        padding="max_length" if whole else True,
        max_length=network.config.text_config.max_position_embeddings,
    )
    with torch.inference_mode():
        images = network.get_image_features(**processor(images=pictures, return_tensors="pt"))
        texts = network.get_text_features(**tokens)
    return images, texts, tokens


@pytest.mark.parametrize("kind", KINDS)
def test_both_sides_are_those_of_hugging_face(folders, pictures, kind):
    images, texts, _ = theirs(folders[kind], pictures)
    image, text = encoder_of(f"clip-image:{folders[kind]}"), encoder_of(f"clip-text:{folders[kind]}")
    found = image.features(given(image, pictures))
    assert found.shape == (len(pictures), *image.row_shape) and found.dtype == np.float32
    np.testing.assert_allclose(found, images.pooler_output.numpy(), atol=1e-5)
    captions = text.rows(Captions(CAPTIONS, ()))
    np.testing.assert_allclose(captions, texts.pooler_output.numpy(), atol=1e-5)
    assert np.abs(captions[0] - captions[1]).max() > 1e-2 and np.abs(found[0] - found[1]).max() > 1e-2
    # One network on both sides: a model stands on it once.
    assert image.networks() == text.networks()


@pytest.mark.parametrize("kind", KINDS)
def test_patches_and_tokens_are_the_last_states(folders, pictures, kind):
    images, texts, tokens = theirs(folders[kind], pictures)
    image, text = encoder_of(f"clip-image-patches:{folders[kind]}"), encoder_of(f"clip-text-tokens:{folders[kind]}")
    patches = image.features(given(image, pictures))
    assert patches.shape == (len(pictures), *image.row_shape) == (len(pictures), 16, 16)
    np.testing.assert_allclose(patches, images.last_hidden_state[:, -16:].numpy(), atol=5e-3)
    rows = image.inputs(patches)
    assert isinstance(rows, Ragged) and rows.shape[1:] == (16 + 5,)
    captions = text.rows(Captions(CAPTIONS, ()))
    padding = text.tokenizer.pad_token_id if kind == "siglip" else None
    for place, own in enumerate(texts.last_hidden_state):
        ids = tokens["input_ids"][place]
        real = ids != padding if padding is not None else tokens["attention_mask"][place].bool()
        np.testing.assert_allclose(captions[place], own[real].numpy(), atol=5e-3)


@pytest.mark.parametrize("layer", [0, 1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_cut_in_two_a_tower_is_whole_again(folders, pictures, kind, layer):
    """With unchanged weights a tail ends where the whole network does: masks, norms and heads are all there."""
    clip = load_clip(str(folders[kind]))
    pixels = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        tail = ClipImageTail(clip.image, layer).train()
        torch.testing.assert_close(tail(clip.image.states(pixels, layer)), clip.image(pixels), atol=1e-5, rtol=0)
        assert len(tail.blocks) == 3 - layer and tail.dim == clip.image(pixels).shape[1]
    ids, real = torch.randint(4, 20, (3, clip.longest)), torch.ones(3, clip.longest, dtype=torch.bool)
    if kind == "clip":
        for caption, length in enumerate((clip.longest, 4, 7)):
            ids[caption, length - 1 :], real[caption, length:] = clip.tokenizer.eos_token_id, False
    with torch.inference_mode():
        tail = ClipTextTail(clip.text, layer).train()
        torch.testing.assert_close(
            tail(clip.text.states(ids, real, layer), real), clip.text(ids, real), atol=1e-5, rtol=0
        )
    assert all(p.requires_grad for p in tail.parameters())
    assert not any(p.requires_grad for p in clip.text.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_stored_states_and_their_tail_give_the_embedding(folders, pictures, kind):
    """As they are stored and gathered: in half precision, captions of any length together."""
    image, text = (encoder_of(f"clip-{side}:{folders[kind]}@1") for side in ("image", "text"))
    states = image.features(given(image, pictures))
    assert states.shape == (len(pictures), *image.row_shape) and states.dtype == np.float16
    whole = encoder_of(f"clip-image:{folders[kind]}")
    with torch.inference_mode():
        found = MapEntry(image.tail())(torch.from_numpy(states)).numpy()
        np.testing.assert_allclose(found, whole.features(given(whole, pictures)), atol=2e-2)
        rows = text.rows(Captions(CAPTIONS, ())).tensors()
        found = StatesEntry(text.tail(2))(rows).numpy()
    np.testing.assert_allclose(found, encoder_of(f"clip-text:{folders[kind]}").rows(Captions(CAPTIONS, ())), atol=2e-2)


def test_pictures_are_cropped_as_clip_and_squashed_as_siglip_were_trained(folders):
    bicubic = Image.Resampling.BICUBIC
    clip, siglip = (encoder_of(f"clip-image:{folders[kind]}") for kind in KINDS)
    assert clip.view == CentreCrop(32, 32, bicubic) and siglip.view == Squash(32, bicubic)
    assert clip.settings["crop"] == {"shorter": 32, "resample": "bicubic", "rounded": False}
    assert siglip.settings["resample"] == "bicubic" and "crop" not in siglip.settings


def test_captions_that_are_cut_are_told(folders, capsys):
    for kind, longest in (("clip", 12), ("siglip", 10)):
        encoder = encoder_of(f"clip-text:{folders[kind]}")
        assert isinstance(encoder, ClipTextEncoder) and encoder.longest == longest
        fits, not_quite = "a " * (longest - (2 if kind == "clip" else 1)), "a " * longest
        one, other, same = encoder.rows(Captions([fits, not_quite, not_quite + "dog"], ()))
        assert f"2 of 3 captions are longer than the {longest} tokens that it reads" in capsys.readouterr().err
        np.testing.assert_allclose(other, same, atol=1e-6)
        encoder.rows(Captions([fits], ()))
        assert not capsys.readouterr().err and one.shape == other.shape


def test_what_can_not_be_is_told_in_one_line(folders, tmp_path):
    with pytest.raises(
        XmrError, match=r"no CLIP that can be loaded without a download .*'xmr weights get clip-image:no/clip'"
    ) as error:
        load_clip("no/clip")
    assert "\n" not in str(error.value)
    with pytest.raises(XmrError, match=r"it has 3 layers; behind @3 none is left to train"):
        encoder_of(f"clip-image:{folders['clip']}@3").tail()
    for slug, told in (
        ("clip-image:x@1-2", "states are taken behind one layer"),
        ("clip-text-tokens:x@1", "states are taken behind one layer"),
        ("clip-text", "name the weights, clip-text:NAME_OR_FOLDER"),
    ):
        with pytest.raises(XmrError, match=told):
            FeatureSpec.parse(slug)
    assert FeatureSpec.parse("clip-image-patches:a/b").slug == "clip-image-patches:a/b"
