"""What a caption says: how long it is, how many things, colours, numbers, relations and negations it names."""

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Int

from ..data.captioned import CaptionedImages
from .topics import agreed_words, singular

COLOURS = (
    "red orange yellow green blue purple violet pink rosy brown black white grey gray blond blonde beige tan gold "
    "golden silver maroon turquoise navy ginger"
)
NUMBERS = "one two three four five six seven eight nine ten single pair couple several few many group crowd bunch both"
RELATIONS = (
    "left right above over under below beneath underneath behind beside near close next front between among amongst "
    "inside outside around through across against along beyond atop top"
)
NEGATIONS = "no not nobody none nothing without never nowhere neither nor isn't aren't doesn't don't alone empty"


@dataclass(frozen=True)
class Wording:
    """How much of each a caption says."""

    words: Int[np.ndarray, " captions"]
    things: Int[np.ndarray, " captions"]
    """Different kinds of things."""
    colours: Int[np.ndarray, " captions"]
    numbers: Int[np.ndarray, " captions"]
    relations: Int[np.ndarray, " captions"]
    negations: Int[np.ndarray, " captions"]
    """``no``, ``without``, and what says that nothing else is there: ``alone``, ``empty``."""


def wording_by_lists(part: CaptionedImages, train: CaptionedImages) -> Wording:
    """Count by lists of words; a thing is a word on which annotators of the training split agree (``agreed_words``).

    Coarse: ``orange`` may be a fruit, ``under`` a clear sky tells of no two things, and a thing that is rarely named is
    no thing here. On the drawn scenes, whose grammar knows, lists and truth nearly always agree whether a caption names
    a colour or a number, and nine times in ten whether a relation.
    """
    vocabulary = frozenset(word for tokens in train.tokens for word in tokens)
    things = agreed_words(train)
    lists = [frozenset(text.split()) for text in (COLOURS, NUMBERS, RELATIONS, NEGATIONS)]
    rows = [
        (
            len(tokens),
            len({singular(word, vocabulary) for word in tokens} & things),
            *(sum(word in own for word in tokens) for own in lists),
        )
        for tokens in part.tokens
    ]
    return Wording(*np.array(rows, dtype=np.int64).reshape(-1, len(fields(Wording))).T)
