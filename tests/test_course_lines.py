"""Whatever a file has for names and shapes, and a library for errors: one short line of printable text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xmr_lib.course.lines import named, sized, told


@given(st.text(max_size=90), st.integers(1, 80))
def test_any_name_is_short_and_printable(name, longest):
    shown = named(name, longest)
    assert shown.isprintable() and len(shown) <= longest + 1
    if name.isprintable() and len(name) <= longest:
        assert shown == name


@given(st.lists(st.integers(-1, 1 << 70), max_size=40))
def test_a_shape_is_shown_as_python_shows_it_or_in_short(sizes):
    shown = sized(tuple(sizes))
    if len(sizes) <= 6 and max(sizes, default=0) < 1 << 64:
        assert shown == str(tuple(sizes))
    assert len(shown) < 200
    assert (f"of {len(sizes)} axes" in shown) == (len(sizes) > 6)


def test_a_size_of_more_digits_than_python_prints():
    assert sized((1 << 100_000, 3)) == "(a huge number, 3)"


@pytest.mark.parametrize(
    "error, line",
    [
        (MemoryError(), "MemoryError"),
        (ValueError(""), "ValueError"),
        (ValueError("\n  first\nsecond"), "first"),
        (ValueError("a\x1b[31m"), "'a\\x1b[31m'"),
        (ValueError("x" * 1000), "x" * 150 + "…"),
    ],
)
def test_an_error_says_at_least_what_it_is(error, line):
    assert told(error) == line
