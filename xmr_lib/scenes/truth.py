"""What is true in the pictures of a folder of scenes, and what their captions state: sampled again, from its seed."""

import json
from pathlib import Path

from .captions import Caption, write_captions
from .world import Scene
from .write import VERSION, sample_scenes


def read_truth(folder: str | Path) -> tuple[list[Scene], list[list[Caption]]] | None:
    """Return each picture's scene and captions, by ``imgid``; None for a folder that ``write_scenes`` did not write.

    Also None where another version of it did: the same seed gave other pictures then.
    """
    try:
        settings = json.loads((Path(folder) / "scenes.json").read_text("utf-8"))
        count, seed, version = (settings[s] for s in ("train", "seed", "version"))
        count += settings["val"] + settings["test"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if version != VERSION:
        return None
    scenes = [scene for scene, _, _ in sample_scenes(count, seed)]
    return scenes, write_captions(scenes, seed)
