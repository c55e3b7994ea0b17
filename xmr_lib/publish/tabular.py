"""A booktabs table: columns, rows in blocks, the best of a column bold."""

from collections.abc import Sequence
from dataclasses import dataclass

from .tex import comment


@dataclass(frozen=True)
class Cell:
    """One number or text."""

    text: str
    """As TeX."""
    value: float | None = None
    """What it is ranked by; None: it can't be the best."""


@dataclass(frozen=True)
class Column:
    """Heading, alignment, and the heading that it shares with its neighbours."""

    heading: str
    align: str = "r"
    above: str = ""
    best: str = "max"
    """Which value is the best of the column: ``max``, ``min`` or ``none``."""


@dataclass(frozen=True)
class Row:
    """Cells, and in a comment the run, dataset and seeds that they come from."""

    cells: Sequence[Cell]
    origin: str = ""
    instead: str = ""
    """One text over all the columns that have no cell."""


_DENSE = r"\renewcommand{\arraystretch}{0.88}\aboverulesep=0.25ex\belowrulesep=0.4ex"


def tabular(
    columns: Sequence[Column],
    blocks: Sequence[tuple[str, Sequence[Row]]],
    last: Row | None = None,
    size: str = "footnotesize",
    gap: str = "3pt",
    dense: bool = False,
) -> str:
    """Return a whole ``tabular`` with its size; each block may have a heading, ``last`` is the row for chance.

    Args:
        gap: half the space between columns.
        dense: set lines and rules closer, for a table as high as a page.

    The best value of a column is bold in every row that prints the same number.
    """
    full = [row for _, rows in blocks for row in rows if not row.instead]
    best = [_best([row.cells[place] for row in full], column) for place, column in enumerate(columns)]
    lines = [
        f"{{\\{size}\\setlength{{\\tabcolsep}}{{{gap}}}{_DENSE if dense else ''}%",
        f"\\begin{{tabular}}{{@{{}}{''.join(column.align for column in columns)}@{{}}}}",
        r"\toprule",
        *_shared_headings(columns),
        " & ".join(column.heading for column in columns) + r" \\",
    ]
    for heading, rows in blocks:
        lines.append(r"\midrule")
        if heading:
            lines.append(f"\\multicolumn{{{len(columns)}}}{{@{{}}l}}{{\\emph{{{heading}}}}} \\\\")
        lines += [_line(row, best) for row in rows]
    if last is not None:
        lines += [r"\midrule", _line(last, [None] * len(columns))]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}}", ""])


def _shared_headings(columns: Sequence[Column]) -> list[str]:
    if not any(column.above for column in columns):
        return []
    cells, rules, place = [], [], 0
    while place < len(columns):
        above, end = columns[place].above, place + 1
        while above and end < len(columns) and columns[end].above == above:
            end += 1
        cells.append(f"\\multicolumn{{{end - place}}}{{c}}{{{above}}}" if above else "")
        if above:
            rules.append(f"\\cmidrule(lr){{{place + 1}-{end}}}")
        place = end
    return [" & ".join(cells) + r" \\", "".join(rules)]


def _best(cells: Sequence[Cell], column: Column) -> str | None:
    """Return the text that is printed bold."""
    ranked = [cell for cell in cells if cell.value is not None]
    if column.best == "none" or len(ranked) < 2:
        return None
    return (max if column.best == "max" else min)(ranked, key=lambda cell: cell.value).text


def _line(row: Row, best: Sequence[str | None]) -> str:
    texts = [
        f"\\textbf{{{cell.text}}}" if cell.value is not None and cell.text == bold else cell.text
        for cell, bold in zip(row.cells, best, strict=not row.instead)
    ]
    if row.instead:
        texts.append(f"\\multicolumn{{{len(best) - len(texts)}}}{{c}}{{\\emph{{{row.instead}}}}}")
    return " & ".join(texts) + r" \\" + (f"% {comment(row.origin)}" if row.origin else "")
