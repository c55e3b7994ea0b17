"""A file's own names and shapes, shown so that they can neither break a line nor flood it."""

LONGEST_NAME, MOST_AXES, TOO_LARGE = 60, 6, 1 << 64


def named(name: str) -> str:
    """Return a name as one short piece of text."""
    shown = name if name.isprintable() else ascii(name)
    return shown if len(shown) <= LONGEST_NAME else shown[:LONGEST_NAME] + "…"


def sized(shape: tuple[int, ...]) -> str:
    """Return a shape as text, of many axes the first ones and their number, of absurd sizes that they are."""
    sizes = [str(size) if abs(size) < TOO_LARGE else "a huge number" for size in shape[:MOST_AXES]]
    if len(shape) > MOST_AXES:
        return f"({', '.join(sizes)}, …) of {len(shape)} axes"
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
