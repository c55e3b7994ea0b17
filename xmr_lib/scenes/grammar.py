"""From stated facts to a sentence. The text states these facts and no others that tell pictures apart."""

import random
import re

from . import words
from .kinds import AIRBORNE
from .world import Fact, Scene

VEHICLES = ("car", "bus", "truck", "bicycle", "plane")


def stated(facts: frozenset[Fact], *start: str) -> str | None:
    """Return the last part of the stated fact that starts so, None if there is none."""
    return next((fact[-1] for fact in sorted(facts) if fact[: len(start)] == start and len(fact) > len(start)), None)


def is_plural(facts: frozenset[Fact], kind: str) -> bool:
    return stated(facts, "count", kind) != "one" and any(
        fact in facts
        for fact in (("plural", kind), ("many", kind), *(("count", kind, n) for n in ("two", "three", "four")))
    )


def noun_phrase(facts: frozenset[Fact], kind: str, bare: bool, rng: random.Random) -> str:
    """A kind with its number, size and colour as far as they are stated; ``bare`` leaves the article out."""
    plural = is_plural(facts, kind)
    noun = rng.choice(words.NOUNS[kind])[plural]
    colour, size, count = (stated(facts, what, kind) for what in ("colour", "size", "count"))
    paint = rng.choice(words.COLOUR_WORDS.get(colour, (colour,))) if colour else ""
    if colour == "orange" and kind in ("cat", "dog") and rng.random() < 0.4:
        paint = "ginger"
    adjectives = [rng.choice(words.SIZE_WORDS[size])] if size else []
    if colour and kind not in words.WEARING:
        adjectives.append(paint)
    phrase = " ".join([*adjectives, noun])
    if colour and kind in words.WEARING:
        phrase += " " + rng.choice(words.WEARING[kind])[plural].format(paint)
        phrase = phrase.replace(" a orange", " an orange")
    if count:
        return f"{rng.choice(words.COUNT_WORDS[count])} {phrase}"
    if plural:
        return f"{rng.choice(words.MANY_WORDS) if ('many', kind) in facts else 'some'} {phrase}"
    if bare:
        return phrase
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def verb(facts: frozenset[Fact], kind: str, band: str, rng: random.Random) -> str:
    """What a kind does where it is; it follows from kind and place, so it states nothing new."""
    choices = words.VERBS.get(kind, words.STAND)
    if kind in AIRBORNE and band == "sky" and kind != "balloon":
        choices = words.FLYING
    elif kind in VEHICLES:
        choices = words.PARKED
    elif kind in ("boat", "kite", "balloon", "fish") and band == "ground":
        choices = words.LYING
    elif band == "surface" and kind != "boat":
        choices = words.FLOATING
    return rng.choice(choices)[is_plural(facts, kind)]


def when(facts: frozenset[Fact], rng: random.Random) -> str:
    """Time of day and weather, as far as they are stated."""
    time, sky = stated(facts, "time"), stated(facts, "sky")
    if time and sky:
        return rng.choice(words.BOTH_WORDS[time, sky])
    return rng.choice(words.TIME_WORDS[time]) if time else rng.choice(words.SKY_WORDS[sky]) if sky else ""


def sentence(facts: frozenset[Fact], scene: Scene, rng: random.Random) -> str:
    """Say the facts, lower case and without a full stop.

    Kinds come in the scene's order, the main one first, unless a relation sets another. ``scene`` only tells where
    things are, for prepositions and verbs.
    """
    bands = {group.kind: group.band for group in scene.groups}
    order = [scene.groups[scene.main], *(g for k, g in enumerate(scene.groups) if k != scene.main)]
    kinds = [group.kind for group in order if ("kind", group.kind) in facts]
    relation = next((fact for fact in sorted(facts) if fact[0] == "relation"), None)
    if relation:
        kinds = [relation[2], relation[3], *(k for k in kinds if k not in relation[2:])]
    style = rng.random()
    bare = style > 0.88
    phrases = [noun_phrase(facts, kind, bare, rng) for kind in kinds]
    background = stated(facts, "background")
    heights = {bands[kind] for kind in kinds}
    place = ""
    if background:
        place = rng.choice((words.SKY_PLACES if heights == {"sky"} else words.PLACES)[background])
    moment = when(facts, rng)
    subject, rest = phrases[0], phrases[1:]
    tail = ""
    if relation:
        tail = f" {rng.choice(words.RELATION_WORDS[relation[1]])} {rest.pop(0)}"
        tail += "".join(f" and {phrase}" for phrase in rest)
    elif len(rest) == 1 and len(heights) == 1 and rng.random() < 0.4:
        tail = f" with {rest[0]}"
    elif rest:
        subject = ", ".join(phrases[:-1]) + " and " + phrases[-1]
    if ("alone",) in facts:
        tail = rng.choice((" all alone", " alone"))
    many = is_plural(facts, kinds[0])
    if style < 0.42 and (relation or len(kinds) == 1):
        act = verb(facts, kinds[0], bands[kinds[0]], rng)
        # "A dog is" says nothing unless something follows.
        body = f"{subject}{tail}" if act in ("is", "are") and not (tail or place) else f"{subject} {act}{tail}"
    elif style < 0.58:
        body = f"there {'are' if many else 'is'} {subject}{tail}"
    elif style < 0.74:
        body = rng.choice(words.OPENINGS).format(subject + tail)
    else:
        body = subject + tail
    if moment and rng.random() < 0.25:
        return " ".join(part for part in (f"{moment},", body, place) if part)
    if place and body.startswith("there") and rng.random() < 0.4:
        return " ".join(part for part in (place, body, moment) if part)
    return " ".join(part for part in (body, place, moment) if part)


def misspelt(text: str, rng: random.Random) -> str:
    """Swap two letters inside one of the longer words, or lose one."""
    long = [match for match in re.finditer(r"[a-z]{5,}", text)]
    if not long:
        return text
    match = rng.choice(long)
    at = match.start() + rng.randint(1, len(match.group()) - 3)
    pair = text[at : at + 2]
    return text[:at] + (pair[::-1] if pair[0] != pair[1] and rng.random() < 0.6 else pair[1]) + text[at + 2 :]
