"""Several processes make one store: that of one process, byte for byte, whatever breaks on the way."""

import threading

import numpy as np
import pytest
from test_image_features import Tiny, broken, dataset, tiny_extractor  # noqa: F401 (fixtures)

from xmr_lib.features import store_writer
from xmr_lib.features.extract import extract_images
from xmr_lib.features.shares import extract_shared

FILES = ("values.npy", "ids.npy", "meta.json", "pictures.json")


def shared(dataset, extractors, folder, batch=2):  # noqa: F811
    """Extract with as many threads as there are extractors; return their errors."""
    count, errors = len(extractors), []
    barrier = threading.Barrier(count)

    def wait():
        barrier.wait(30)

    def work(rank):
        try:
            extract_shared(dataset, extractors[rank], folder, rank, count, wait, batch=batch)
        except BaseException as error:
            barrier.abort()
            errors.append(error)

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


@pytest.mark.parametrize("count", [2, 3, 7])
@pytest.mark.parametrize("which", ["whole", "some can't be read"])
def test_the_union_is_the_store_of_one_process(dataset, broken, tmp_path, count, which):  # noqa: F811
    pictures = dataset if which == "whole" else broken
    one = extract_images(pictures, tiny_extractor(), tmp_path / "one", batch=2)
    assert shared(pictures, [tiny_extractor() for _ in range(count)], tmp_path / "many") == []
    for file in FILES:
        assert (tmp_path / "many" / file).read_bytes() == (one.folder / file).read_bytes(), file
    assert not list(tmp_path.glob("*.shares")) and not list(tmp_path.glob("*.partial"))
    # What is there is that of these pictures: it is opened, not made again.
    extract_images(pictures, tiny_extractor(lambda: pytest.fail("made again")), tmp_path / "many", batch=2)


def test_a_killed_share_goes_on_and_the_others_are_not_made_again(dataset, tmp_path):  # noqa: F811
    class Killed(BaseException):
        pass

    def killed(inputs):
        raise Killed

    errors = shared(dataset, [tiny_extractor(), tiny_extractor(lambda: Tiny(killed))], tmp_path / "many")
    assert any(isinstance(error, Killed) for error in errors) and not (tmp_path / "many").exists()
    seen: list[int] = []
    again = [
        tiny_extractor(lambda: pytest.fail("made again")),
        tiny_extractor(lambda: Tiny(lambda x: seen.append(len(x)))),
    ]
    assert shared(dataset, again, tmp_path / "many") == []
    assert sum(seen) == 5
    one = extract_images(dataset, tiny_extractor(), tmp_path / "one", batch=2)
    np.testing.assert_array_equal(np.load(tmp_path / "many" / "values.npy"), one.values)


def test_a_kill_while_shares_are_joined_loses_none_of_them(dataset, tmp_path, monkeypatch):  # noqa: F811
    class Killed(BaseException):
        pass

    def killed(path, values):
        if path.parent.name == "many.partial":
            raise Killed
        return written(path, values)

    written = store_writer._write_npy
    with monkeypatch.context() as patch:
        patch.setattr(store_writer, "_write_npy", killed)
        errors = shared(dataset, [tiny_extractor(), tiny_extractor()], tmp_path / "many")
    assert any(isinstance(error, Killed) for error in errors) and not (tmp_path / "many").exists()
    again = [tiny_extractor(lambda: pytest.fail("made again")) for _ in range(2)]
    assert shared(dataset, again, tmp_path / "many") == []
    one = extract_images(dataset, tiny_extractor(), tmp_path / "one", batch=2)
    for file in FILES:
        assert (tmp_path / "many" / file).read_bytes() == (one.folder / file).read_bytes(), file
