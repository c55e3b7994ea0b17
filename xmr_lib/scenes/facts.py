"""Scenes by what is true of them."""

from .world import Fact, Scene


class FactIndex:
    """Scenes by fact, to find those of which a set of facts is true. Bit ``i`` of a mask is scene ``i``."""

    def __init__(self) -> None:
        self.masks: dict[Fact, int] = {}
        self.telling: list[frozenset[Fact]] = []

    def add(self, scene: Scene) -> None:
        for fact in scene.facts():
            self.masks[fact] = self.masks.get(fact, 0) | 1 << len(self.telling)
        self.telling.append(scene.telling())

    def matches(self, facts: frozenset[Fact]) -> int:
        """Return the number of scenes in which all the facts hold."""
        mask = (1 << len(self.telling)) - 1
        for fact in facts:
            mask &= self.masks.get(fact, 0)
        return mask.bit_count()

    def confusable(self, scene: Scene) -> bool:
        """Tell if even the fullest caption of this scene fits a stored one, or that of a stored one fits this."""
        facts = scene.facts()
        return self.matches(scene.telling()) > 0 or any(known <= facts for known in self.telling)
