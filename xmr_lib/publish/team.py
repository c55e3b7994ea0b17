"""``team.tex`` from ``report/team.yaml``; what is left empty prints what to fill in."""

from collections.abc import Iterable
from pathlib import Path

from .address import link
from .sources import keys_named
from .team_file import read_team
from .tex import escape

TEAM = "team.yaml"


def team_tex(path: str | Path, sources: str | Path | None = None) -> str:
    """Return the macros ``\\teammembers \\teamroles \\teamcoordination \\overleaflink \\speaker \\weekfindings``.

    Args:
        path: the file.
        sources: folder of the TeX sources, which say for which slides and weeks there are texts; without it any will
            do.

    Raises:
        XmrError: the file is missing, is no YAML, or has another shape than the template; in one line with the field.
    """
    slides, weeks = (keys_named(sources, part) if sources else set() for part in ("speakers", "weeks"))
    team = read_team(path, slides, weeks)
    names = [escape(own.name) or _todo("members", place, "name") for place, own in enumerate(team.members, 1)]
    roles = [escape(own.role) or _todo("members", place, "role") for place, own in enumerate(team.members, 1)]
    items = [f"\\item {name}: {role}" for name, role in zip(names, roles, strict=True)]
    return "\n".join(
        [
            f"% Written by 'xmr report' from {TEAM}.",
            f"\\newcommand\\teammembers{{{', '.join(names) or _todo('members')}}}",
            f"\\newcommand\\teamroles{{{''.join(items) or chr(92) + 'item ' + _todo('members')}}}",
            f"\\newcommand\\teamcoordination{{{escape(team.coordination) or _todo('coordination')}}}",
            f"\\newcommand\\overleaflink{{{link(team.overleaf) if team.overleaf else _todo('overleaf')}}}",
            *_by_key("speaker", "speakers", team.speakers, slides),
            *_by_key("weekfindings", "weeks", team.weeks, weeks),
            "",
        ]
    )


def _by_key(macro: str, part: str, texts: dict[str, str], named: Iterable[str]) -> list[str]:
    """Return a macro of one argument, the key; one that neither file nor sources had when this was made stops LaTeX."""
    texts = dict.fromkeys(sorted(named), "") | texts
    defined = [
        f"\\expandafter\\def\\csname xmr:{macro}:{key}\\endcsname{{{escape(text) or _todo(part, key)}}}"
        for key, text in texts.items()
    ]
    missing = f"\\{macro.capitalize()}IsMissing"
    lookup = f"\\ifcsname xmr:{macro}:#1\\endcsname\\csname xmr:{macro}:#1\\endcsname\\else{missing}\\fi"
    return [f"\\newcommand\\{macro}[1]{{{lookup}}}", *defined]


def _todo(*keys: object) -> str:
    return escape(f"(fill in: {': '.join(map(str, keys))} in report/{TEAM})")
