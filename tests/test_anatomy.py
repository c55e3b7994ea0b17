"""The parts of a model as notebooks show them."""

import pytest

from xmr_lib.errors import XmrError
from xmr_lib.experiment import Workspace, run
from xmr_lib.experiment.run import model_of
from xmr_lib.study import anatomy, get_configs


@pytest.fixture(scope="module")
def workspace(smoke_workspace, tmp_path_factory):
    return Workspace("scenes", None, "smoke", tmp_path_factory.mktemp("anatomy"))


def number(text):
    return int(text.replace(",", "") or 0)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (
            "e-bigru-trained",
            {
                ("image", "effnet-lite0"): "3 images × 1280",
                ("caption", "fasttext-self"): "words, by number",
                ("caption", "aggregation"): "3 captions × 64",
                ("caption", "embedding"): "3 captions × 32",
                ("both", "similarity"): "3 images × 3 captions",
            },
        ),
        ("f-text-gate", {("caption", "minilm"): "3 captions × 768", ("caption", "embedding"): "3 captions × 32"}),
        ("grid-attention", {("image", "effnet-lite0-grid"): "3 images: 147 places × 1285"}),
    ],
)
def test_every_number_that_is_trained_is_in_a_part(workspace, model, expected):
    [config] = get_configs(workspace, model)
    result = run(workspace, config)[0]
    table = anatomy(workspace, result)
    for part, gives in expected.items():
        assert table.loc[[part], "gives"].iloc[0].endswith(gives)
    made = model_of(workspace, result)
    modules = (made.network, made.loss)
    counts = [
        sum(p.numel() for module in modules for p in module.parameters() if p.requires_grad == trained)
        for trained in (True, False)
    ]
    assert [table[column].map(number).sum() for column in ("trained", "frozen")] == counts
    value = float(table.loc[("both", "loss"), "gives"].removeprefix("one number: "))
    assert value > 0


def test_a_model_without_towers_has_no_parts_to_show(workspace):
    with pytest.raises(XmrError, match="cca-mean: the parts of a dual encoder are to be shown, not of 'closed form'"):
        anatomy(workspace, run(workspace, get_configs(workspace, "cca-mean")[0])[0])
