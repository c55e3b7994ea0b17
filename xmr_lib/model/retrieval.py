"""``RetrievalModel``: a trained model that takes photographs and sentences, wherever they come from."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import normalize
from tqdm import tqdm

from ..config import RunConfig
from ..data.words import tokenise
from ..encoders import Captions, Encoder, ImageEncoder
from ..errors import XmrError
from ..features.extract import Seen, picture_of, seen_by
from ..features.spec import FeatureSpec
from ..features.view import View, together
from ..losses import similarity_matrix
from ..modules import DualEncoder, RowPart, WordEmbedding
from ..query_bank import QueryBank
from ..ragged import Ragged
from ..runtime import CPU, Runtime
from ..search import highest, nearest
from .inputs import Boxes, ImageInput, TextInput, as_items, one_or_parts

Photograph = str | Path | Image.Image | np.ndarray
"""A file, an open image, or an array of shape (height, width, 3), uint8."""
Sentence = str | Sequence[str]
"""As written, or as a list of tokens."""
Found = tuple[Int[np.ndarray, "queries found"], Float[np.ndarray, "queries found"]]
BATCH = 8
"""Images that a network sees at once."""
CAPTIONS = 1024


class RetrievalModel:
    """Image → embedding, sentence → embedding, and the similarity of the two.

    Args:
        config: what the model is.
        network: the towers: ``embed_images`` and ``embed_captions`` of what the inputs give.
        images, texts: from photographs and captions to what the towers are fed, one per branch.
        facts: what is recorded of the training: data, split, scores (see ``card``).
        loss: the loss as training left it, e.g. with its temperature; None where there was none.
        runtime: where it embeds.

    Attributes:
        bank: for query-bank normalisation; None of a model that was saved without one.
    """

    def __init__(
        self,
        config: RunConfig,
        network: nn.Module,
        images: Sequence[ImageInput],
        texts: Sequence[TextInput],
        facts: dict[str, Any],
        loss: nn.Module | None = None,
        runtime: Runtime = CPU,
    ):
        self.config, self.network, self.facts, self.loss = config, runtime.place(network).eval(), facts, loss
        self.runtime = runtime
        self.bank: QueryBank | None = None
        self.images, self.texts = tuple(images), tuple(texts)

    @staticmethod
    def load(folder: str | Path, runtime: Runtime | None = None) -> "RetrievalModel":
        """Read a model from its folder or from a run; see ``folder.load_model``, whose errors it raises.

        Args:
            runtime: where it embeds; default: ``Runtime.of()``, a GPU if there is one.
        """
        from .folder import load_model

        return load_model(Path(folder).expanduser(), runtime or Runtime.of())

    def save(self, folder: str | Path, with_networks: bool = False, onnx: bool = False) -> None:
        """Write the model into a new folder; see ``folder.save_model``, whose errors it raises."""
        from .folder import save_model

        save_model(self, Path(folder).expanduser(), with_networks, onnx)

    def encode_images(
        self, images: Sequence[Photograph], boxes: Boxes | None = None, progress: bool = False
    ) -> Float[np.ndarray, "images embed"]:
        """Embed photographs.

        Args:
            images: see ``Photograph``; each is turned upright and seen as its network wants it.
            boxes: of a model on regions, what to describe instead of what its detector finds; see ``Boxes``.
            progress: whether to show a bar.

        Raises:
            XmrError: an image can't be read; a network is not to be had; or the model stands on features of the course,
                which can't be made of photographs.
        """
        found = []
        for start in tqdm(range(0, len(images), BATCH), desc="images", unit="batch", disable=not progress):
            seen = [seen_by(self.views, picture_of(image)) for image in images[start : start + BATCH]]
            found.append(self.encode_seen(seen, None if boxes is None else boxes[start : start + BATCH]))
        return np.concatenate(found) if found else np.empty((0, 0), np.float32)

    @property
    def views(self) -> tuple[View, ...]:
        """How its networks see a picture: what ``encode_seen`` is to be given."""
        return tuple(dict.fromkeys(given.encoder.view for given in self.images))

    def encode_seen(self, seen: Sequence[Seen], boxes: Boxes | None = None) -> Float[np.ndarray, "images embed"]:
        """Embed pictures, all at once, that were read elsewhere, e.g. by threads; see ``features.extract.seen_by``.

        Raises:
            XmrError: see ``encode_images``.
        """
        pixels = {view: together([own[view] for own in seen]) for view in self.views}
        features = [given.of_pixels(pixels[given.encoder.view], boxes) for given in self.images]
        return self.embed_images(one_or_parts(features)).numpy()

    def encode_image_features(self, features: np.ndarray | Ragged) -> Float[np.ndarray, "images embed"]:
        """Embed images by their features as they are stored: columns of ``vgg_feats.mat``, or ragged rows of regions.

        Raises:
            XmrError: the model has several kinds of image features.
        """
        if len(self.images) != 1:
            raise XmrError(
                f"{self.config.name}: it has {len(self.images)} kinds of image features; embed the photographs"
            )
        return self._joined([self.embed_images(as_items(self.images[0].encoder.inputs(features)))])

    def encode_texts(self, sentences: Sequence[Sentence]) -> Float[np.ndarray, "captions embed"]:
        """Embed sentences, or lists of tokens; a word that is new has a vector where the method can give it one.

        Raises:
            XmrError: one sentence was given instead of a list, or a network is not to be had.
        """
        if isinstance(sentences, str):
            raise XmrError(f"encode_texts takes a list of sentences; give [{sentences[:40]!r}]")
        found = []
        for start in range(0, len(sentences), CAPTIONS):
            block = sentences[start : start + CAPTIONS]
            captions = Captions(
                raw=[text if isinstance(text, str) else " ".join(text) for text in block],
                tokens=[tokenise(text) if isinstance(text, str) else tuple(text) for text in block],
            )
            features = [
                given.of_captions(captions, self.word_embedding(place)) for place, given in enumerate(self.texts)
            ]
            found.append(self.embed_captions(one_or_parts(features)))
        return self._joined(found)

    def similarity(
        self, images: Float[np.ndarray, "images embed"], captions: Float[np.ndarray, "captions embed"]
    ) -> Float[np.ndarray, "images captions"]:
        """Return how alike embeddings are, higher is more: cosine, or the negative distance."""
        return similarity_matrix(torch.from_numpy(images), torch.from_numpy(captions), self.config.distance).numpy()

    def search(
        self,
        queries: Sequence[Sentence] | np.ndarray,
        gallery: Float[np.ndarray, "gallery embed"],
        top: int = 10,
        normalise: str = "",
    ) -> Found:
        """Return the places of the nearest items of a gallery for each query, best first, and their similarities.

        Args:
            queries: sentences, or embeddings of anything (of photographs, to find sentences or photographs).
            gallery: embeddings of what is searched.
            top: how many; at most the whole gallery.
            normalise: query-bank normalisation of the order: ``t2i`` of sentences that ask for pictures, ``i2t`` of
                pictures that ask for sentences, or nothing. The similarities are those without.

        Raises:
            XmrError: it is to be normalised, and the model has no bank.
        """
        asked = queries if isinstance(queries, np.ndarray) else self.encode_texts(queries)
        if not normalise:
            return nearest(asked, gallery, top, self.config.distance)
        if self.bank is None:
            raise XmrError(f"{self.config.name}: it was saved without a query bank; 'xmr train' keeps one today")
        places = highest(*self.bank.vectors(asked, gallery, normalise), top)[0]
        similarities = [self.similarity(own[None], gallery[found])[0] for own, found in zip(asked, places, strict=True)]
        return places, np.stack(similarities)

    def embed_images(self, features: Any) -> Tensor:
        """Embed what ``ImageInput`` gives, or a dataset's features as they were gathered; the result is on the host."""
        with self.runtime.autocast():
            return self.network.embed_images(features)

    def embed_captions(self, features: Any) -> Tensor:
        """Embed what ``TextInput`` gives, or a dataset's features as they were gathered; the result is on the host."""
        with self.runtime.autocast():
            return self.network.embed_captions(features)

    @property
    def track(self) -> str:
        """``clean`` or ``open``, as it was found where the model was made: there its networks could be looked at."""
        return self.facts.get("track", self.config.track)

    def word_embedding(self, place: int) -> WordEmbedding | None:
        """Return the table of the words of a branch of captions, where its network names them by number; else None."""
        part = self.network.caption.parts[place] if isinstance(self.network, DualEncoder) else None
        return part.entry if isinstance(part, RowPart) and isinstance(part.entry, WordEmbedding) else None

    @staticmethod
    def _joined(blocks: list[Tensor]) -> np.ndarray:
        return torch.cat(blocks).numpy() if blocks else np.empty((0, 0), dtype=np.float32)


class EnsembleModel(RetrievalModel):
    """Late fusion: the weighted mean of the members' cosines.

    Vectors end to end, scaled by the roots of the weights: their cosine is the weighted mean of the members'.
    """

    def __init__(
        self, config: RunConfig, members: Sequence[RetrievalModel], weights: Sequence[float], facts: dict[str, Any]
    ):
        super().__init__(config, nn.Module(), (), (), facts)
        self.members, self.weights = tuple(members), tuple(weights)
        _share_encoders(self.members)

    @property
    def views(self) -> tuple[View, ...]:
        return tuple(dict.fromkeys(view for member in self.members for view in member.views))

    def encode_seen(self, seen: Sequence[Seen], boxes: Boxes | None = None) -> Float[np.ndarray, "images embed"]:
        pixels = {view: together([own[view] for own in seen]) for view in self.views}
        features: dict[ImageEncoder, Tensor | Ragged] = {}
        for given in (given for member in self.members for given in member.images):
            if given.encoder not in features:
                features[given.encoder] = given.of_pixels(pixels[given.encoder.view], boxes)
        own = ([features[given.encoder] for given in member.images] for member in self.members)
        embedded = (member.embed_images(one_or_parts(given)) for member, given in zip(self.members, own, strict=True))
        return self.fused([embeddings.numpy() for embeddings in embedded])

    def encode_image_features(self, features: np.ndarray | Ragged) -> Float[np.ndarray, "images embed"]:
        specs = {spec for member in self.members for spec in member.config.image_specs}
        if len(specs) > 1:
            raise XmrError(
                f"{self.config.name}: its members have {len(specs)} kinds of image features; embed photographs"
            )
        return self.fused([member.encode_image_features(features) for member in self.members])

    def encode_texts(self, sentences: Sequence[Sentence]) -> Float[np.ndarray, "captions embed"]:
        return self.fused([member.encode_texts(sentences) for member in self.members])

    def fused(self, embeddings: Sequence[np.ndarray]) -> np.ndarray:
        """Join the members' embeddings of the same items."""
        return joined(embeddings, self.weights)


def _share_encoders(members: Sequence[RetrievalModel]) -> None:
    """Give members the same encoder of images where they have equal ones: its network is held, and run, once."""
    known: dict[tuple[FeatureSpec, str], ImageEncoder] = {}

    def first(encoder: ImageEncoder) -> ImageEncoder:
        # What has learned on the data may differ from member to member.
        if encoder.weights is None or type(encoder).save is not Encoder.save:
            return encoder
        return known.setdefault((encoder.spec, encoder.weights.sha256), encoder)

    for member in members:
        member.images = tuple(replace(given, encoder=first(given.encoder)) for given in member.images)


def joined(embeddings: Sequence[np.ndarray], weights: Sequence[float]) -> Float[np.ndarray, "items embed"]:
    """Join embeddings of the same items so that the cosine of two is the weighted mean of the cosines (weights: 1)."""
    scaled = [weight**0.5 * normalize(torch.from_numpy(own)) for weight, own in zip(weights, embeddings, strict=True)]
    return torch.cat(scaled, dim=1).float().numpy()
