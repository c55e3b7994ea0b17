"""The words that captions are made of. Each word stands for one fact, whoever uses it, so that text settles facts."""

NOUNS: dict[str, tuple[tuple[str, str], ...]] = {
    "dog": (("dog", "dogs"), ("dog", "dogs"), ("puppy", "puppies"), ("pooch", "pooches")),
    "cat": (("cat", "cats"), ("cat", "cats"), ("kitten", "kittens"), ("kitty", "kitties")),
    "bird": (("bird", "birds"), ("bird", "birds"), ("songbird", "songbirds")),
    "fish": (("fish", "fish"),),
    "horse": (("horse", "horses"), ("horse", "horses"), ("pony", "ponies")),
    "cow": (("cow", "cows"), ("cow", "cows"), ("bull", "bulls")),
    "sheep": (("sheep", "sheep"), ("sheep", "sheep"), ("lamb", "lambs")),
    "man": (("man", "men"), ("man", "men"), ("guy", "guys"), ("gentleman", "gentlemen")),
    "woman": (("woman", "women"), ("woman", "women"), ("lady", "ladies"), ("girl", "girls")),
    "snowman": (("snowman", "snowmen"),),
    "car": (("car", "cars"), ("car", "cars"), ("automobile", "automobiles")),
    "bus": (("bus", "buses"), ("bus", "buses"), ("coach", "coaches")),
    "truck": (("truck", "trucks"), ("truck", "trucks"), ("lorry", "lorries")),
    "bicycle": (("bicycle", "bicycles"), ("bike", "bikes")),
    "boat": (("boat", "boats"), ("sailboat", "sailboats"), ("sailing boat", "sailing boats")),
    "plane": (("plane", "planes"), ("airplane", "airplanes"), ("jet", "jets")),
    "balloon": (("hot air balloon", "hot air balloons"), ("balloon", "balloons")),
    "kite": (("kite", "kites"),),
    "tree": (("tree", "trees"),),
    "house": (("house", "houses"), ("house", "houses"), ("cottage", "cottages"), ("home", "homes")),
    "bench": (("bench", "benches"),),
    "flower": (("flower", "flowers"), ("flower", "flowers"), ("blossom", "blossoms")),
    "tent": (("tent", "tents"),),
    "umbrella": (("umbrella", "umbrellas"), ("parasol", "parasols"), ("sunshade", "sunshades")),
    "ball": (("ball", "balls"), ("ball", "balls"), ("beach ball", "beach balls")),
    "lamp": (("lamp", "lamps"), ("floor lamp", "floor lamps")),
    "chair": (("chair", "chairs"),),
    "cake": (("cake", "cakes"), ("birthday cake", "birthday cakes")),
    "guitar": (("guitar", "guitars"),),
}
WEARING = {
    "man": (("in a {} shirt", "in {} shirts"), ("wearing a {} shirt", "wearing {} shirts")),
    "woman": (("in a {} dress", "in {} dresses"), ("wearing a {} dress", "wearing {} dresses")),
    "snowman": (("with a {} scarf", "with {} scarves"),),
}
"""Kinds whose colour is that of what they wear."""

COLOUR_WORDS = {"purple": ("purple", "purple", "violet"), "red": ("red", "red", "bright red")}
COLOUR_WORDS |= {"blue": ("blue", "blue", "bright blue"), "pink": ("pink", "pink", "rosy")}
SIZE_WORDS = {"small": ("small", "little", "tiny"), "big": ("big", "large", "huge")}
COUNT_WORDS = {
    "one": ("one", "a single"),
    "two": ("two", "two", "a pair of", "a couple of"),
    "three": ("three",),
    "four": ("four",),
}
MANY_WORDS = ("several", "a few", "a group of")

RELATION_WORDS = {
    "left": ("to the left of", "left of", "on the left of"),
    "right": ("to the right of", "right of", "on the right of"),
    "above": ("above", "high above", "over"),
    "under": ("under", "below", "beneath"),
    "front": ("in front of",),
    "behind": ("behind",),
    "next": ("next to", "beside", "near", "close to"),
}
PLACES: dict[str, tuple[str, ...]] = {
    "park": ("in the park", "in a park", "on the lawn of a park"),
    "beach": ("on the beach", "at the beach", "on a sandy beach"),
    "street": ("on the street", "on a city street", "in the city", "in town"),
    "snow": ("in the snow", "on snowy ground", "in a snowy landscape"),
    "sea": ("at sea", "in the sea", "in the ocean"),
    "desert": ("in the desert", "in a desert", "on desert sand"),
    "living room": ("in the living room", "in a room", "indoors", "on the rug of a living room"),
    "forest": ("in the forest", "in the woods", "at the edge of a forest"),
    "farm": ("on a farm", "on the farm", "on farmland", "by a farm fence"),
    "mountains": ("in the mountains", "at the foot of mountains", "on a mountain meadow"),
}
SKY_PLACES: dict[str, tuple[str, ...]] = {
    "park": ("over the park", "in the sky above a park"),
    "beach": ("over the beach", "in the sky above a beach"),
    "street": ("over the city", "in the sky above a street"),
    "snow": ("over the snow", "in the sky above a snowy landscape"),
    "sea": ("over the sea", "in the sky above the ocean"),
    "desert": ("over the desert", "in the sky above a desert"),
    "forest": ("over the forest", "in the sky above the woods"),
    "farm": ("over the farm", "in the sky above a farm"),
    "mountains": ("over the mountains", "in the sky above the mountains"),
}
TIME_WORDS = {
    "day": ("in daylight", "during the day", "in the daytime"),
    "sunset": ("at sunset", "at dusk", "in the evening"),
    "night": ("at night", "after dark", "in the dark"),
}
SKY_WORDS = {"clear": ("under a clear sky", "in fine weather"), "cloudy": ("under a cloudy sky", "in cloudy weather")}
BOTH_WORDS = {
    ("day", "clear"): ("on a sunny day", "in bright sunshine"),
    ("day", "cloudy"): ("on a cloudy day", "on an overcast day"),
    ("sunset", "clear"): ("on a clear evening", "under a glowing evening sky"),
    ("sunset", "cloudy"): ("on a cloudy evening", "under evening clouds"),
    ("night", "clear"): ("on a starry night", "under the moon and the stars"),
    ("night", "cloudy"): ("on a cloudy night", "under dark night clouds"),
}
Verbs = tuple[tuple[str, str], ...]

STAND: Verbs = (("stands", "stand"), ("is standing", "are standing"), ("is", "are"))
VERBS: dict[str, Verbs] = {
    "cat": (("sits", "sit"), ("is sitting", "are sitting"), ("waits", "wait")),
    "dog": (*STAND, ("waits", "wait"), ("is panting", "are panting")),
    "cow": (*STAND, ("grazes", "graze")),
    "sheep": (*STAND, ("grazes", "graze")),
    "fish": (("swims", "swim"), ("is swimming", "are swimming")),
    "man": (*STAND, ("smiles", "smile"), ("poses", "pose")),
    "woman": (*STAND, ("smiles", "smile"), ("poses", "pose")),
    "boat": (("sails", "sail"), ("floats", "float"), ("is sailing", "are sailing")),
    "flower": (("grows", "grow"), ("blooms", "bloom"), ("is blooming", "are blooming")),
    "tree": (("grows", "grow"), ("stands", "stand")),
    "ball": (("lies", "lie"), ("is lying", "are lying")),
    "tent": (("is pitched", "are pitched"), ("stands", "stand")),
    "balloon": (("floats", "float"), ("drifts", "drift"), ("is flying", "are flying")),
    "umbrella": (("stands", "stand"), ("gives shade", "give shade")),
}
"""Kinds that are not named here stand."""
PARKED: Verbs = (("is parked", "are parked"), ("stands", "stand"), ("waits", "wait"))
FLYING: Verbs = (("flies", "fly"), ("is flying", "are flying"))
FLOATING: Verbs = (("floats", "float"), ("is floating", "are floating"))
LYING: Verbs = (("lies", "lie"), ("is lying", "are lying"))
OPENINGS = ("a photo of {}", "a picture of {}", "a drawing of {}", "this picture shows {}", "a view of {}")
