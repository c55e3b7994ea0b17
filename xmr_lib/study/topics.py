"""How close images and captions are by what they are about."""

import numpy as np
import pandas as pd

from ..analysis import topic_closeness
from .shared_space import SharedSpace


def topic_table(space: SharedSpace) -> pd.DataFrame:
    """Return how close images and captions are by topic, before and after training; see ``topic_closeness``."""
    rows = []
    for stage, (images, captions) in space.embeddings.items():
        other = len(space.topics.words)
        close = topic_closeness(images, captions[space.one_caption], space.topic_of_image, other)
        cosines = {f"cosine, {key}": f"{close[key]:.3f}" for key in ("pair", "same", "different")}
        rows.append({"stage": stage, **cosines, "P@10 of topic": close["precision"], "chance": close["chance"]})
    return pd.DataFrame(rows).set_index("stage")


def topic_counts(space: SharedSpace) -> dict[str, int]:
    """Return the images of the test split that each topic has; ``other`` comes last."""
    counts = np.bincount(space.topic_of_image, minlength=len(space.topics.names))
    return dict(zip(space.topics.names, counts.tolist(), strict=True))
