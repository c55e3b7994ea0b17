"""Which facts each of five annotators states: enough of them that the caption fits one picture only, but for slips."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .facts import FactIndex
from .grammar import misspelt, sentence
from .kinds import PAINTS, STRONG
from .world import NUMBERS, Fact, Group, Scene

PER_IMAGE = 5
SLIPS = 0.04
"""Share of captions with a slip: a wrong colour or number, something overlooked, a misspelling."""


@dataclass(frozen=True)
class Caption:
    """A caption, what it states, and the kind of slip in it, if any (kept in memory only)."""

    facts: frozenset[Fact]
    raw: str
    tokens: tuple[str, ...]
    slip: str | None = None


def naming(group: Group) -> frozenset[Fact]:
    """The facts that go with just naming a group."""
    facts: set[Fact] = {("kind", group.kind)}
    return frozenset(facts | {("plural", group.kind)} if group.count > 1 else facts)


def details(scene: Scene, facts: frozenset[Fact]) -> list[tuple[float, frozenset[Fact]]]:
    """Return what could still be said, with how likely an annotator is to say it."""
    found: list[tuple[float, frozenset[Fact]]] = []
    named = [group for group in scene.groups if ("kind", group.kind) in facts]
    for group in scene.groups:
        if group not in named:
            found.append((3.0, naming(group)))
            continue
        found.append((3.0, frozenset({("colour", group.kind, group.colour)})))
        found.append((3.0 if group.count > 1 else 0.1, frozenset({("count", group.kind, NUMBERS[group.count])})))
        if group.size != "medium":
            found.append((1.6, frozenset({("size", group.kind, group.size)})))
        if group.count > 2:
            found.append((0.6, frozenset({("many", group.kind)})))
    found.append((2.6, frozenset({("background", scene.background)})))
    found.append((1.2, frozenset({("time", scene.time)})))
    if scene.background != "living room":
        found.append((0.8, frozenset({("sky", scene.sky)})))
    if ("alone",) in scene.facts():
        found.append((0.3, frozenset({("alone",)})))
    if not any(fact[0] == "relation" for fact in facts):
        kinds = {group.kind for group in named}
        pairs = [fact for fact in scene.relations() if fact[2] in kinds and fact[3] in kinds]
        found += [(4.0 / len(pairs), frozenset({fact})) for fact in pairs]
    return [(share, new) for share, new in found if not new <= facts]


def choose_facts(scene: Scene, index: FactIndex, rng: random.Random) -> frozenset[Fact]:
    """State a few facts, then add others until they hold in one picture only."""
    facts = naming(scene.groups[scene.main])
    for _ in range(rng.choices((1, 2, 3, 4, 6), (3, 3, 2, 1, 0.5))[0]):
        if options := details(scene, facts):
            facts |= rng.choices([new for _, new in options], [share for share, _ in options])[0]
    while (before := index.matches(facts)) > 1:
        options = details(scene, facts)
        if not options:
            # Another relation than the telling one was stated; scenes are sampled so that this one always tells.
            return scene.telling()
        useful = [(share, new) for share, new in options if index.matches(facts | new) < before] or options
        facts |= rng.choices([new for _, new in useful], [share for share, _ in useful])[0]
    # "Three" makes "several" idle.
    return frozenset(f for f in facts if f[0] != "many" or not any(g[:2] == ("count", f[1]) for g in facts))


def slipped(scene: Scene, facts: frozenset[Fact], kind: str, rng: random.Random) -> frozenset[Fact] | None:
    """Get a fact of one kind wrong; None if there is none to get wrong."""
    if kind == "missed":
        main = scene.groups[scene.main]
        if main.count > 1 or len(scene.groups) == 1:
            return None
        others = {group.kind for group in scene.groups} - {main.kind}
        return frozenset(fact for fact in facts if others.isdisjoint(fact)) | {("alone",)}
    said = [fact for fact in sorted(facts) if fact[0] == kind]
    if not said:
        return None
    old = rng.choice(said)
    if kind == "colour":
        new = rng.choice([colour for colour in PAINTS.get(old[1], STRONG) if colour != old[2]])
        return facts - {old} | {("colour", old[1], new)}
    number = NUMBERS.index(old[2])
    near = rng.choice([n for n in (number - 1, number + 1) if 1 <= n <= 4])
    return facts - {old, ("plural", old[1])} | {("count", old[1], NUMBERS[near])}


def finish(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the text as written, with capital and full stop, and its tokens."""
    return f"{text[0].upper()}{text[1:]}.", tuple(re.findall(r"[a-z]+", text))


def write_caption(scene: Scene, index: FactIndex, rng: random.Random) -> Caption:
    """Write one annotator's caption."""
    facts, slip = choose_facts(scene, index, rng), None
    if rng.random() < SLIPS:
        slip = "typo"
        for kind in rng.sample(("colour", "count", "missed"), 3) if rng.random() < 0.75 else ():
            wrong = slipped(scene, facts, kind, rng)
            # A slip must not turn the caption into a right one of another picture.
            if wrong and not index.matches(wrong):
                slip, facts = kind, wrong
                break
    text = sentence(facts, scene, rng)
    raw, tokens = finish(misspelt(text, rng) if slip == "typo" else text)
    return Caption(facts, raw, tokens, slip)


def write_captions(scenes: Sequence[Scene], seed: int) -> list[list[Caption]]:
    """Write five different captions for every scene; none without a slip fits two scenes, as far as that can be had."""
    index = FactIndex()
    for scene in scenes:
        index.add(scene)
    captions: list[list[Caption]] = []
    for number, scene in enumerate(scenes):
        rng = random.Random(f"captions {seed} {number}")
        own: list[Caption] = []
        while len(own) < PER_IMAGE:
            caption = write_caption(scene, index, rng)
            if caption.tokens not in (known.tokens for known in own):
                own.append(caption)
        captions.append(own)
    return captions


def ambiguous_captions(scenes: Sequence[Scene], captions: Sequence[Sequence[Caption]]) -> list[Caption]:
    """Return the captions that fit more than one scene.

    A caption without a slip fits every scene in which all that it states holds; one with a slip fits a second scene
    if it does so there in spite of it. A caption also fits every scene that has a caption of the same tokens.
    """
    index = FactIndex()
    for scene in scenes:
        index.add(scene)
    owners: dict[tuple[str, ...], set[int]] = {}
    for number, own in enumerate(captions):
        for caption in own:
            owners.setdefault(caption.tokens, set()).add(number)
    return [
        caption
        for own in captions
        for caption in own
        if index.matches(caption.facts) > (caption.slip in (None, "typo")) or len(owners[caption.tokens]) > 1
    ]
