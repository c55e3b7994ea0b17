"""The model card: what a model learned from, how well it does, and on which terms it may be handed on."""

from ..config import ZeroShotConfig
from .retrieval import EnsembleModel, RetrievalModel


def card(model: RetrievalModel) -> str:
    """Return the card of a model as Markdown; its numbers are those that the run recorded."""
    config = model.config
    members = ", ".join(name for _, _, name in config.method.parts()) if isinstance(model, EnsembleModel) else ""
    track = [f"Track: **{model.track}**."]
    track += [f"- {reason}" for reason in config.track_reasons()]
    if model.track == "clean":
        track.append("No part of it was trained on captions of Flickr8k or Flickr30K other than the training split.")
    specs = (*config.image_specs, *config.text_specs)
    licences = [
        f"- `{spec.slug}`: {spec.provenance.licence or 'terms not recorded'} {spec.provenance.url}".rstrip()
        for spec in specs
    ]
    return "\n".join(
        [
            f"# {config.name}",
            "",
            f"An image–text retrieval model of XMR ({config.method.kind}{': ' + members if members else ''}). "
            f"Image features: {config.image_features} ({config.image_pooling}); "
            f"text features: {config.text_features} ({config.text_pooling}).",
            "",
            "## Data",
            "",
            _training(model),
            "",
            *track,
            "",
            "## Scores",
            "",
            *_scores(model),
            *_bank(model),
            "",
            "## Terms",
            "",
            "Features and networks that it stands on:",
            "",
            *licences,
            "",
            "The captions' words may be within (`encoders/`); the terms of the data set are those of whoever gave it.",
            "",
            "## Use",
            "",
            "```python",
            "from xmr_lib import RetrievalModel",
            "",
            'model = RetrievalModel.load("this folder")',
            'images = model.encode_images(["a.jpg", "b.jpg"])',
            'places, scores = model.search(["two dogs on a beach"], images, top=2)',
            "```",
            "",
        ]
    )


def _scores(model: RetrievalModel) -> list[str]:
    facts = model.facts
    if "test" not in facts:
        return [f"Tried out: the test split was not looked at. On validation rSum {facts['val_rsum']:.1f}."]
    data, test, (low, high) = facts["data"], facts["test"], facts["interval"]
    return [
        f"Test split, scored once: {data['images'].get('test', 0)} images, {data['captions'].get('test', 0)} captions.",
        "",
        "| | R@1 | R@5 | R@10 |",
        "| --- | --: | --: | --: |",
        f"| i→t | {test['i2t_r1']:.1f} | {test['i2t_r5']:.1f} | {test['i2t_r10']:.1f} |",
        f"| t→i | {test['t2i_r1']:.1f} | {test['t2i_r5']:.1f} | {test['t2i_r10']:.1f} |",
        "",
        f"rSum {test['rsum']:.1f} (95 % bootstrap over test images {low:.1f}–{high:.1f}; a random order has "
        f"{facts['chance_rsum']:.1f}); on validation {facts['val_rsum']:.1f}.",
    ]


def _bank(model: RetrievalModel) -> list[str]:
    """Return what the query bank does, on the split that its strength was chosen on."""
    if model.bank is None or "query_bank" not in model.facts:
        return []
    value = model.facts["query_bank"]["val_rsum"]
    used = [direction for direction, beta in model.bank.beta.items() if beta is not None]
    told = f"used for {' and '.join(used)}" if used else "not used: validation was not clearly better for it"
    return [
        "",
        f"Query-bank normalisation ({len(model.bank.captions)} training captions, {len(model.bank.images)} images): "
        f"{told}; on validation, where its strength was chosen, rSum {value['without']:.1f} without, "
        f"{value['with']:.1f} with it.",
    ]


def _training(model: RetrievalModel) -> str:
    data, seed = model.facts["data"], model.facts["seed"]
    if isinstance(model.config.method, ZeroShotConfig):
        return (
            f"Nothing was trained or chosen on {data['name']} (splits from: {data['split_source']}; profile "
            f"{data['profile']}): the network is as its authors published it."
        )
    return (
        f"Trained on the training split of {data['name']} ({data['images'].get('train', 0)} images, "
        f"{data['captions'].get('train', 0)} captions; splits from: {data['split_source']}), seed {seed}, "
        f"profile {data['profile']}. Everything was chosen on the validation split."
    )
