"""Topics of images, named by words: found in their captions by a rule, the same for every dataset."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ..data import CaptionedImages

TOPICS = 8
"""As many as colours that can be told apart."""
OTHER = "other"
AGREEMENT = 0.5
"""Least agreement of annotators about a word; that of function words, verbs and most adjectives is lower."""
COMMON = 0.01
"""Least share of the captions that have the word."""
SAID_TWICE = 2
"""Captions of an image that have to say the word: one alone may be a slip, or see what nobody else sees."""
NO_THINGS = (
    "one two three four five six several some few many alone single pair couple group other "
    "red orange yellow green blue purple violet pink rosy brown black white grey gray blond bright dark colorful "
    "small little tiny big large huge tall long young old"
)
"""Words on which annotators agree though they name nothing: how many, which colour, how big."""


@dataclass(frozen=True)
class Topics:
    """Words that images are sorted by; the last topic, ``other``, takes those that none of the words fits."""

    words: tuple[str, ...]
    """By the number of training images that say them, most first."""
    vocabulary: frozenset[str]
    """Words of the training captions: what a plural is told by."""

    @property
    def names(self) -> tuple[str, ...]:
        """The words, then ``other``."""
        return (*self.words, OTHER)

    def of(self, part: CaptionedImages) -> Int[np.ndarray, " images"]:
        """Return the topic of each image, as a place in ``names``.

        It is the rarest of the words that two of its captions say: of a man in the snow, the snow.
        """
        found = np.full(len(part), len(self.words))
        for image in range(len(part)):
            said = _said(part, image, self.vocabulary)
            for place, word in enumerate(self.words):
                if said[word] >= SAID_TWICE:
                    found[image] = place
        return found


def find_topics(train: CaptionedImages, count: int = TOPICS) -> Topics:
    """Find the words that sort the training images best.

    A word is a candidate if annotators agree about it: agreement is the chance that another caption of an image says
    the word when one does, corrected for how often it is said at all (Cohen 1960). Then, ``count`` times, the word is
    taken that two captions of the most images say which no word taken before fits. A plural that ends in s counts as
    its singular. Where no image has two captions there are no candidates, and no topics but ``other``.
    """
    vocabulary = frozenset(word for tokens in train.tokens for word in tokens)
    said = [_said(train, image, vocabulary) for image in range(len(train))]
    words = _agreed(train, said)
    fitting = [{word for word in own if own[word] >= SAID_TWICE and word in words} for own in said]
    times = Counter(word for own in fitting for word in own)
    left, taken = fitting, []
    while len(taken) < count and (gains := Counter(word for own in left for word in own)):
        # Of words that fit equally many the first of the alphabet.
        best = min(gains, key=lambda word: (-gains[word], word))
        taken.append(best)
        left = [own for own in left if best not in own]
    return Topics(tuple(sorted(taken, key=lambda word: (-times[word], word))), vocabulary)


def agreed_words(train: CaptionedImages) -> frozenset[str]:
    """Return the words, singular, on which annotators of the training images agree and that name a thing or a place."""
    vocabulary = frozenset(word for tokens in train.tokens for word in tokens)
    return _agreed(train, [_said(train, image, vocabulary) for image in range(len(train))])


def topic_closeness(
    images: Float[np.ndarray, "images embed"],
    captions: Float[np.ndarray, "images embed"],
    topics: Int[np.ndarray, " images"],
    other: int,
    nearest: int = 10,
) -> dict[str, float]:
    """Return how close images and captions are: of one pair, of one topic, of different topics.

    Args:
        captions: one of each image, in the order of the images.
        topics: topic of each image; those of ``other`` have none, and are left out.
        nearest: captions that are looked at for ``precision``.

    Mean cosines ``pair``, ``same`` (another image's caption, same topic) and ``different``; in percent, ``precision``:
    the share of an image's ``nearest`` captions (its own left out) that are of its topic, and ``chance``: that of
    captions in any order.
    """
    known = topics != other
    topics, x, y = topics[known], _unit(images[known]), _unit(captions[known])
    cosine = x.astype(np.float64) @ y.T.astype(np.float64)
    own = np.eye(len(topics), dtype=bool)
    same = (topics[:, None] == topics) & ~own
    ranked = np.argsort(-np.where(own, -np.inf, cosine), axis=1, kind="stable")[:, : min(nearest, len(topics) - 1)]
    return {
        "pair": float(cosine[own].mean()),
        "same": float(cosine[same].mean()),
        "different": float(cosine[~same & ~own].mean()),
        "precision": 100 * float(np.take_along_axis(same, ranked, axis=1).mean()),
        "chance": 100 * float(same[~own].mean()),
    }


def _said(part: CaptionedImages, image: int, vocabulary: frozenset[str]) -> Counter[str]:
    """Count the captions of an image that say each word."""
    captions = (part.tokens[caption] for caption in part.captions_of(image))
    return Counter(word for tokens in captions for word in {singular(token, vocabulary) for token in tokens})


def singular(word: str, vocabulary: frozenset[str]) -> str:
    """Return a plural that ends in s as its singular, where the vocabulary has it."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and word[:-1] in vocabulary else word


def _agreed(train: CaptionedImages, said: list[Counter[str]]) -> frozenset[str]:
    agreement = _agreement(train, said)
    return frozenset(word for word, value in agreement.items() if value >= AGREEMENT and word not in NO_THINGS.split())


def _agreement(part: CaptionedImages, said: list[Counter[str]]) -> dict[str, float]:
    times, agreed, asked = Counter(), Counter(), Counter()
    for image, own in enumerate(said):
        others = len(part.captions_of(image)) - 1
        for word, count in own.items():
            times[word] += count
            agreed[word] += count * (count - 1)
            asked[word] += count * others
    base = {word: times[word] / part.caption_count for word in times}
    return {
        word: (agreed[word] / asked[word] - base[word]) / (1 - base[word])
        for word in times
        if asked[word] and COMMON <= base[word] < 1
    }


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
