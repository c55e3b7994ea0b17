"""A booktabs table: columns, rows in blocks, the best of a column bold."""

import itertools
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
    best_of_block: bool = False,
) -> str:
    """Return a whole ``tabular`` with its size; each block may have a heading, ``last`` is the row for chance.

    Args:
        gap: half the space between columns.
        dense: set lines and rules closer, for a table as high as a page.
        best_of_block: the best of each block is bold, not that of the table.

    The best value of a column is bold in every row that prints the same number.
    """
    groups = [[row for row in rows if not row.instead] for _, rows in blocks]
    if not best_of_block:
        groups = [list(itertools.chain(*groups))] * len(groups)
    bests = [[_best([row.cells[i] for row in rows], column) for i, column in enumerate(columns)] for rows in groups]
    lines = [
        f"{{\\{size}\\setlength{{\\tabcolsep}}{{{gap}}}{_DENSE if dense else ''}%",
        f"\\begin{{tabular}}{{@{{}}{_preamble(columns)}@{{}}}}",
        r"\toprule",
        *_shared_headings(columns),
        " & ".join(column.heading for column in columns) + r" \\",
    ]
    for (heading, rows), best in zip(blocks, bests, strict=True):
        lines.append(r"\midrule")
        if heading:
            lines.append(f"\\multicolumn{{{len(columns)}}}{{@{{}}l}}{{\\emph{{{heading}}}}} \\\\")
        lines += [_line(row, best) for row in rows]
    if last is not None:
        lines += [r"\midrule", _line(last, [None] * len(columns))]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}}", ""])


def _preamble(columns: Sequence[Column]) -> str:
    """Return the alignments, with more room before the numbers and between groups that share a heading."""
    parts = [columns[0].align]
    for before, own in itertools.pairwise(columns):
        apart = own.align != "l" and (before.align == "l" or (own.above and before.above and own.above != before.above))
        parts.append((r"@{\hspace{2.6\tabcolsep}}" if apart else "") + own.align)
    return "".join(parts)


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
