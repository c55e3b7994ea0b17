"""What the documents say about the dataset that they report on."""

from dataclasses import dataclass

from ..records import Result
from .tex import count, escape


@dataclass(frozen=True)
class Words:
    """Name and one sentence."""

    name: str
    sentence: str


WORDS = {
    "scenes": Words(
        "scenes",
        "pictures that the library draws itself, of things with a colour, a size, a number and a place in front of a "
        "background, with captions from a grammar that imitates several annotators",
    ),
    "flickr8k": Words(
        "Flickr8k",
        "photographs from Flickr of people and animals in everyday situations, each with the captions of several "
        "people, in the standard split",
    ),
    "flickr30k": Words(
        "Flickr30K",
        "photographs from Flickr of people in everyday situations, each with the captions of several people, in the "
        "split of Karpathy and Fei-Fei",
    ),
}


def words_of(slug: str) -> Words:
    """Return name and description of a dataset; of one that isn't known here, its slug."""
    return WORDS.get(slug, Words(escape(slug), "images with captions that the user of the library brought along"))


def dataset_text(slug: str, result: Result) -> str:
    """Return one sentence that describes the data of a run, with their numbers."""
    words = words_of(slug)
    images, captions = result.data["images"], result.data["captions"]
    return (
        f"{words.name} holds {count(sum(images.values()))} images and {count(sum(captions.values()))} captions: "
        f"{words.sentence}"
    )
