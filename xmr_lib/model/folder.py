"""A model as one folder: it needs no dataset, no cache and nothing of the run that made it.

``model.json`` (config, what the towers are fed, names and SHA-256 of pretrained networks, facts),
``weights.safetensors``, ``encoders/`` (what encoders learned on the data: words, a detector), ``networks/`` (copies, if
asked for), ``members/`` (of late fusion), ``bank.safetensors`` (for query-bank normalisation) and ``README.md``, the
model card; if asked for, ``image.onnx``, ``text.onnx`` and ``onnx.json`` (see ``onnx_export``).
"""

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file as load_numpy
from safetensors.numpy import save_file as save_numpy
from safetensors.torch import load_file, save_file

from .. import __version__
from ..baselines import LinearEncoder, ZeroShot
from ..checksums import of_file, of_json
from ..config import CcaConfig, DualEncoderConfig, EnsembleConfig, RunConfig, ZeroShotConfig, read_config
from ..data.words import TOKENIZER
from ..encoders import ENCODERS, Encoder
from ..errors import XmrError
from ..features.idf import InverseFrequency
from ..features.spec import FeatureSpec
from ..modules import DualEncoder
from ..paths import models_root, runs_root
from ..query_bank import SIDES, QueryBank
from ..runtime import CPU, Runtime
from ..weights import sha256_of
from .build import BranchInput, build_dual_encoder
from .card import card
from .inputs import ImageInput, TextInput
from .onnx_export import write_onnx
from .retrieval import EnsembleModel, RetrievalModel

FORMAT = 1
MODEL, WEIGHTS, BANK, CARD = "model.json", "weights.safetensors", "bank.safetensors", "README.md"
PARTS = (WEIGHTS, BANK, "encoders/**/*", "networks/**/*", "*.onnx")
"""Of a model's folder: what must be as it was written."""
IN_RUN = "model"
"""Folder of the model within the folder of its run."""


def save_model(model: RetrievalModel, folder: str | Path, with_networks: bool = False, onnx: bool = False) -> None:
    """Write a model; the folder is there whole or not at all.

    Args:
        with_networks: copy the pretrained networks in, so that nothing has to be looked up.
        onnx: also write the towers for programs without torch.

    Raises:
        XmrError: the folder is there already, a network that is to be copied can't be had, or a tower can't be written
            as ONNX.
    """
    folder = Path(folder)
    if folder.exists():
        raise XmrError(f"{folder}: it is there already; delete it or name another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        _write(model, temporary, with_networks, onnx)
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o777 & ~umask)
        temporary.rename(folder)
    except OSError as error:
        raise XmrError(f"{folder}: the model can't be written ({error.strerror or error})") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def load_model(folder: str | Path, runtime: Runtime = CPU) -> RetrievalModel:
    """Read a model from its folder, or from the folder of a run that holds one. No module that it names is imported.

    Raises:
        XmrError: there is no model, it is damaged or of a later version; an encoder, aggregation or loss that it names
            is not registered; or its sentences were cut into words in another way than this library does.
    """
    folder = folder_of(folder)
    try:
        facts = json.loads((folder / MODEL).read_text("utf-8"))
        _check_whole(folder, facts)
        if facts["format"] != FORMAT:
            raise XmrError(f"{folder}: a model of format {facts['format']}; this version reads format {FORMAT}")
        model = _read(read_config(facts["config"]), facts, folder, runtime)
        if "bank" in facts:
            model.bank = QueryBank(**load_numpy(folder / BANK), **facts["bank"])
        return model
    except (FileNotFoundError, NotADirectoryError) as error:
        missing = Path(error.filename or "").name
        raise XmrError(f"{folder}: no model here ({missing} is missing); 'xmr train' keeps one in its run") from None
    except OSError as error:
        raise XmrError(f"{folder}: the model can't be read ({error.strerror or error})") from None
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, SafetensorError) as error:
        raise XmrError(f"{folder}: the model is damaged ({' '.join(str(error).split())[:150]})") from None


def folder_of(place: str | Path) -> Path:
    """Return the folder of a model: the one named, or the one within the run or the seeds of a model that is named.

    Args:
        place: a path; or the name of a saved model (``models/NAME``), or of one of the runs here, ``DATASET/MODEL``.
    """
    named = Path(place).expanduser()
    dataset, _, model = str(place).partition("/")
    for folder in (named, models_root() / named, runs_root() / dataset / "runs" / model):
        # Of several seeds the first: they are the same model.
        for own in (folder, folder / IN_RUN, folder / "seed0" / IN_RUN):
            if (own / MODEL).is_file():
                return own
    return named


def keep_as(place: str | Path, name: str) -> Path:
    """Copy a model to ``models/NAME``, in place of what is there under that name, and return its folder.

    Args:
        place: see ``folder_of``.

    Raises:
        XmrError: there is no model, or it can't be written.
    """
    source, folder = folder_of(place), models_root() / name
    load_model(source)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}.") as temporary:
            shutil.copytree(source, Path(temporary) / "new")
            if folder.exists():
                folder.rename(Path(temporary) / "old")
            (Path(temporary) / "new").rename(folder)
    except OSError as error:
        raise XmrError(f"{folder}: the model can't be written ({error.strerror or error})") from None
    return folder


def identity(folder: str | Path) -> str:
    """Return a hash of what makes a model embed as it does; copied networks and facts about it are no part of that."""
    folder = folder_of(folder)
    facts = json.loads((folder / MODEL).read_text("utf-8"))
    told = {key: facts.get(key) for key in ("config", "inputs", "shapes", "tokenizer", "weights", "bank")}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    files = [folder / WEIGHTS, *sorted(path for path in folder.glob("encoders/**/*") if path.is_file())]
    for path in files:
        if path.is_file():
            digest.update(f"{path.relative_to(folder).as_posix()} {sha256_of(path)}".encode())
    for member in sorted((folder / "members").glob("*")):
        digest.update(identity(member).encode())
    return digest.hexdigest()[:16]


def _write(model: RetrievalModel, folder: Path, with_networks: bool, onnx: bool) -> None:
    facts: dict[str, Any] = {
        "format": FORMAT,
        "library": __version__,
        "config": model.config.to_dict(),
        "facts": model.facts,
    }
    if isinstance(model, EnsembleModel):
        for member, (_, _, name) in zip(model.members, model.config.method.parts(), strict=True):
            (folder / "members").mkdir(exist_ok=True)
            # Banks are of whole models: a member's own would never be asked.
            bank, member.bank = member.bank, None
            try:
                save_model(member, folder / "members" / name, with_networks, onnx)
            finally:
                member.bank = bank
        facts["weights"] = list(model.weights)
    else:
        facts |= {"tokenizer": TOKENIZER, "inputs": {}}
        for side, given in (("image", model.images), ("text", model.texts)):
            facts["inputs"][side] = [
                _write_encoder(one.encoder, folder, f"{side}{place}", with_networks) for place, one in enumerate(given)
            ]
        for place, one in enumerate(model.texts):
            if one.frequency is not None:
                facts["inputs"]["text"][place]["frequency"] = asdict(one.frequency)
        facts["shapes"] = model.network.fed
        tensors = {f"model.{name}": tensor for name, tensor in model.network.state_dict().items()}
        if model.loss is not None:
            tensors |= {f"loss.{name}": tensor for name, tensor in model.loss.state_dict().items()}
        save_file({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, folder / WEIGHTS)
    if model.bank is not None:
        # A rounding of 1e-3 of the unit vectors of thousands of queries; half the size.
        sides = {side: getattr(model.bank, side).astype(np.float16) for side in SIDES.values()}
        save_numpy(sides, folder / BANK)
        facts["bank"] = {"distance": model.bank.distance, "beta": model.bank.beta}
    if onnx:
        write_onnx(model, folder)
    # Members have their own.
    kept = sorted(path for part in PARTS for path in folder.glob(part) if path.is_file())
    facts["files"] = {path.relative_to(folder).as_posix(): of_file(path) for path in kept}
    (folder / CARD).write_text(card(model), "utf-8")
    write_facts(folder, facts)


def write_facts(folder: str | Path, facts: dict[str, Any]) -> None:
    """Write ``model.json`` with its checksum."""
    told = {key: value for key, value in facts.items() if key != "checksum"}
    text = json.dumps({**told, "checksum": of_json(told)}, indent=1, ensure_ascii=False)
    (Path(folder) / MODEL).write_text(text + "\n", "utf-8")


def _check_whole(folder: Path, facts: dict[str, Any]) -> None:
    """Hold a model against its checksums; one of an older version has none, and is believed.

    Raises:
        XmrError: a file is missing, or not what was written.
    """
    if "checksum" not in facts and "files" not in facts:
        return
    if facts.get("checksum") != of_json({key: value for key, value in facts.items() if key != "checksum"}):
        raise XmrError(f"{folder}: the model is damaged: {MODEL} is not as it was written; save or copy it again")
    for name, checksum in facts["files"].items():
        if of_file(folder / name) != checksum:
            raise XmrError(f"{folder}: the model is damaged: {name} is not as it was written; save or copy it again")


def _write_encoder(encoder: Encoder, folder: Path, name: str, with_networks: bool) -> dict[str, Any]:
    own = folder / "encoders" / name
    own.mkdir(parents=True)
    encoder.save(own)
    if not any(own.iterdir()):
        own.rmdir()
    networks = encoder.networks()
    for network in networks if with_networks else ():
        place = folder / "networks" / network.name
        if not place.exists():
            place.mkdir(parents=True)
            for file in network.files or (network.path,):
                shutil.copyfile(file, place / file.name)
    return {"features": encoder.spec.slug, "networks": {network.name: network.digest for network in networks}}


def _read(config: RunConfig, facts: dict[str, Any], folder: Path, runtime: Runtime) -> RetrievalModel:
    if isinstance(config.method, EnsembleConfig):
        members = [load_model(folder / "members" / name, runtime) for _, _, name in config.method.parts()]
        return EnsembleModel(config, members, facts["weights"], facts["facts"])
    if facts["tokenizer"] != TOKENIZER:
        raise XmrError(
            f"{folder}: its sentences are cut into words by {_named(facts['tokenizer'])}, this version's by "
            f"{_named(TOKENIZER)}; use xmr {facts['library']}, or train the model again"
        )
    copies = folder / "networks"
    images = tuple(
        ImageInput(branch, _encoder(branch.features, given, folder / "encoders" / f"image{place}", copies, runtime))
        for place, (branch, given) in enumerate(zip(config.branches("image"), facts["inputs"]["image"], strict=True))
    )
    texts = tuple(
        TextInput(
            branch,
            _encoder(branch.features, given, folder / "encoders" / f"text{place}", copies, runtime),
            InverseFrequency(**given["frequency"]) if "frequency" in given else None,
        )
        for place, (branch, given) in enumerate(zip(config.branches("text"), facts["inputs"]["text"], strict=True))
    )
    tensors = load_file(folder / WEIGHTS)
    network = _network(config, facts["shapes"], images, texts)
    network.load_state_dict({n.removeprefix("model."): t for n, t in tensors.items() if n.startswith("model.")})
    loss = None
    if isinstance(config.method, DualEncoderConfig):
        loss = config.method.loss.build()
        loss.load_state_dict({n.removeprefix("loss."): t for n, t in tensors.items() if n.startswith("loss.")})
    return RetrievalModel(config, network, images, texts, facts["facts"], loss, runtime)


def _encoder(spec: FeatureSpec, given: dict[str, Any], folder: Path, networks: Path, runtime: Runtime) -> Encoder:
    encoder = ENCODERS[spec.encoder].restore(spec, folder, networks if networks.is_dir() else None)
    encoder.runtime = runtime
    for network in encoder.networks():
        if (wanted := given["networks"].get(network.name)) != network.digest:
            raise XmrError(
                f"{spec.slug}: the model stands on {network.name} with SHA-256 {str(wanted)[:16]}…, the one found here "
                f"has {network.digest[:16]}… ({network.path}); export it --with-networks where it was made"
            )
    return encoder


def _network(
    config: RunConfig, shapes: dict[str, Any], images: tuple[ImageInput, ...], texts: tuple[TextInput, ...]
) -> ZeroShot | LinearEncoder | DualEncoder:
    if isinstance(config.method, ZeroShotConfig):
        return ZeroShot()
    if isinstance(config.method, CcaConfig):
        scalings = config.method.image_scaling, config.method.text_scaling
        return LinearEncoder(shapes["image"], *shapes["text"], scalings)
    # Whatever is drawn at random here is overwritten by the weights; the caller's generator stays where it is.
    with torch.random.fork_rng(devices=[]):
        return build_dual_encoder(
            config,
            [
                BranchInput.of_shape(shape, one.encoder.tail())
                for shape, one in zip(shapes["image"], images, strict=True)
            ],
            [
                BranchInput.of_shape(shape, one.encoder.tail(one.branch.unfreeze))
                for shape, one in zip(shapes["text"], texts, strict=True)
            ],
        )


def _named(tokenizer: dict[str, Any]) -> str:
    return f"{tokenizer.get('name')} {tokenizer.get('version')}"
