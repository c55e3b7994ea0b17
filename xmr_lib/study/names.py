"""The readable name of each run: the one table that text, tables and figures take it from."""

from ..errors import XmrError

NAMES = {
    "cca-mean": "CCA",
    "cca-sum": "CCA on the sum of the words",
    "cca-max": "CCA on the maximum of the words",
    "cca-meanmax": "CCA on mean and maximum",
    "cca-idf": "CCA on IDF weights",
    "a-recipe": "the image-to-text recipe",
    "a-infonce": "image-to-text InfoNCE",
    "b-recipe": "the text-to-image recipe",
    "b-infonce": "text-to-image InfoNCE",
    "ab-infonce": "InfoNCE in both directions",
    "ab-triplet-random": "a triplet with random negatives",
    "ab-triplet-semihard": "a triplet with semi-hard negatives",
    "ab-triplet-hardest": "a triplet with the hardest negatives",
    "ab-triplet-all": "a triplet with all negatives",
    "ab-infonce-meanmax": "InfoNCE on mean and maximum",
    "ab-infonce-idf": "InfoNCE on IDF weights",
    "c-roi-mean": "the mean of regions",
    "c-roi-max": "the maximum of regions",
    "c-roi-score": "the score-weighted mean of regions",
    "c-roi-attention": "attention over regions",
    "c-roi-selfattention": "self-attention over regions",
    "c-roi-gpo": "GPO over regions",
    "c-head-mean": "the mean of box-head vectors",
    "c-head-attention": "attention over box-head vectors",
    "c-head-attention-tuned": "attention over a trained box head",
    "grid-attention": "attention over the grid",
    "r-fasttext": "frozen FastText",
    "r-onehot": "frozen one-hot words",
    "r-phoc": "frozen PHOC",
    "r-glove": "frozen GloVe",
    "r-onehot-trained": "a trained word table",
    "r-onehot-glove-trained": "a trained word table begun at GloVe",
    "d-cls": "the [CLS] token of MiniLM",
    "d-mean": "the mean of MiniLM's tokens",
    "d-max": "the maximum of MiniLM's tokens",
    "d-meanmax": "mean and maximum of MiniLM's tokens",
    "d-attention": "attention over MiniLM's tokens",
    "d-meanmax-layer5": "the last layer but one of MiniLM",
    "d-meanmax-layers4to6": "the mean of MiniLM's last three layers",
    "d-meanmax-tuned": "MiniLM with its last layer trained",
    "e-lstm": "an LSTM over frozen words",
    "e-bilstm": "a bidirectional LSTM over frozen words",
    "e-gru": "a GRU over frozen words",
    "e-bigru": "a bidirectional GRU over frozen words",
    "e-mean": "the mean of frozen words",
    "e-meanmax": "mean and maximum of frozen words",
    "e-attention": "attention over frozen words",
    "e-lstm-trained": "an LSTM over trained words",
    "e-bigru-trained": "a bidirectional GRU over trained words",
    "e-bigru-meanmax-trained": "all states of a trained bidirectional GRU",
    "e-mean-trained": "the mean of trained words",
    "e-meanmax-trained": "mean and maximum of trained words",
    "e-attention-trained": "attention over trained words",
    "t-cnn-frozen": "the frozen CNN in the short schedule",
    "t-cnn-tuned": "the CNN with its last block trained",
    "clip-zero-shot": "CLIP without training",
    "clip-frozen": "frozen CLIP embeddings",
    "clip-tuned": "CLIP with its last layers trained",
    "f-image-concat": "the concatenation of CNN and regions",
    "f-image-sum": "the sum of CNN and regions",
    "f-image-average": "the average of CNN and regions",
    "f-image-gate": "a gate over CNN and regions",
    "f-image-attention": "attention over CNN and regions",
    "f-image-late": "late fusion of CNN and regions",
    "f-text-concat": "the concatenation of FastText and MiniLM",
    "f-text-sum": "the sum of FastText and MiniLM",
    "f-text-average": "the average of FastText and MiniLM",
    "f-text-gate": "a gate over FastText and MiniLM",
    "f-text-attention": "attention over FastText and MiniLM",
    "f-text-late": "late fusion of FastText and MiniLM",
    "f-words-late": "late fusion of word table and GRU",
    "f-all-late": "late fusion of four models",
    "i-pooled": "the untrained CNN vector",
    "i-regions": "the mean of untrained regions",
    "i-siamese": "the Siamese encoder",
    "i-triplet": "the triplet encoder",
}
"""Noun phrases that can stand in the middle of a sentence, in plain ASCII."""


def readable(run: str) -> str:
    """Return the readable name of a run.

    Raises:
        XmrError: the run is not of the study.
    """
    if run not in NAMES:
        raise XmrError(f"run {run!r} has no readable name in xmr_lib/study/names.py: is it misspelt?")
    return NAMES[run]
