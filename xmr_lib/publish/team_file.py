"""``report/team.yaml``: the one file of the documents that people fill in, read and checked."""

import re
from collections.abc import Set
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator, ValidationError

from ..config.towers import Group
from ..data.files import read_text
from ..errors import XmrError
from . import address
from .tex import comment, shortened, unprintable

_NOTHING = {"", "~", "null", "Null", "NULL"}
_YES_OR_NO = {"true", "True", "TRUE", "false", "False", "FALSE"}


def _empty(empty: Any) -> BeforeValidator:
    return BeforeValidator(lambda value: empty if value is None else value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"is {_kind(value)}; write text, in quotation marks if YAML takes it for something else")
    if fault := unprintable(value):
        raise ValueError(f"{shortened(value)!r} {fault}")
    return value.strip()


def _address(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"is {_kind(value)}; write an address that begins with https://, or leave it empty")
    try:
        return value and address.normal(value)
    except ValueError as error:
        raise ValueError(f"{shortened(value)!r} {error}") from None


def _key(value: str) -> str:
    if not re.fullmatch(r"[\w-]+", value, re.ASCII):
        raise ValueError(f"{shortened(value)!r} is no name of an entry; use letters, digits, - _")
    return value


Text = Annotated[str, BeforeValidator(_text), _empty("")]
Address = Annotated[str, BeforeValidator(_address), _empty("")]
Texts = Annotated[dict[Annotated[str, BeforeValidator(_key)], Text], _empty({})]


class Member(Group):
    """One person of the team."""

    name: Text
    role: Text


class Team(Group):
    """All of the file; what was left empty is empty here."""

    members: Annotated[tuple[Member, ...], _empty(())]
    coordination: Text
    overleaf: Address
    speakers: Texts
    """Name of a slide → who speaks."""
    weeks: Texts
    """Number of a week → what was found."""


def read_team(path: str | Path, slides: Set[str] = frozenset(), weeks: Set[str] = frozenset()) -> Team:
    """Read the file. Text is taken as it is written: a number, a date or a ``no`` is the text that stands there.

    Args:
        slides: names of the slides that have a speaker; empty: any name will do.
        weeks: the same of weeks.

    Raises:
        XmrError: the file is missing or no YAML, or a field is wrong, missing or unknown; in one line with the field.
    """
    path = Path(path)
    if not path.is_file():
        raise XmrError(f"{path}: missing; the template in the repository says what it holds")
    text = read_text(path)
    try:
        team = Team.model_validate(_values(yaml.compose(text, yaml.SafeLoader), {}))
    except ValidationError as error:
        raise XmrError(f"{path}: {_fault(error)}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise XmrError(f"{path}: not YAML ({' '.join(str(error).split())})") from None
    except ValueError as error:
        raise XmrError(f"{path}: {error}") from None
    for part, known in (("speakers", slides), ("weeks", weeks)):
        if known and (unknown := sorted(getattr(team, part).keys() - known)):
            raise XmrError(
                f"{path}: {part}: no document asks for {unknown[0]!r}; there are {', '.join(sorted(known))}: rename or "
                "remove it"
            )
    return team


def _values(node: yaml.Node | None, known: dict[int, Any]) -> Any:
    """Return what a node of YAML holds, scalars as they are written; an alias is what it stands for.

    Args:
        known: what nodes by their ``id`` hold: None while they are looked into.

    Raises:
        ValueError: a key stands twice or is no text, or a node holds itself.
    """
    if node is None:
        return None
    if isinstance(node, yaml.ScalarNode):
        if node.style is None and node.value in _NOTHING:
            return None
        return node.value.startswith(("t", "T")) if node.style is None and node.value in _YES_OR_NO else node.value
    if id(node) in known:
        if known[id(node)] is None:
            raise ValueError(f"line {node.start_mark.line + 1}: an entry that holds itself; write it out")
        return known[id(node)]
    known[id(node)] = None
    if isinstance(node, yaml.SequenceNode):
        found: Any = [_values(item, known) for item in node.value]
    else:
        found = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise ValueError(f"line {line}: what stands before the colon must be a name")
            if key.value in found:
                raise ValueError(f"line {line}: {key.value!r} stands there twice; remove one of them")
            found[key.value] = _values(value, known)
    known[id(node)] = found
    return found


def _fault(error: ValidationError) -> str:
    """Return the first fault in one line; a name that is unknown comes before those that are missing for it."""
    faults = error.errors(include_url=False)
    first = min(faults, key=lambda fault: {"extra_forbidden": 0, "missing": 1}.get(fault["type"], 2))
    above = first["loc"][:-1]
    fields = Member.model_fields if above else Team.model_fields
    if first["type"] == "missing" or not first["loc"]:
        lacks = [str(own["loc"][-1]) for own in faults if own["type"] == "missing" and own["loc"][:-1] == above]
        it = f"{_place(above)}: it" if above else "it"
        return f"{it} must hold {', '.join(fields)}; missing: {', '.join(lacks or fields)} (each may be left empty)"
    if first["type"] == "extra_forbidden":
        return f"{_place(first['loc'])}: there is no such field; there are {', '.join(fields)}"
    if first["type"] == "value_error":
        return f"{_place(first['loc'])}: {first['ctx']['error']}"
    due = {
        "tuple_type": "a list is needed, each member an entry that begins with '-'",
        "dict_type": "lines 'name: text' are needed",
        "model_type": "an entry needs " + " and ".join(f"'{name}: …'" for name in fields),
    }
    return f"{_place(first['loc'])}: is {_kind(first['input'])}; {due.get(first['type'], first['msg'])}"


def _place(steps: Any) -> str:
    """Return where a field is, e.g. ``members, entry 2, role``; pydantic calls a key of a dictionary ``[key]``."""
    names = (f"entry {step + 1}" if isinstance(step, int) else comment(step) for step in steps if step != "[key]")
    return ", ".join(map(shortened, names))


def _kind(value: object) -> str:
    kinds = {type(None): "empty", bool: "a yes or no", list: "a list", dict: "a list of entries 'name: …'"}
    return kinds.get(type(value), f"the text {shortened(str(value))!r}")
