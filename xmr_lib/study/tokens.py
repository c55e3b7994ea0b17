"""What a BERT is given, and what an attention over words looks at."""

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from ..encoders.bert import BertEncoder
from ..errors import XmrError
from ..experiment.run import model_of
from ..experiment.workspace import Workspace
from ..features.spec import FeatureSpec
from ..figures import word_weights
from ..records import Result


def token_table(workspace: Workspace, slug: str, captions: tuple[int, ...] = (0, 1)) -> pd.DataFrame:
    """Return what a BERT is given for some captions of the test split in one batch: tokens, ids, attention mask."""
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
    return pd.DataFrame(rows).T


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
    words = [list(part.tokens[caption]) for caption in chosen]
    encoder = workspace.bank.encoder(config.text_specs[0], result.seed)
    if isinstance(encoder, BertEncoder):
        tokenizer = encoder.tokenizer
        raw = [part.raw[caption] for caption in chosen]
        ids = tokenizer(raw, truncation=True, max_length=encoder.bert.longest)["input_ids"]
        words = [tokenizer.convert_ids_to_tokens(own) for own in ids]
    with torch.inference_mode():
        rows, beside = text.eval().entry(
            model.runtime.send(workspace.pairs(config, "test", result.seed).captions[torch.from_numpy(chosen)])
        )
        weights = text.pooling.weights(rows, beside)
    own = [part.numpy() for part in weights.cpu().split(rows.lengths.tolist())]
    return word_weights(words, own, f"{config.name}: the weight of each word", width)
