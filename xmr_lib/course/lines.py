"""What comes from a file itself (names, shapes, errors), shown so that it can neither break a line nor flood it."""

LONGEST_NAME, LONGEST_ERROR, MOST_AXES, TOO_LARGE = 60, 150, 6, 1 << 64


def named(name: str, longest: int = LONGEST_NAME) -> str:
    """Return a name as one short piece of text."""
    # Only the part that is shown is looked at: escaped, a long name would be ten times as long.
    shown = name[: longest + 1]
    shown = shown if shown.isprintable() else ascii(shown)
    return shown if len(shown) <= longest else shown[:longest] + "…"


def told(error: Exception) -> str:
    """Return what an error of a library says, or at least of what kind it is, as one short piece of text."""
    lines = str(error).strip().splitlines()
    return named(lines[0], LONGEST_ERROR) if lines else type(error).__name__


def sized(shape: tuple[int, ...]) -> str:
    """Return a shape as text, of many axes the first ones and their number, of absurd sizes that they are."""
    sizes = [str(size) if abs(size) < TOO_LARGE else "a huge number" for size in shape[:MOST_AXES]]
    if len(shape) > MOST_AXES:
        return f"({', '.join(sizes)}, …) of {len(shape)} axes"
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
