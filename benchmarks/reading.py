"""How fast the course's folder and pictures are read, beside the least that could be done."""

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import scipy.io
from measure import Measurement, at_least, at_most, times_as_fast

from xmr_lib.course import import_fasttext, import_vgg
from xmr_lib.data import read_dataset
from xmr_lib.data.pictures import read_picture
from xmr_lib.experiment import Workspace
from xmr_lib.features.extract import extract_images
from xmr_lib.features.spec import FeatureSpec

sys.path.append(str(Path(__file__).parent.parent / "tests"))
from course_twin import write_course_twin

BATCH = 8


def course_folder(images: int, rounds: int) -> list[Measurement]:
    """The course's two feature files: imported, and opened again, against read by scipy and numpy."""
    with tempfile.TemporaryDirectory() as place:
        folder = write_course_twin(Path(place) / "course", images, with_images=False)
        dataset = read_dataset(folder)
        files, stores = (folder / "vgg_feats.mat", folder / "fasttext_feats.npy"), Path(place) / "stores"

        def imported() -> None:
            shutil.rmtree(stores, ignore_errors=True)
            opened()

        def opened() -> None:
            import_vgg(files[0], dataset, stores / "vgg")
            import_fasttext(files[1], dataset, stores / "fasttext")

        def loaded() -> None:
            scipy.io.loadmat(files[0])
            np.load(files[1], allow_pickle=True)

        size = f"{images:,} images"
        imports, peer = times_as_fast(loaded, imported, rounds), "loadmat and numpy.load"
        return [
            at_most(f"the course's files, imported, {size}", imports, 1.5, peer),
            at_least("the same, opened again", times_as_fast(opened, loaded, rounds), 1000.0, peer),
        ]


def image_features(images: int, rounds: int) -> Measurement:
    """Features of photographs, decoded, checked and stored, against the network alone on tensors in memory."""
    workspace = Workspace("scenes", profile_name="demo")
    dataset = workspace.dataset.subset(np.arange(images))
    encoder = workspace.bank.encoder(FeatureSpec("effnet-lite0"))
    pixels = np.stack([encoder.view(read_picture(dataset.path(image))) for image in range(BATCH)])

    def ours() -> None:
        with tempfile.TemporaryDirectory() as place:
            extract_images(dataset, encoder, Path(place) / "store", batch=BATCH)

    def network() -> None:
        for _ in range(images // BATCH):
            encoder.features(pixels)

    return at_least("features of pictures", times_as_fast(ours, network, rounds), 0.95, "the network alone")
