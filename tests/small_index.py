"""A small index of drawn pictures and their sentences, and what is put beside them to see what the page makes of it."""

from PIL import Image

from xmr_lib.experiment import run
from xmr_lib.experiment.run import model_of
from xmr_lib.index.index import Index
from xmr_lib.study import get_configs

HTML = '<script>document.title="taken"</script><b>bold</b> & a "dog" on the beach <img src=x onerror=alert(1)>'
"""A sentence that must be shown as it is."""


def small_index(workspace, name, folder, model="ab-infonce-meanmax", pictures=20):
    """Return an index of the smoke profile's test pictures, their captions, and ``HTML``."""
    [config] = get_configs(workspace, model)
    [result] = run(workspace, config)
    part = workspace.dataset.split("test")
    files = folder / name / "pictures"
    files.mkdir(parents=True)
    paths = []
    for image in range(min(pictures, len(part))):
        paths.append(files / f"{image:02} <b>dog & co.png")
        with Image.open(part.path(image)) as opened:
            opened.save(paths[-1])
    sentences = [raw for raw, image in zip(part.raw, part.image_of_caption, strict=True) if image < len(paths)]
    return Index(name, model_of(workspace, result), paths, [*sentences, HTML])
