"""Slugs of features: what is printed is read as what it was, folders are legal everywhere, mistakes are one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmr_lib import encoders
from xmr_lib.encoders.bert import BertEncoder
from xmr_lib.encoders.clip import ClipSide
from xmr_lib.encoders.effnet_lite import CUTS
from xmr_lib.errors import XmrError
from xmr_lib.features.spec import ENCODERS, FeatureSpec, join_slugs

NAMES = sorted(name for name, found in ENCODERS.items() if found.__module__.startswith(encoders.__name__))
"""Without what plugins of other tests brought."""
PATHS = ("C:\\models\\x", "/a/b-c", "x/y", "../up", "~/m", "a:b", "a@b", "a b", "név/模型", "x.", "a.b..", "50%")
ODD = (*PATHS, "100%3A", 'q"<>|?*', "frcnn-lite0", "bert:x", "-grid", "a-grid")
LETTERS = st.characters(exclude_categories=("C", "Z"), exclude_characters="@+")
SOURCES = st.sampled_from(ODD) | st.text(LETTERS, min_size=1)


@st.composite
def arguments(draw) -> tuple:
    """Of a spec: encoder, output, layers, source."""
    name = draw(st.sampled_from(NAMES))
    encoder = ENCODERS[name]
    source = draw(SOURCES) if encoder.asks_for_source else ""
    if issubclass(encoder, BertEncoder):
        first, last = sorted(draw(st.tuples(st.integers(0, 30), st.integers(0, 30))))
        return name, "", draw(st.sampled_from([(), (first,), tuple(range(first, last + 1))])), source
    cuts = CUTS if name == "effnet-lite0" else range(24) if issubclass(encoder, ClipSide) else ()
    of_blocks = [("", (block,)) for block in cuts]
    return name, *draw(st.sampled_from([*((output, ()) for output in encoder.outputs), *of_blocks])), source


@given(arguments())
def test_what_is_printed_is_read_as_what_it_was(arguments):
    spec = FeatureSpec(*arguments)
    assert FeatureSpec.parse(spec.slug) == spec
    assert FeatureSpec.parse(spec.slug).slug == spec.slug == str(spec)
    assert spec.yields in ("vector", "rows", "map") and spec.modality in ("image", "text")


@given(arguments())
def test_folders_are_legal_on_every_system(arguments):
    folder = FeatureSpec(*arguments).folder
    assert folder and not set(folder) & set('<>:"/\\|?*') and folder[-1] not in ". "
    assert folder.isprintable() and folder.isascii()


@pytest.mark.parametrize(
    ("slug", "encoder", "output", "layers", "source"),
    [
        ("effnet-lite0", "effnet-lite0", "", (), ""),
        ("effnet-lite0-grid", "effnet-lite0", "grid", (), ""),
        ("effnet-lite0@15", "effnet-lite0", "", (15,), ""),
        ("frcnn-resnet50-v2", "frcnn-resnet50-v2", "", (), ""),
        ("frcnn-resnet50-v2-roi", "frcnn-resnet50-v2", "roi", (), ""),
        ("minilm@4-6", "minilm", "", (4, 5, 6), ""),
        ("bert:C:\\models\\x@11", "bert", "", (11,), "C:\\models\\x"),
        ("bert:/a/b-c@4-6", "bert", "", (4, 5, 6), "/a/b-c"),
        ("clip-image-patches:a/b-c", "clip-image", "patches", (), "a/b-c"),
        ("clip-text:a/b@11", "clip-text", "", (11,), "a/b"),
        ("regions:C:\\my files\\butd", "regions", "", (), "C:\\my files\\butd"),
        (" glove ", "glove", "", (), ""),
    ],
)
def test_slugs_are_read(slug, encoder, output, layers, source):
    spec = FeatureSpec.parse(slug)
    assert spec == FeatureSpec(encoder, output, layers, source) and spec.slug == slug.strip()


def test_every_encoder_has_its_own_folder_and_they_keep_their_names():
    named = [name for name in NAMES if not ENCODERS[name].asks_for_source]
    slugs = [FeatureSpec(name, out).slug for name in named for out in ENCODERS[name].outputs]
    assert len({FeatureSpec.parse(slug).folder.lower() for slug in slugs}) == len(slugs)
    # Stores that were made before are found again.
    for slug in slugs:
        assert FeatureSpec.parse(slug).folder == slug
    assert FeatureSpec.parse("minilm@4-6").folder == "minilm@4-6"


def test_several_are_joined():
    parsed = FeatureSpec.parse_several("effnet-lite0+frcnn-lite0-roi")
    assert parsed == (FeatureSpec("effnet-lite0"), FeatureSpec("frcnn-lite0", "roi"))
    assert join_slugs(parsed) == "effnet-lite0+frcnn-lite0-roi"


@pytest.mark.parametrize(
    ("slug", "told"),
    [
        ("vgg19", "feature 'vgg19' is unknown; there are .*effnet-lite0, "),
        ("", "feature '' is unknown"),
        ("two\nlines", "is unknown"),
        ("effnet-lite0-best", "feature 'effnet-lite0-best' is unknown"),
        ("effnet-lite0-", "is unknown"),
        ("minilm@x", "feature 'minilm@x' is unknown"),
        ("minilm@5-3", "'minilm@5-3': layers are told as @4 or @4-6, the lower one first"),
        ("glove@3", "glove has no layers to choose from"),
        ("effnet-lite0@14", "a map is taken behind one block, @11 or @15"),
        ("effnet-lite0@11-15", "a map is taken behind one block"),
        ("effnet-lite0-grid@15", "a map is taken behind one block"),
        ("bert", "name the weights, bert:NAME_OR_FOLDER"),
        ("bert:", "name the weights"),
        ("bert@3", "name the weights"),
        ("regions", "name the weights, regions:NAME_OR_FOLDER"),
        ("regions:folder@3", "regions has no layers to choose from"),
        ("glove:file", "takes no source"),
        ("effnet-lite0-grid:file", "takes no source"),
    ],
)
def test_mistakes_are_told_in_one_line(slug, told):
    with pytest.raises(XmrError, match=told) as error:
        FeatureSpec.parse(slug)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("effnet-lite0", "roi"), "has no output 'roi'"),
        (("minilm", "", (), "folder"), "takes no source"),
        (("bert",), "name the weights"),
        (("onehot", "", (1,)), "has no layers"),
        (("nothing",), "'nothing' is unknown"),
    ],
)
def test_so_are_those_of_a_spec_by_hand(arguments, told):
    with pytest.raises(XmrError, match=told) as error:
        FeatureSpec(*arguments)
    assert "\n" not in str(error.value)
