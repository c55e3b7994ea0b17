"""What a match rests on: the weights are those that the model computes with, and a word left out is left out."""

import numpy as np
import pytest
from PIL import Image

from xmr_lib.data.words import tokenise
from xmr_lib.experiment import run
from xmr_lib.experiment.run import model_of
from xmr_lib.features.view import CentreCrop, Squash
from xmr_lib.model import EnsembleModel
from xmr_lib.model.explain import ATTENTION, LEAVE_ONE_OUT, MOST_WORDS, explain_picture, explain_sentence
from xmr_lib.study import get_configs

SENTENCE = "A small brown dog runs on the beach."
MODELS = ("ab-infonce-meanmax", "cca-mean", "e-attention", "d-attention", "c-roi-attention", "f-image-concat")


@pytest.fixture(scope="module")
def models(smoke_workspace):
    found = {}
    for config in get_configs(smoke_workspace, *MODELS):
        [result] = run(smoke_workspace, config)
        found[config.name] = model_of(smoke_workspace, result)
    return found


@pytest.fixture(scope="module")
def picture(smoke_workspace):
    part = smoke_workspace.dataset.split("test")
    with Image.open(part.path(0)) as image:
        return image.convert("RGB")


@pytest.mark.parametrize("name", ["c-roi-attention", "f-image-concat"])
def test_the_weights_of_regions_are_those_of_the_pooled_vector(models, picture, name):
    model = models[name]
    found = explain_picture(model, picture)
    assert found.model == name and len(found.boxes) == len(found.weights) == len(found.names)
    assert found.weights.sum() == pytest.approx(1, abs=1e-5)
    assert (found.boxes >= 0).all() and (found.boxes <= 1.001).all() and (found.boxes[:, 2:] > found.boxes[:, :2]).all()
    place = 1 if name == "f-image-concat" else 0
    given, part = model.images[place], model.network.image.parts[place]
    rows = given.of_pixels(given.encoder.view(picture)[None])
    expected = (rows.values[:, :-5].float() * found.weights[:, None]).sum(0)
    np.testing.assert_allclose(part(rows).detach()[0], expected, atol=1e-4)


def test_regions_have_the_names_of_the_detector(models, picture):
    names = explain_picture(models["c-roi-attention"], picture).names
    assert set(names) <= {"", *models["c-roi-attention"].images[0].encoder.names.values()}
    assert names[0] == "", "the whole image"


def test_without_attention_nothing_is_said_of_a_picture(models, picture):
    for name in ("ab-infonce-meanmax", "cca-mean", "e-attention"):
        assert explain_picture(models[name], picture) is None


@pytest.mark.parametrize("name", ["e-attention", "d-attention"])
def test_the_attention_over_words_is_told(models, name):
    found = explain_sentence(models[name], SENTENCE)
    assert (found.model, found.measure) == (name, ATTENTION)
    assert found.weights.sum() == pytest.approx(1, abs=1e-5)
    words = [word for word in found.words if word not in ("[CLS]", "[SEP]", ".")]
    assert words == list(tokenise(SENTENCE))


@pytest.mark.parametrize("name", ["ab-infonce-meanmax", "cca-mean", "c-roi-attention"])
def test_elsewhere_each_word_is_left_out_in_turn(models, picture, name):
    model = models[name]
    other = model.encode_images([picture])[0]
    found = explain_sentence(model, SENTENCE, other)
    assert (found.measure, found.words) == (LEAVE_ONE_OUT, tuple(SENTENCE.split()))
    whole = model.similarity(other[None], model.encode_texts([SENTENCE]))[0, 0]
    without_dog = model.similarity(other[None], model.encode_texts(["A small brown runs on the beach."]))[0, 0]
    assert found.weights[3] == pytest.approx(whole - without_dog, abs=1e-5)
    assert explain_sentence(model, SENTENCE) is None, "compared with nothing"
    assert explain_sentence(model, "dog", other) is None, "nothing would be left"
    assert explain_sentence(model, "dog " * (MOST_WORDS + 1), other) is None
    assert explain_sentence(model, "犬が走る", other).words == ("犬", "が", "走", "る")


def test_late_fusion_tells_which_member_attends(models, picture):
    members = [models["ab-infonce-meanmax"], models["c-roi-attention"]]
    late = EnsembleModel(members[0].config.replace(name="both"), members, (0.5, 0.5), {})
    assert explain_picture(late, picture).model == "c-roi-attention"
    found = explain_sentence(late, SENTENCE, late.encode_images([picture])[0])
    assert (found.model, found.measure) == ("both", LEAVE_ONE_OUT)


def test_a_crop_is_told_as_a_part_of_the_picture():
    assert Squash(224).frame((500, 300)) == (0, 0, 1, 1)
    assert CentreCrop(256, 224).frame((512, 256)) == pytest.approx((144 / 512, 16 / 256, 368 / 512, 240 / 256))
    assert CentreCrop(256, 224).frame((256, 512)) == pytest.approx((16 / 256, 144 / 512, 240 / 256, 368 / 512))
