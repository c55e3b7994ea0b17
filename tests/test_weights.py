"""Named weights are found where the docstrings say, and loaded strictly or not at all."""

import hashlib
import pickle
from pathlib import Path

import pytest
import torch
from torch import nn

from xmr_lib.errors import XmrError
from xmr_lib.weights import Weights, digest_of, from_file_or_torch_cache, load_frozen, packaged, sha256_of

VARIABLE = "XMR_TEST_WEIGHTS"


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty torch cache, and no variable that names a file."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv(VARIABLE, raising=False)
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def find(file: str | None = None) -> Weights:
    return from_file_or_torch_cache("net-x", file, "net-123.pth", VARIABLE)


def saved(tmp_path: Path, content: object) -> Weights:
    path = tmp_path / "net.pth"
    torch.save(content, path)
    return Weights("net-x", path, digest_of(path))


def test_packaged_weights_are_found_and_hashed(tmp_path, monkeypatch):
    package = tmp_path / "xmr_fake_model"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "models" / "net-1.pth").write_bytes(b"weights")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = packaged("net-x", "xmr_fake_model", "models/net-*.pth")
    digest = hashlib.sha256(b"weights").hexdigest()
    assert found == Weights("net-x", package / "models" / "net-1.pth", digest)
    # Stores and results record the first 16 of its 64 digits.
    assert len(digest) == 64 and found.sha256 == digest[:16] == sha256_of(found.path)
    with pytest.raises(XmrError, match="xmr-fake-model"):
        packaged("net-x", "xmr_fake_model", "models/other-*.pth")


def test_a_package_that_is_not_installed_is_named_as_pip_names_it():
    with pytest.raises(XmrError, match=r"net-x: .* xmr-absent-model; pip install it"):
        packaged("net-x", "xmr_absent_model", "*.pth")


def test_file_then_variable_then_cache(tmp_path, cache, monkeypatch):
    for path in (tmp_path / "given.pth", tmp_path / "named.pth", cache / "net-123.pth"):
        path.write_bytes(path.name.encode())
    assert find().path == cache / "net-123.pth"
    monkeypatch.setenv(VARIABLE, str(tmp_path / "named.pth"))
    assert find().path == tmp_path / "named.pth"
    assert find(str(tmp_path / "given.pth")).path == tmp_path / "given.pth"


def test_a_file_given_but_absent_is_an_error_though_the_cache_has_one(tmp_path, cache):
    (cache / "net-123.pth").write_bytes(b"cached")
    with pytest.raises(XmrError, match=r"no weights at .*absent\.pth"):
        find(str(tmp_path / "absent.pth"))


def test_without_weights_the_ways_to_get_them_are_listed(cache):
    with pytest.raises(XmrError) as error:
        find()
    assert f"{VARIABLE}=FILE" in str(error.value) and "put net-123.pth" in str(error.value)
    assert str(cache) in str(error.value) and "\n" not in str(error.value)


def test_weights_are_loaded_and_frozen(tmp_path):
    source = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    source[1].running_mean += 5
    with torch.device("meta"):
        network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    # Half precision on disk is widened: layers on the CPU want one type throughout.
    load_frozen(network, saved(tmp_path, source.half().state_dict()))
    inputs = torch.randn(4, 3)
    assert torch.equal(network(inputs), source.float().eval()(inputs))
    assert not network.training and not any(weight.requires_grad for weight in network.parameters())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda state: state.pop("bias"), r"1 missing \(bias\)"),
        (lambda state: state.update(head=torch.zeros(1)), r"1 not known \(head\)"),
        (
            lambda state: state.update(weight=torch.zeros(2, 9)),
            r"1 of another shape \(weight is \(2, 9\), not \(2, 3\)\)",
        ),
        (lambda state: state.update(weight="text"), "no state dict"),
        (lambda state: state.update({f"extra{k}": torch.zeros(1) for k in range(9)}), r"extra0, extra1, extra2, …"),
    ],
)
def test_other_weights_are_refused_and_nothing_is_loaded(tmp_path, change, told):
    network = nn.Linear(3, 2)
    before = network.weight.clone()
    state = {name: tensor + 1 for name, tensor in network.state_dict().items()}
    change(state)
    with pytest.raises(XmrError, match=told) as error:
        load_frozen(network, saved(tmp_path, state))
    assert "net.pth" in str(error.value) and "net-x" in str(error.value)
    assert torch.equal(network.weight, before)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"PK\x03\x04 broken archive"])
def test_a_damaged_file_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "net.pth"
    path.write_bytes(content)
    with pytest.raises(XmrError, match="damaged") as error:
        load_frozen(nn.Linear(3, 2), Weights("net-x", path, ""))
    assert "\n" not in str(error.value)


def test_a_truncated_file_is_refused(tmp_path):
    weights = saved(tmp_path, nn.Linear(30, 20).state_dict())
    weights.path.write_bytes(weights.path.read_bytes()[:1000])
    with pytest.raises(XmrError, match="damaged"):
        load_frozen(nn.Linear(30, 20), weights)


class Hostile:
    """An object whose unpickling makes a file."""

    def __init__(self, marker: Path):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def test_a_file_that_would_run_code_is_refused_and_does_not_run(tmp_path):
    marker = tmp_path / "marker"
    pickle.loads(pickle.dumps(Hostile(marker)))
    assert marker.exists()  # the exploit is a real one
    marker.unlink()
    with pytest.raises(XmrError, match="more than tensors"):
        load_frozen(nn.Linear(3, 2), saved(tmp_path, {"weight": Hostile(marker)}))
    assert not marker.exists()
