"""``team.tex`` from ``report/team.yaml``; what is left empty prints what to fill in."""

from pathlib import Path

import yaml

from ..errors import XmrError
from .tex import escape

TEAM = "team.yaml"
KEYS = ("members", "coordination", "overleaf", "speakers", "weeks")


def team_tex(path: Path) -> str:
    """Return the macros ``\\teammembers \\teamroles \\teamcoordination \\overleaflink \\speaker \\weekfindings``.

    Raises:
        XmrError: the file is missing, is no YAML, or has another shape than the template.
    """
    team = _read(path)
    members = team["members"] or []
    names = ", ".join(escape(str(member["name"])) for member in members) or _todo("members")
    roles = "".join(f"\\item {escape(str(own['name']))}: {escape(str(own['role']))}" for own in members)
    link = f"\\href{{{team['overleaf']}}}{{{escape(team['overleaf'])}}}" if team["overleaf"] else _todo("overleaf")
    return "\n".join(
        [
            f"% Written by 'xmr report' from {TEAM}.",
            f"\\newcommand\\teammembers{{{names}}}",
            f"\\newcommand\\teamroles{{{roles or chr(92) + 'item ' + _todo('members')}}}",
            f"\\newcommand\\teamcoordination{{{escape(team['coordination'] or '') or _todo('coordination')}}}",
            f"\\newcommand\\overleaflink{{{link}}}",
            *_by_key("speaker", "speakers", team["speakers"] or {}),
            *_by_key("weekfindings", "weeks", team["weeks"] or {}),
            "",
        ]
    )


def _by_key(macro: str, part: str, texts: dict) -> list[str]:
    """Return a macro of one argument, the key; a key that the file doesn't have stops LaTeX."""
    defined = [
        f"\\expandafter\\def\\csname xmr:{macro}:{key}\\endcsname{{{escape(str(text)) if text else _todo(part, key)}}}"
        for key, text in texts.items()
    ]
    missing = f"\\{macro.capitalize()}IsMissing"
    lookup = f"\\ifcsname xmr:{macro}:#1\\endcsname\\csname xmr:{macro}:#1\\endcsname\\else{missing}\\fi"
    return [f"\\newcommand\\{macro}[1]{{{lookup}}}", *defined]


def _todo(*keys: object) -> str:
    return f"(fill in: {': '.join(map(str, keys))} in report/{TEAM})"


def _read(path: Path) -> dict:
    if not path.is_file():
        raise XmrError(f"{path}: missing; the template in the repository says what it holds")
    try:
        team = yaml.safe_load(path.read_text("utf-8"))
    except yaml.YAMLError as error:
        raise XmrError(f"{path}: not YAML ({' '.join(str(error).split())})") from None
    missing = [key for key in KEYS if not isinstance(team, dict) or key not in team]
    if missing:
        raise XmrError(f"{path}: it must hold {', '.join(KEYS)}; missing: {', '.join(missing)}")
    if not all(isinstance(own, dict) and {"name", "role"} <= own.keys() for own in team["members"] or []):
        raise XmrError(f"{path}: each of the members needs a 'name' and a 'role'")
    return team
