"""Which runs each table shows, in blocks, and how its rows are called there."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One run in a table."""

    run: str
    label: str
    needed: bool = True
    """Whether the build stops where the run is missing; if not, the line is left out."""


Block = tuple[Line, ...]

_POOLS = {
    "mean": "mean",
    "max": "max",
    "meanmax": r"mean $\|$ max",
    "score": "by score",
    "attention": "attention",
    "selfattention": "self-att.",
    "gpo": "GPO",
    "cls": r"\texttt{[CLS]}",
}
_FUSIONS = {
    "concat": "concatenation",
    "sum": "sum",
    "average": "average",
    "gate": "gate",
    "attention": "attention",
    "late": "late",
}

TABLES: dict[str, tuple[Block, ...]] = {
    "basics": (
        (Line("cca-mean", "CCA"),),
        (Line("a-recipe", r"recipe, i$\to$t"), Line("a-infonce", r"InfoNCE, i$\to$t")),
        (Line("b-recipe", r"recipe, t$\to$i"), Line("b-infonce", r"InfoNCE, t$\to$i")),
        (
            Line("ab-triplet-semihard", "triplet, both"),
            Line("ab-infonce", "InfoNCE, both"),
            Line("ab-infonce-meanmax", r"\quad mean $\|$ max"),
        ),
    ),
    "losses": (
        (
            Line("ab-infonce", "InfoNCE"),
            Line("ab-triplet-semihard", "triplet, semi-hard"),
            Line("ab-triplet-all", "triplet, all"),
            Line("ab-triplet-hardest", "triplet, hardest"),
            Line("ab-triplet-random", "triplet, random"),
        ),
        (
            Line("ab-infonce-meanmax", r"\quad mean $\|$ max"),
            Line("ab-infonce-idf", r"\quad IDF"),
        ),
    ),
    "regions": (
        (Line("r-fasttext", "whole image"),),
        tuple(
            Line(f"c-roi-{how}", f"RoI, {_POOLS[how]}")
            for how in ("mean", "max", "score", "attention", "selfattention", "gpo")
        ),
        (
            Line("c-head-attention", "head, attention"),
            Line("c-head-attention-tuned", r"\quad fc7 trained"),
        ),
        (Line("grid-attention", "grid, attention"),),
    ),
    "bert": (
        (Line("r-fasttext", "FastText"),),
        tuple(Line(f"d-{how}", _POOLS[how]) for how in ("cls", "mean", "max", "meanmax", "attention")),
        (
            Line("d-meanmax-layer5", "layer 5"),
            Line("d-meanmax-layers4to6", "layers 4--6"),
            Line("d-meanmax-tuned", "last layer trained"),
        ),
    ),
    "recurrent": (
        tuple(Line(f"e-{how}", _POOLS[how]) for how in ("mean", "meanmax", "attention")),
        tuple(
            Line(f"e-{how}", name)
            for how, name in (("lstm", "LSTM"), ("bilstm", "BiLSTM"), ("gru", "GRU"), ("bigru", "BiGRU"))
        ),
        tuple(Line(f"e-{how}-trained", f"{_POOLS[how]}, trained") for how in ("mean", "meanmax", "attention")),
        (
            Line("e-lstm-trained", "LSTM, trained"),
            Line("e-bigru-trained", "BiGRU, trained"),
            Line("e-bigru-meanmax-trained", r"\quad all states"),
        ),
    ),
    "representations": (
        (
            Line("r-onehot", "one-hot"),
            Line("r-phoc", "PHOC"),
            Line("r-glove", "GloVe"),
            Line("r-fasttext", "FastText"),
            Line("d-meanmax", "MiniLM"),
        ),
        (
            Line("r-onehot-trained", "one-hot, trained"),
            Line("r-onehot-glove-trained", r"\quad from GloVe"),
            Line("e-meanmax-trained", r"\quad from FastText"),
        ),
    ),
    "fusion": (
        (Line("r-fasttext", "CNN"), Line("c-roi-attention", "regions")),
        tuple(Line(f"f-image-{how}", name) for how, name in _FUSIONS.items()),
        (Line("r-fasttext", "FastText"), Line("d-meanmax", "MiniLM")),
        tuple(Line(f"f-text-{how}", name) for how, name in _FUSIONS.items()),
        (
            Line("f-table-late", "word table twice", needed=False),
            Line("f-words-late", "word table + BiGRU"),
            Line("f-all-late", "four models"),
        ),
    ),
    "finetuning": (
        (Line("c-head-attention", "box head"), Line("c-head-attention-tuned", r"\quad fc7 trained")),
        (Line("t-cnn-frozen", "CNN"), Line("t-cnn-tuned", r"\quad last block trained")),
        (Line("d-meanmax", "MiniLM"), Line("d-meanmax-tuned", r"\quad last layer trained")),
    ),
    "best": (
        (
            Line("r-onehot-glove-trained", "word table"),
            Line("s-views", "+ two views", needed=False),
            Line("s-lite2", "+ Lite2", needed=False),
            Line("s-spacy", "+ spaCy's vectors", needed=False),
            Line("s-gru", "+ BiGRU", needed=False),
        ),
        (
            Line("s-gru-late", "5 with BiGRU, late", needed=False),
            Line("s-late", "10 models, late", needed=False),
        ),
        (
            Line("o-minilm", "+ MiniLM", needed=False),
            Line("o-mpnet", "+ MPNet", needed=False),
            Line("o-mpnet-late", "5 with MPNet, late", needed=False),
            Line("o-late", "15 models, late", needed=False),
        ),
    ),
}
TABLES["text"] = (
    *TABLES["bert"][:1],
    (
        Line("d-cls", r"MiniLM, CLS"),
        Line("d-meanmax", rf"\quad {_POOLS['meanmax']}"),
        Line("d-meanmax-layers4to6", r"\quad layers 4--6"),
        Line("d-meanmax-tuned", r"\quad last layer trained"),
    ),
    *(tuple(line for line in block if "attention" not in line.run) for block in TABLES["recurrent"]),
)
"""Tasks (d) and (e) in one: what is not shown of them stands in the table of all models."""
HEADLINE: Block = (
    Line("cca-mean", "CCA"),
    Line("a-recipe", r"recipe, i$\to$t"),
    Line("b-recipe", r"recipe, t$\to$i"),
    Line("ab-infonce", "InfoNCE, mean"),
    Line("ab-infonce-meanmax", r"InfoNCE, mean $\|$ max"),
    Line("c-roi-attention", "regions"),
    Line("e-gru", "GRU"),
    Line("e-bigru-trained", "BiGRU, trained"),
    Line("r-onehot-glove-trained", "word table, trained"),
    Line("d-meanmax", "MiniLM (open)"),
    Line("d-meanmax-tuned", "MiniLM, tuned (open)"),
    Line("f-words-late", "table + BiGRU, late"),
    Line("s-gru", "table + BiGRU, Lite0 + Lite2", needed=False),
    Line("s-late", "the same, ten models, late", needed=False),
)
"""Rows of the study's main line, for figures and for the table of configs; labels that matplotlib can set too."""
OURS: dict[Line, str] = {
    Line("cca-mean", "CCA"): "FastText mean",
    Line("c-roi-attention", "InfoNCE"): r"mean $\|$ max",
    Line("r-onehot-glove-trained", "InfoNCE"): "word table",
    Line("d-meanmax-tuned", "InfoNCE (open)"): "MiniLM",
    Line("s-gru", "InfoNCE", needed=False): "table + BiGRU",
    Line("s-late", "InfoNCE$^e$", needed=False): "with and without",
    Line("o-mpnet", "InfoNCE (open)", needed=False): "table + MPNet",
}
"""Rows that stand beside published numbers, and what is a caption there."""
IMAGES = {
    "i-pooled": "CNN, untrained",
    "i-regions": "regions, untrained",
    "ab-infonce-meanmax": "captions, FastText",
    "d-meanmax": "captions, MiniLM",
    "i-siamese": "Siamese",
    "i-triplet": "triplet",
}
"""Rows of image retrieval: by what an image is described, or from what its encoder has learned."""
TASKS = (
    ("baseline", "CCA"),
    ("a", "Task (a): image to text"),
    ("b", "Task (b): text to image, and both directions in one model"),
    ("c", "Task (c): Faster R-CNN"),
    ("d", "Task (d): BERT"),
    ("e", "Task (e): recurrent networks, and what they are compared with"),
    ("representations", "Representations of words"),
    ("finetune", "Fine-tuning"),
    ("fusion", "Grids and fusion"),
    ("ensemble", "Late fusion of models"),
    ("best", "Towards the best model"),
)
"""Blocks of the table of all models, by task."""
