"""A small index of drawn pictures and their sentences, and what is put beside them to see what the page makes of it."""

import json
import shutil

from PIL import Image

from xmr_lib.experiment import run
from xmr_lib.experiment.run import model_folder
from xmr_lib.index import Index, Pictures, Sentences, refresh, update
from xmr_lib.model.folder import folder_of, write_facts
from xmr_lib.study import get_configs

HTML = '<script>document.title="taken"</script><b>bold</b> & a "dog" on the beach <img src=x onerror=alert(1)>'
"""A sentence that must be shown as it is."""


def small_index(workspace, name, folder, model="ab-infonce-meanmax", pictures=20):
    """Return an index of the smoke profile's test pictures, their captions, and ``HTML``."""
    [config] = get_configs(workspace, model)
    run(workspace, config)
    part = workspace.dataset.split("test")
    files = folder / f"{name} pictures"
    files.mkdir(parents=True)
    count = min(pictures, len(part))
    for image in range(count):
        with Image.open(part.path(image)) as opened:
            opened.save(files / f"{image:02} <b>dog & co.png")
    sentences = [raw for raw, image in zip(part.raw, part.image_of_caption, strict=True) if image < count]
    lines = folder / f"{name} sentences.txt"
    lines.write_text("\n".join([*sentences, HTML]), "utf-8")
    index = Index.create(folder / name, with_bank(model_folder(workspace, config, 0), folder / f"{name} model"))
    update(index, [Pictures(files), Sentences(lines)], progress=False)
    return index


def with_bank(model, folder):
    """Copy a model, its query bank in use: at this size validation prefers none, so the strength is given here."""
    shutil.copytree(folder_of(model), folder)
    facts = json.loads((folder / "model.json").read_text())
    facts["bank"]["beta"] = {"t2i": 20.0, "i2t": 20.0}
    write_facts(folder, facts)
    return folder


def slow_update(folder, photos):
    """Bring an index up two pictures at a time, so that there is much to be killed between."""
    refresh.PICTURES = 2
    update(Index.open(folder), [Pictures(photos)], progress=False)
