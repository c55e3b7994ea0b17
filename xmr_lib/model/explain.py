"""What a match rests on: the regions and words that an attention weighs, or what each word adds to the similarity."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import nn

from ..data.words import tokenise
from ..encoders import Captions, TextEncoder
from ..encoders.bert import BertEncoder
from ..encoders.frcnn import RegionEncoder
from ..features.extract import pixels_of
from ..features.view import together
from ..modules import DualEncoder, RowPart
from ..modules.row_pooling import AttentionPooling
from ..ragged import Ragged
from ..runtime import CPU, Runtime
from .inputs import as_items
from .retrieval import EnsembleModel, RetrievalModel

ATTENTION, LEAVE_ONE_OUT = "attention", "leave-one-out"
MOST_WORDS = 64
"""Words of a sentence that are left out in turn; a longer one would be embedded too often."""


@dataclass(frozen=True)
class RegionWeights:
    """Where the attention of a model looks in a picture, whatever it is compared with."""

    model: str
    """Name of the model; of late fusion: of the member that attends."""
    boxes: Float[np.ndarray, "regions 4"]
    """Left, top, right, bottom, as shares of the picture."""
    weights: Float[np.ndarray, " regions"]
    """They sum to 1."""
    names: tuple[str, ...]
    """What a detector takes each region for; empty where nothing says it."""


@dataclass(frozen=True)
class WordWeights:
    """How much each word of a sentence matters."""

    model: str
    """Name of the model; of late fusion: of the member that attends, or of the whole."""
    measure: str
    """``attention``: weights that sum to 1, whatever the sentence is compared with; ``leave-one-out``: by how much the
    similarity to the other item falls when the word is left out, below 0 where it rises."""
    words: tuple[str, ...]
    """As they were read: of a BERT its tokens, the marks of beginning and end included."""
    weights: Float[np.ndarray, " words"]


def explain_picture(model: RetrievalModel, picture: Image.Image) -> RegionWeights | None:
    """Return where a model's attention over regions or places looks in a picture; None: it has no such attention.

    Raises:
        XmrError: see ``RetrievalModel.encode_images``.
    """
    if isinstance(model, EnsembleModel):
        found = (explain_picture(member, picture) for member in model.members)
        return next((own for own in found if own is not None), None)
    place = _attending(model, "image")
    if place is None:
        return None
    given = model.images[place]
    view = given.encoder.view
    stored = given.encoder.features(together([pixels_of(picture, view)]))
    rows = as_items(given.encoder.inputs(stored))
    [weights] = attention(model.network.image.parts[place], rows, model.runtime)
    names = [""] * len(weights)
    if isinstance(given.encoder, RegionEncoder):
        labels = stored.values[:, given.encoder.columns.label].astype(np.int64).tolist()
        names = [given.encoder.names.get(label, "") for label in labels]
    left, top, right, bottom = view.frame(picture.size)
    # The boxes stand before the score, and are shares of what the network sees of the picture.
    seen = rows.values[:, -5:-1].float().numpy()
    boxes = np.array([left, top] * 2) + seen * np.array([right - left, bottom - top] * 2)
    return RegionWeights(model.config.name, boxes.astype(np.float32), weights, tuple(names))


def explain_sentence(
    model: RetrievalModel, sentence: str, other: Float[np.ndarray, " embed"] | None = None
) -> WordWeights | None:
    """Return how much each word of a sentence matters.

    Args:
        sentence: as written.
        other: embedding of what the sentence is compared with, by the same model; without it, attention alone is told.

    Returns:
        The weights of the attention over words, where the model (or a member of late fusion) has one; else what leaving
        out each word takes from the similarity. None: there is no attention, and no other item, a single word, or more
        than ``MOST_WORDS``.
    """
    for member in model.members if isinstance(model, EnsembleModel) else (model,):
        if (found := _attended_words(member, sentence)) is not None:
            return found
    # A sentence in a script without blanks is one piece: its words are those that the library cuts.
    words = pieces if len(pieces := sentence.split()) > 1 else list(tokenise(sentence))
    if other is None or not 1 < len(words) <= MOST_WORDS:
        return None
    without = [" ".join(words[:place] + words[place + 1 :]) for place in range(len(words))]
    similarity = model.similarity(other[None], model.encode_texts([" ".join(words), *without]))[0]
    return WordWeights(model.config.name, LEAVE_ONE_OUT, tuple(words), similarity[0] - similarity[1:])


@torch.inference_mode()
def attention(part: nn.Module, items: Ragged, runtime: Runtime = CPU) -> list[Float[np.ndarray, " rows"]]:
    """Return the weights that the attention of a tower's part gives the rows of each item; they sum to 1."""
    assert attends(part)
    rows, beside = part.eval().entry(runtime.send(items))
    return [own.numpy() for own in part.pooling.weights(rows, beside).float().cpu().split(rows.lengths.tolist())]


def attends(part: nn.Module) -> bool:
    """Return whether a tower's part weighs the rows of an item by attention with one query."""
    return isinstance(part, RowPart) and isinstance(part.pooling, AttentionPooling)


def words_read(encoder: TextEncoder, captions: Captions) -> list[tuple[str, ...]]:
    """Return what an encoder has a row for, of each caption: its words, or the tokens of a BERT."""
    if not isinstance(encoder, BertEncoder):
        return [tuple(words) for words in captions.tokens]
    ids = encoder.tokenizer(list(captions.raw), truncation=True, max_length=encoder.longest)["input_ids"]
    return [tuple(encoder.tokenizer.convert_ids_to_tokens(own)) for own in ids]


def _attended_words(model: RetrievalModel, sentence: str) -> WordWeights | None:
    place = _attending(model, "caption")
    if place is None:
        return None
    captions, given = Captions([sentence], [tokenise(sentence)]), model.texts[place]
    [words] = words_read(given.encoder, captions)
    rows = given.of_captions(captions, model.word_embedding(place))
    # A tokenizer that is not known here may have other rows than words.
    if len(rows.values) != len(words):
        return None
    [weights] = attention(model.network.caption.parts[place], rows, model.runtime)
    return WordWeights(model.config.name, ATTENTION, words, weights)


def _attending(model: RetrievalModel, tower: str) -> int | None:
    """Return the first branch of a tower that attends to its rows, or None."""
    if not isinstance(model.network, DualEncoder):
        return None
    return next((place for place, part in enumerate(getattr(model.network, tower).parts) if attends(part)), None)
