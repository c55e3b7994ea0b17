"""A file's own names and shapes, shown so that they can neither break a line nor flood it."""

LONGEST_NAME, MOST_AXES = 60, 6


def named(name: str) -> str:
    """Return a name as one short piece of text."""
    shown = name if name.isprintable() else ascii(name)
    return shown if len(shown) <= LONGEST_NAME else shown[:LONGEST_NAME] + "…"


def sized(shape: tuple[int, ...]) -> str:
    """Return a shape as text, of many axes the first ones and their number."""
    if len(shape) <= MOST_AXES:
        return str(shape)
    return f"({', '.join(map(str, shape[:MOST_AXES]))}, …) of {len(shape)} axes"
