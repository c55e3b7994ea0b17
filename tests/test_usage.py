"""Time and memory are those of this process and what it starts, without files that are only mapped."""

import subprocess
import sys
import time

import numpy as np

from xmr_lib.usage import Usage

MEGABYTE = 2**20


def test_memory_of_children_counts_and_time_is_that_on_the_clock():
    with Usage() as idle:
        time.sleep(0.3)
    hold = f"import time; held = bytearray(b'x' * {300 * MEGABYTE}); time.sleep(1)"
    with Usage() as took:
        subprocess.run([sys.executable, "-c", hold], check=True)
    assert took.peak_bytes - idle.peak_bytes > 280 * MEGABYTE
    assert 1 < took.seconds < 60 and 0.3 <= idle.seconds < 60


def test_a_mapped_file_is_not_ours(tmp_path):
    np.save(tmp_path / "big.npy", np.ones(200 * MEGABYTE // 8))
    with Usage() as idle:
        time.sleep(0.3)
    with Usage() as took:
        mapped = np.load(tmp_path / "big.npy", mmap_mode="r")
        assert mapped.sum() == len(mapped)
        time.sleep(0.3)
    assert took.peak_bytes - idle.peak_bytes < 100 * MEGABYTE
