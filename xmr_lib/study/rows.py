"""The models of the study, by name: what each changes of the default config, and why.

Plain values alone: the command that lists them does not wait for torch.
"""

from typing import Any

MPNET = "bert:sentence-transformers/all-mpnet-base-v2"
POOLINGS = ("mean", "max", "score", "attention", "selfattention", "gpo")
"""Of regions, those by hand and those that are learned."""
FUSIONS = ("concat", "sum", "average", "gate", "attention")
RECIPE: dict[str, Any] = {
    "projection": "linear",
    "normalised": False,
    "distance": "euclidean",
    "loss": "triplet",
    "negatives": "random",
    "margin": 1.0,
}
"""The assignment's own words: project both into one space, Euclidean distance, a triplet in one direction."""

CCA: dict[str, Any] = {"task": "baseline", "method": "cca", "text_scaling": "l2"}

STUDY: dict[str, Any] = {
    "image_scaling": "power",
    "projection": "linear",
    "dropout": 0.4,
    "batch": 512,
    "learning_rate": 2e-3,
    "epochs": 16,
}
"""Of the studies (c), (d), (e), representations, fusion: one schedule for all, so that only what is studied changes;
chosen on validation with a trained table of words."""
FASTTEXT: dict[str, Any] = {"task": "representations", "text_pooling": "meanmax", **STUDY}
REGIONS: dict[str, Any] = {**FASTTEXT, "task": "c", "image_features": "frcnn-lite0-roi"}
HEAD: dict[str, Any] = {**REGIONS, "image_features": "frcnn-lite0"}
BERT: dict[str, Any] = {"task": "d", "text_features": "minilm", **STUDY}
TRAINED: dict[str, Any] = {"train_words": True, "word_dropout": 0.15}
"""Vectors of words that are trained on."""
SMALL: dict[str, Any] = {**TRAINED, "word_scale": 0.1, "text_scaling": "l2"}
"""The same, aggregated without a network of their own: they have to move further."""
WORDS: dict[str, Any] = {"task": "e", "word_dropout": 0.15, **STUDY}
RNN: dict[str, Any] = {**WORDS, "text_scaling": "none", "hidden": 256}
ROI: dict[str, Any] = {**FASTTEXT, "task": "fusion", "image_features": "effnet-lite0+frcnn-lite0-roi"}
BOTH: dict[str, Any] = {"task": "fusion", "text_features": "fasttext-self+minilm", **STUDY}

TUNING: dict[str, Any] = {"task": "finetune", "text_features": "onehot+glove", "epochs": 4}
"""An epoch takes a hundred times as long as with frozen features."""

STEP: dict[str, Any] = {**FASTTEXT, **SMALL, "task": "best"}
"""Of the steps to the best model: words in any order, vectors of two kinds side by side, trained."""
BAG: dict[str, Any] = {
    **STEP,
    "image_features": "effnet-lite0-views+effnet-lite2-views",
    "image_dropout": 0.5,
    "text_features": "onehot+spacy-md",
}
GRU: dict[str, Any] = {
    **BAG,
    "text_features": "onehot+spacy-md+spacy-md",
    "text_pooling": "meanmax+meanmax+bigru",
    "word_scale": (0.1, 0.1, 1.0),
    "text_hidden": 256,
}
"""The same, and a recurrent network that reads the words in their order, in one tower."""
BESIDE: dict[str, Any] = {
    **BAG,
    "train_words": (True, True, False),
    "word_dropout": (0.15, 0.15, 0.0),
    "word_scale": (0.1, 0.1, 1.0),
}
"""The bag beside the tokens of a frozen BERT, which comes third."""

CLIP: dict[str, str] = {
    "image_features": "clip-image:openai/clip-vit-base-patch32",
    "text_features": "clip-text:openai/clip-vit-base-patch32",
}
"""Another one is named with ``--set``: ``image.features=clip-image:NAME`` and ``text.features=clip-text:NAME``."""

LATE: dict[str, Any] = {"task": "ensemble", "method": "late"}
SEEDS = (0, 1, 2, 3, 4)

POOLED, LITE = "effnet-lite0", "frcnn-lite0"
MADE_HERE = {"image": POOLED, "text": "fasttext-self"}

MODELS: dict[str, dict[str, Any]] = {
    # A linear method in closed form that every trained model has to beat.
    "cca-mean": CCA,
    # The length of a sum is what it has beyond the mean.
    "cca-sum": {**CCA, "text_pooling": "sum", "text_scaling": "none"},
    "cca-max": {**CCA, "text_pooling": "max"},
    "cca-meanmax": {**CCA, "text_pooling": "meanmax"},
    "cca-idf": {**CCA, "text_pooling": "idf"},
    # Task (a): image-to-text alone.
    "a-recipe": {"task": "a", "direction": "i2t", **RECIPE},
    "a-infonce": {"task": "a", "direction": "i2t"},
    # Task (b): text-to-image alone.
    "b-recipe": {"task": "b", "direction": "t2i", **RECIPE},
    "b-infonce": {"task": "b", "direction": "t2i"},
    # Both directions in one model: the recipe; the same on unit vectors; then another network, five losses.
    "ab-recipe": {"task": "b", **RECIPE},
    "ab-recipe-cosine": {"task": "b", "projection": "linear", "loss": "triplet", "negatives": "random"},
    "ab-infonce": {"task": "b"},
    "ab-triplet-random": {"task": "b", "loss": "triplet", "negatives": "random"},
    "ab-triplet-semihard": {"task": "b", "loss": "triplet", "negatives": "semihard"},
    "ab-triplet-hardest": {"task": "b", "loss": "triplet", "negatives": "hardest"},
    "ab-triplet-all": {"task": "b", "loss": "triplet", "negatives": "all"},
    # InfoNCE again, with other aggregations of the words.
    "ab-infonce-meanmax": {"task": "b", "text_pooling": "meanmax"},
    "ab-infonce-idf": {"task": "b", "text_pooling": "idf"},
    # The reference of what follows: notebook 02's best model under the schedule of the studies.
    "r-fasttext": FASTTEXT,
    # Task (c): the image as regions of Faster R-CNN, described by the image network's last stage, six aggregations.
    **{f"c-roi-{how}": {**REGIONS, "image_pooling": how} for how in POOLINGS},
    # A transformer layer over 37 regions an image: at the width of the others an epoch takes minutes.
    "c-roi-selfattention": {**REGIONS, "image_pooling": "selfattention", "hidden": 256},
    # The same regions, described by the detector's own box head; its last layer as it is, or trained on with the loss.
    "c-head-mean": {**HEAD, "image_pooling": "mean"},
    "c-head-attention": {**HEAD, "image_pooling": "attention"},
    "c-head-attention-tuned": {**HEAD, "image_pooling": "attention", "unfreeze_blocks": 1},
    # No detector: the 49 places of the last map. Their mean is the pooled feature of the other tasks.
    "grid-attention": {
        **{**REGIONS, "task": "fusion", "image_features": "effnet-lite0-grid"},
        "image_pooling": "attention",
    },
    # Task (d): tokens of a BERT, frozen, five aggregations, other layers; then its last layer trained with the loss.
    **{f"d-{how}": {**BERT, "text_pooling": how} for how in ("cls", "mean", "max", "meanmax", "attention")},
    "d-meanmax-layer5": {**BERT, "text_features": "minilm@5", "text_pooling": "meanmax"},
    "d-meanmax-layers4to6": {**BERT, "text_features": "minilm@4-6", "text_pooling": "meanmax"},
    "d-meanmax-tuned": {**BERT, "text_features": "minilm@5", "text_pooling": "meanmax", "unfreeze_layers": 1},
    # Task (e): networks that read the words in their order, against aggregations that don't; FastText, frozen.
    **{f"e-{how}": {**RNN, "text_pooling": how} for how in ("lstm", "bilstm", "gru", "bigru")},
    **{f"e-{how}": {**WORDS, "text_pooling": how} for how in ("mean", "meanmax", "attention")},
    # The same, the vectors of the words trained too.
    **{f"e-{how}-trained": {**RNN, **TRAINED, "text_pooling": how} for how in ("lstm", "bigru")},
    **{f"e-{how}-trained": {**WORDS, **SMALL, "text_pooling": how} for how in ("mean", "meanmax", "attention")},
    # All hidden states instead of the last one; the vectors are kept near where they started.
    "e-bigru-meanmax-trained": {**RNN, **TRAINED, "text_pooling": "bigru-meanmax", "word_lr": 0.1},
    # Representations of words, frozen; then as the start of a table that is trained.
    **{f"r-{slug}": {**FASTTEXT, "text_features": slug} for slug in ("onehot", "phoc", "glove")},
    "r-onehot-trained": {**FASTTEXT, **SMALL, "text_features": "onehot"},
    "r-onehot-glove-trained": {**FASTTEXT, **SMALL, "text_features": "onehot+glove"},
    # The last block of the image network trained with the loss; and frozen, for as many epochs.
    "t-cnn-frozen": {**FASTTEXT, **SMALL, **TUNING, "image_features": POOLED},
    "t-cnn-tuned": {**FASTTEXT, **SMALL, **TUNING, "image_features": "effnet-lite0@15", "unfreeze_blocks": 1},
    # Steps from the trained table of words to the best model, each with one change; then what is made of them.
    "s-views": {**STEP, "text_features": "onehot+glove", "image_features": "effnet-lite0-views"},
    "s-lite2": {**BAG, "text_features": "onehot+glove"},
    "s-spacy": BAG,
    "s-gru": GRU,
    "s-gru-late": {**LATE, "members": ("s-gru",), "seeds": SEEDS},
    "s-late": {**LATE, "members": ("s-spacy", "s-gru"), "seeds": SEEDS},
    # The same on the open track: the tokens of MiniLM or MPNet, frozen, beside the words.
    "o-minilm": {**BESIDE, "text_features": "onehot+spacy-md+minilm"},
    "o-mpnet": {**BESIDE, "text_features": f"onehot+spacy-md+{MPNET}"},
    "o-mpnet-late": {**LATE, "members": ("o-mpnet",), "seeds": SEEDS},
    "o-late": {**LATE, "members": ("s-spacy", "s-gru", "o-mpnet"), "seeds": SEEDS},
    # Learned from late fusion of one seed each: no better on validation than without a teacher.
    "s-pair-late": {**LATE, "members": ("s-spacy", "s-gru")},
    "s-taught": {**BAG, "teacher": "s-pair-late"},
    # CLIP: as it is, nothing trained; its frozen embeddings projected anew; the last layer of each side trained too.
    "clip-zero-shot": {"task": "representations", "method": "zero-shot", **CLIP},
    "clip-frozen": {**STUDY, "task": "representations", **CLIP},
    "clip-tuned": {
        **{**STUDY, "task": "finetune", "epochs": 4, "unfreeze_blocks": 1, "unfreeze_layers": 1},
        **{side: f"{slug}@11" for side, slug in CLIP.items()},
    },
    # Fusion of the CNN's vector with regions, of FastText with BERT, early, five ways.
    **{f"f-image-{how}": {**ROI, "image_pooling": "none+attention", "image_fusion": how} for how in FUSIONS},
    **{f"f-text-{how}": {**BOTH, "text_pooling": "meanmax", "text_fusion": how} for how in FUSIONS},
    # Late fusion: of image features, of text features, of models.
    "f-image-late": {**LATE, "task": "fusion", "members": ("r-fasttext", "c-roi-attention")},
    "f-text-late": {**LATE, "task": "fusion", "members": ("r-fasttext", "d-meanmax")},
    # The control of the next: the better of its two models twice, with two seeds.
    "f-table-late": {**LATE, "members": ("r-onehot-glove-trained",), "seeds": (0, 1)},
    "f-words-late": {**LATE, "members": ("r-onehot-glove-trained", "e-bigru-trained")},
    "f-all-late": {
        **LATE,
        "members": ("c-roi-attention", "r-onehot-glove-trained", "e-bigru-trained", "d-meanmax"),
    },
}

BY_COMMAND = ("s-", "o-", "clip-")
"""How the names of those models begin that no notebook trains: notebook 10 shows what of them is recorded."""

BEST, FAST, ASSIGNMENT = "best", "fast", "assignment"
ALIASES = {BEST: "s-late", FAST: "r-onehot-glove-trained", ASSIGNMENT: "e-meanmax-trained"}
"""By what they are for: ``best`` is the clean model with the highest validation rSum on Flickr8k, late fusion included;
``fast`` is one model, trained in a minute or two on features of what comes with ``xmr``; ``assignment`` needs nothing
but the course's two feature files."""
