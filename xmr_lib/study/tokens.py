"""What a BERT is given, and what an attention over words looks at."""

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from ..encoders import Captions
from ..encoders.bert import BertEncoder
from ..errors import XmrError
from ..experiment.run import model_of
from ..experiment.workspace import Workspace
from ..features.spec import FeatureSpec
from ..figures import word_weights
from ..model.explain import attention, words_read
from ..records import Result


def token_table(workspace: Workspace, slug: str, captions: tuple[int, ...] = (0, 1)) -> pd.DataFrame:
    """Return what a BERT is given for some captions of the test split in one batch: tokens, ids, attention mask.

    A row per place, so that no caption is cut where a table ends.
    """
    encoder = workspace.bank.encoder(FeatureSpec.parse(slug))
    assert isinstance(encoder, BertEncoder)
    tokenizer = encoder.tokenizer
    part = workspace.dataset.split("test")
    batch = tokenizer([part.raw[caption] for caption in captions], padding=True)
    rows = {}
    for place, (ids, mask) in enumerate(zip(batch["input_ids"], batch["attention_mask"], strict=True), start=1):
        rows[(f"caption {place}", "token")] = tokenizer.convert_ids_to_tokens(ids)
        rows[(f"caption {place}", "input_ids")] = [str(number) for number in ids]
        rows[(f"caption {place}", "attention_mask")] = [str(number) for number in mask]
    return pd.DataFrame(rows)


def attended_words(
    workspace: Workspace, result: Result, count: int = 6, seed: int = 0, width: float | None = None
) -> Figure:
    """Draw a few test captions, drawn at random, with the weight that the attention of a run gives each word.

    For ``width`` see ``figures.use_style``.

    Raises:
        XmrError: the run's aggregation of words is not attention.
    """
    config = result.config
    if config.text_pooling != "attention" or len(config.text_specs) > 1:
        raise XmrError(f"{config.name}: attention over words is to be drawn, not {config.text_pooling!r}")
    part = workspace.usable(config).split("test")
    chosen = np.sort(np.random.default_rng(seed).choice(part.caption_count, min(count, part.caption_count), False))
    model = model_of(workspace, result)
    [text] = model.network.caption.parts
    captions = Captions([part.raw[caption] for caption in chosen], [part.tokens[caption] for caption in chosen])
    words = words_read(workspace.bank.encoder(config.text_specs[0], result.seed), captions)
    rows = workspace.pairs(config, "test", result.seed).captions[torch.from_numpy(chosen)]
    own = attention(text, rows, model.runtime)
    return word_weights(words, own, f"{config.name}: the weight of each word", width)
