"""Where each kind of thing is at home, in which colours it comes, and what it can be with."""

HABITATS: dict[str, str] = {
    "park": "dog dog cat bird man woman bicycle tree tree bench bench flower ball umbrella guitar kite balloon",
    "beach": "man woman dog umbrella umbrella ball ball boat boat chair kite kite bird plane guitar",
    "street": "car car car car bus bus bus bus truck truck truck bicycle man woman dog cat house bench plane bird",
    "snow": "snowman snowman snowman dog man woman house house tent tree bird bench truck",
    "sea": "boat boat boat boat fish fish fish fish bird plane balloon kite ball",
    "desert": "car car truck truck tent horse horse man woman bicycle bus plane balloon balloon",
    "living room": "cat cat dog lamp lamp chair chair cake cake cake guitar ball flower man woman",
    "forest": "tent tent dog bird bird horse bicycle man woman flower flower house cat",
    "farm": "cow cow cow cow cow sheep sheep sheep horse horse truck truck house dog tree cat balloon bird",
    "mountains": "tent sheep cow cow horse car car bus bus man woman plane kite balloon bird flower",
}
"""Background to what is usual there; said twice, it is twice as common."""

STRONG = ("red", "orange", "yellow", "green", "blue", "purple", "pink")
PAINTS: dict[str, tuple[str, ...]] = {
    "dog": ("brown", "black", "white", "orange"),
    "cat": ("orange", "black", "white", "brown"),
    "bird": ("red", "yellow", "green", "blue", "black", "white", "purple"),
    "fish": ("red", "orange", "yellow", "green", "blue", "purple"),
    "horse": ("brown", "black", "white"),
    "cow": ("brown", "black", "white"),
    "sheep": ("white", "black", "brown"),
    "man": ("red", "yellow", "green", "blue", "purple", "white", "orange"),
    "woman": ("red", "yellow", "green", "blue", "purple", "pink", "black"),
    "snowman": ("red", "yellow", "green", "blue", "purple"),
    "car": (*STRONG, "black", "white"),
    "bus": ("red", "orange", "yellow", "green", "blue", "white"),
    "truck": ("red", "orange", "yellow", "green", "blue", "purple"),
    "bicycle": ("red", "orange", "yellow", "green", "blue", "pink"),
    "boat": ("red", "yellow", "green", "blue", "brown", "white"),
    "plane": ("red", "orange", "green", "blue", "purple", "yellow"),
    "tree": ("green", "orange", "pink", "yellow"),
    "house": ("red", "yellow", "green", "blue", "pink", "white"),
    "bench": ("brown", "red", "green", "blue", "white"),
    "flower": ("red", "orange", "yellow", "purple", "pink", "blue", "white"),
    "tent": ("red", "orange", "yellow", "green", "blue", "purple"),
    "cake": ("pink", "yellow", "brown", "blue", "green"),
    "guitar": ("brown", "red", "blue", "black", "yellow", "white"),
}
"""Kinds that are not named here come in ``STRONG`` colours."""

LARGE = ("bus", "truck", "house", "boat", "tent", "tree", "car", "horse", "cow", "bench", "plane", "umbrella")
AIRBORNE = ("plane", "balloon", "kite", "bird")
COVERS = {"tree": 0.42, "umbrella": 0.56}
"""Kinds that others can be under, with the share of their height that is free below."""
COVERED = (
    "dog",
    "cat",
    "ball",
    "chair",
    "sheep",
    "man",
    "woman",
    "guitar",
    "cake",
    "flower",
    "bench",
    "bicycle",
    "cow",
)
BACKDROPS = ("house", "bus", "truck", "tent")
FRONTS = ("dog", "cat", "man", "woman", "bicycle", "ball", "flower", "bench", "sheep", "snowman", "chair", "guitar")
