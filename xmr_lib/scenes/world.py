"""What a scene is, which facts hold in it, and how one is sampled."""

import random
from dataclasses import dataclass, replace

from .kinds import AIRBORNE, BACKDROPS, COVERED, COVERS, FRONTS, HABITATS, LARGE, PAINTS, STRONG

Fact = tuple[str, ...]

TIMES = {"day": 0.56, "sunset": 0.2, "night": 0.24}
SKIES = {"clear": 0.6, "cloudy": 0.4}
COUNTS = {1: 0.66, 2: 0.2, 3: 0.09, 4: 0.05}
SIZES = {"small": 0.22, "medium": 0.43, "big": 0.35}
NUMBERS = ("none", "one", "two", "three", "four")
SURPRISE = 0.05
"""Share of things that are out of place: a cow in a living room, a sailing boat in the desert."""
THEMES = 32
"""Most scenes vary one of so many themes in a few details: near misses make retrieval hard (set on validation)."""
FRESH = 0.1
"""Share of scenes that follow no theme."""
CHANGES = {"colour": 4, "size": 4, "count": 3, "order": 4, "time": 0.4, "sky": 0.4}
"""What is changed in a theme, and how often."""
BAND_ORDER = ("sky", "surface", "ground", "water")
INVERSE = {"left": "right", "right": "left", "above": "under", "under": "above", "front": "behind", "behind": "front"}


@dataclass(frozen=True)
class Group:
    """One to four things of one kind, colour and size."""

    kind: str
    colour: str
    size: str
    """small, medium or big; medium is never mentioned."""
    count: int
    band: str
    """ground, sky, surface (of the sea) or water."""


@dataclass(frozen=True)
class Scene:
    """A picture's contents. No kind occurs in two groups; groups of a band are in order from left to right."""

    background: str
    time: str
    sky: str
    layout: str
    """row; or, for two groups, under (the first is under the second) or front (the first is in front)."""
    groups: tuple[Group, ...]
    main: int
    """Position of the group that every caption names."""

    def relations(self) -> list[Fact]:
        """Return what an annotator may say about two groups: ("relation", name, kind, other kind)."""
        pairs: list[tuple[str, Group, Group]] = []
        if self.layout != "row":
            pairs.append((self.layout, self.groups[0], self.groups[1]))
        else:
            for k, first in enumerate(self.groups):
                for second in self.groups[k + 1 :]:
                    if first.band == second.band:
                        pairs.append(("left", first, second))
                    else:
                        higher, lower = sorted((first, second), key=lambda g: BAND_ORDER.index(g.band))
                        pairs.append(("above", higher, lower))
        found = [("relation", name, a.kind, b.kind) for name, a, b in pairs]
        found += [("relation", INVERSE[name], b.kind, a.kind) for name, a, b in pairs]
        if self.layout == "row":
            for a, b in zip(self.groups, self.groups[1:], strict=False):
                if a.band == b.band:
                    found += [("relation", "next", a.kind, b.kind), ("relation", "next", b.kind, a.kind)]
        return [fact for fact in found if not (fact[1] == "above" and fact[2] in COVERS)]

    def telling(self) -> frozenset[Fact]:
        """Return the most that one caption can state: all facts, but of the relations only the first."""
        relations = self.relations()
        facts = (fact for fact in self.facts() if fact[0] != "relation" or fact == relations[0])
        return frozenset(facts)

    def facts(self) -> frozenset[Fact]:
        """Return every fact that a caption could state and that holds."""
        found: list[Fact] = [("background", self.background), ("time", self.time)]
        if self.background != "living room":
            found.append(("sky", self.sky))
        for group in self.groups:
            found += [("kind", group.kind), ("colour", group.kind, group.colour)]
            found.append(("count", group.kind, NUMBERS[group.count]))
            if group.size != "medium":
                found.append(("size", group.kind, group.size))
            if group.count > 1:
                found.append(("plural", group.kind))
            if group.count > 2:
                found.append(("many", group.kind))
        if len(self.groups) == 1 and self.groups[0].count == 1:
            found.append(("alone",))
        found += self.relations()
        if self.layout != "row":
            # Whoever reads "next to" would not call it wrong here, so other pictures' captions must not rely on it.
            a, b = self.groups[0].kind, self.groups[1].kind
            found += [("relation", "next", a, b), ("relation", "next", b, a)]
        return frozenset(found)


def pick(rng: random.Random, shares: dict[str, float]) -> str:
    return rng.choices(list(shares), list(shares.values()))[0]


def band_of(kind: str, background: str, rng: random.Random) -> str:
    """Choose where a kind is in a background."""
    if background == "sea":
        return "sky" if kind in AIRBORNE else "water" if kind == "fish" else "surface"
    if background != "living room" and kind in AIRBORNE and (kind != "bird" or rng.random() < 0.6):
        return "sky"
    return "ground"


def sample_group(kind: str, background: str, company: int, rng: random.Random) -> Group:
    """Choose colour, number and size; with ``company`` other groups, large things are held back, or nothing fits."""
    count = rng.choices(list(COUNTS), list(COUNTS.values()))[0]
    if kind in LARGE:
        count = min(count, 1 if company else 2)
    size = pick(rng, SIZES) if count < 3 else "medium"
    if size == "big" and company and (kind in LARGE or company > 1):
        size = "medium"
    return Group(kind, rng.choice(PAINTS.get(kind, STRONG)), size, count, band_of(kind, background, rng))


def sample_scene(rng: random.Random) -> Scene:
    """Draw a scene at random; whether it fits into the picture is for ``layout.place`` to say."""
    background = rng.choice(list(HABITATS))
    wanted = rng.choices((1, 2, 3), (0.2, 0.46, 0.34))[0]
    kinds: list[str] = []
    while len(kinds) < wanted:
        home = rng.choice(list(HABITATS)) if rng.random() < SURPRISE else background
        kind = rng.choice(HABITATS[home].split())
        if kind not in kinds:
            kinds.append(kind)
    groups = [sample_group(kind, background, wanted - 1, rng) for kind in kinds]
    layout, main = "row", 0
    if wanted == 2 and background != "sea":
        for name, backs, fronts in (("under", COVERS, COVERED), ("front", BACKDROPS, FRONTS)):
            if kinds[1] in fronts and kinds[0] in backs:
                groups.reverse()
                main = 1
            if groups[0].kind in fronts and groups[1].kind in backs and rng.random() < 0.7:
                layout = name
                small, tall = groups
                # Their true sizes depend on each other here, so the small one's is not to be mentioned.
                groups = [Group(small.kind, small.colour, "medium", min(small.count, 2), "ground")]
                groups.append(Group(tall.kind, tall.colour, "big" if name == "under" else "medium", 1, "ground"))
    return Scene(background, pick(rng, TIMES), pick(rng, SKIES), layout, tuple(groups), main)


def vary(scene: Scene, rng: random.Random) -> Scene:
    """Change a few details of a scene, perhaps none."""
    for change in rng.choices(list(CHANGES), list(CHANGES.values()), k=rng.randint(0, 3)):
        at = rng.randrange(len(scene.groups))
        group = scene.groups[at]
        if change == "time":
            scene = replace(scene, time=pick(rng, TIMES))
        elif change == "sky":
            scene = replace(scene, sky=pick(rng, SKIES))
        elif change == "order" and scene.layout == "row":
            scene = replace(scene, groups=scene.groups[::-1], main=len(scene.groups) - 1 - scene.main)
        elif change == "colour":
            group = replace(group, colour=rng.choice(PAINTS.get(group.kind, STRONG)))
        elif change == "size" and scene.layout == "row" and group.count < 3:
            group = replace(group, size=pick(rng, SIZES))
        elif change == "count" and scene.layout == "row":
            count = rng.randint(1, 2 if group.kind in LARGE else 4)
            group = replace(group, count=count, size=group.size if count < 3 else "medium")
        if change in ("colour", "size", "count"):
            scene = replace(scene, groups=(*scene.groups[:at], group, *scene.groups[at + 1 :]))
    return scene
