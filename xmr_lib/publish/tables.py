"""The tables of the documents, made from the table of record."""

from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import XmrError
from ..study.names import NAMES, readable
from ..study.table_rows import HEADLINE, IMAGES, OURS, TABLES, TASKS, Line
from ..summary_csv import RECALLS
from .facts import Missing, RecordedResults
from .plot_facts import judged
from .scale import scale_tex
from .tabular import Cell, Column, Row, tabular
from .tex import count, escape, one_place
from .values import PUBLISHED, config_text, interval_text, read_published

I2T, T2I = r"image $\to$ text", r"text $\to$ image"
NARROW = ("i2t_r1", "i2t_r10", "t2i_r1", "t2i_r10", "rsum")
WIDE = ("i2t_r1", "i2t_r5", "i2t_r10", "t2i_r1", "t2i_r5", "t2i_r10", "rsum")
_RECALLS = {
    f"{side}_r{k}": Column(f"R@{k}", above=above) for side, above in (("i2t", I2T), ("t2i", T2I)) for k in (1, 5, 10)
}
_RSUM = Column("rSum")
_INTERVAL = Column(r"95\,\%", "c", best="none")
_SEEDS = Column("$n$", best="none")
_FIELDS = {
    "image_features": "image",
    "text_features": "words",
    "image_pooling": "regions",
    "text_pooling": "pooling",
    "text.projection": "proj.",
    "loss.name": "loss",
    "loss.direction": "dir.",
    "optimiser.batch": "batch",
    "optimiser.epochs": "ep.",
    "optimiser.learning_rate": "rate",
    "text.dropout": "drop",
}
"""Columns of the table of configs."""
SPLIT = 6
"""Tasks in the first of the two tables of all models, each of which is as high as a page at most."""
NOT_RECORDED = "not recorded"
SHORT = {
    "effnet-lite0": "Lite0",
    "effnet-lite2": "Lite2",
    "frcnn-lite0": "our R-CNN",
    "frcnn-resnet50": "R-CNN",
    "vgg16-course": "VGG-16",
    "vgg16-torchvision": "VGG-16",
}
"""Image networks where there is little room."""
_IMAGE_METRICS = {"r1": "R@1", "map": "mAP", "ndcg10": "nDCG"}


def table_tex(facts: RecordedResults, sources: str | Path, name: str) -> str:
    """Return a table by name, complete with size and rules.

    Raises:
        XmrError: there is none of that name, or a run that it needs is missing or stale.
    """
    sources = Path(sources)
    special: dict[str, Callable[[], str]] = {
        "best": lambda: _with_minutes(facts, "best", "model", bank=True),
        "finetuning": lambda: _with_minutes(facts, "finetuning", "trained"),
        "image_retrieval": lambda: _image_retrieval(facts),
        "false_negatives": lambda: _false_negatives(facts),
        "published": lambda: _published(facts, sources),
        "all_wide": lambda: _all_models(facts, TASKS[:SPLIT]),
        "all_others_wide": lambda: _all_models(facts, TASKS[SPLIT:]),
        "configs": lambda: _configs(facts),
        "torture": lambda: _torture(facts),
        "scale": lambda: scale_tex(facts),
    }
    try:
        if name in special:
            return special[name]()
        base, wide = name.removesuffix("_wide"), name.endswith("_wide")
        if base not in TABLES:
            raise XmrError(f"there is none of this name; there are {', '.join({**TABLES, **special})}")
        return _of_runs(facts, base, WIDE if wide else NARROW)
    except Missing as error:
        if facts.strict:
            raise Missing(f"table {name}: {error}", error.what) from None
        facts.gaps.add(error.what)
        return f"\\emph{{{escape(error.what)}: {NOT_RECORDED}}}\n"
    except XmrError as error:
        raise XmrError(f"table {name}: {error}") from None


def _of_runs(facts: RecordedResults, name: str, metrics: Sequence[str]) -> str:
    columns = [Column("model", "l"), *(_RECALLS.get(metric, _RSUM) for metric in metrics), _INTERVAL, _SEEDS]
    blocks = _blocks(facts, name, lambda row: [*_numbers(row, metrics), _interval(row), Cell(row["seeds"])])
    return tabular(columns, blocks, _chance(facts, metrics, 2), gap="2pt")


def _with_minutes(facts: RecordedResults, name: str, heading: str, bank: bool = False) -> str:
    """Return a table of R@1 and rSum (with the query bank too, if asked for) beside what they cost."""
    metrics = ("i2t_r1", "t2i_r1", "rsum")
    columns = [
        Column(heading, "l"),
        Column("R@1", above=r"i$\to$t"),
        Column("R@1", above=r"t$\to$i"),
        _RSUM,
        _INTERVAL,
        *([Column("bank")] if bank else []),
        Column("min", best="none"),
        _SEEDS,
    ]

    def cells(row: dict[str, str]) -> list[Cell]:
        with_bank = [_bank(row)] if bank else []
        minutes = Cell(one_place(row["cpu_minutes"]))
        return [*_numbers(row, metrics), _interval(row), *with_bank, minutes, Cell(row["seeds"])]

    empty = len(columns) - 1 - len(metrics)
    return tabular(columns, _blocks(facts, name, cells), _chance(facts, metrics, empty), gap="2.2pt")


def _bank(row: dict[str, str]) -> Cell:
    number = row["rsum_bank"]
    return Cell(one_place(number), float(number)) if number else Cell("--")


def _blocks(
    facts: RecordedResults, name: str, cells: Callable[[dict[str, str]], list[Cell]]
) -> list[tuple[str, list[Row]]]:
    blocks = []
    for block in TABLES[name]:
        if rows := _rows(facts, block, cells):
            blocks.append(("", rows))
    return blocks


def _rows(facts: RecordedResults, lines: Sequence[Line], cells: Callable[[dict[str, str]], list[Cell]]) -> list[Row]:
    """Return the row of each line; one that is not recorded says so, unless only what is recorded is to be there."""
    rows = []
    for line in lines:
        if facts.has(line):
            rows.append(Row([Cell(line.label), *cells(facts.row(line.run))], facts.origin(line.run)))
        elif not facts.strict:
            rows.append(Row([Cell(line.label)], line.run, NOT_RECORDED))
    return rows


def _numbers(row: dict[str, str], metrics: Sequence[str]) -> list[Cell]:
    return [Cell(one_place(row[metric]), float(row[metric])) for metric in metrics]


def _interval(row: dict[str, str]) -> Cell:
    return Cell(interval_text(row))


def _chance(facts: RecordedResults, metrics: Sequence[str], behind: int, before: int = 0) -> Row:
    """Return the row of a random order, with so many empty cells before and behind its numbers."""
    chance = facts.results(HEADLINE[0].run)[0].chance
    numbers = [Cell(one_place(chance[metric])) for metric in metrics]
    return Row([Cell("chance"), *[Cell("")] * before, *numbers, *[Cell("")] * behind], f"{facts.dataset}, exact")


def _image_retrieval(facts: RecordedResults) -> str:
    rows = facts.image_rows()
    columns = [
        Column("encoder", "l"),
        *(Column(heading) for heading in _IMAGE_METRICS.values()),
        Column(r"95\,\%", "c", best="none"),
        Column("words"),
        Column("$n$", best="none"),
    ]
    lines = []
    for run, row in rows.items():
        numbers = [Cell(one_place(row[metric]), float(row[metric])) for metric in _IMAGE_METRICS]
        interval = Cell(f"{one_place(row['ndcg10_low'])}--{one_place(row['ndcg10_high'])}")
        words = Cell(one_place(row["words_ndcg10"]), float(row["words_ndcg10"]))
        cells = [Cell(IMAGES.get(run, escape(run))), *numbers, interval, words, Cell(row["seeds"])]
        lines.append(Row(cells, f"{run}, {facts.dataset}, image_retrieval.csv, {row['seeds']} seeds"))
    chance = one_place(next(iter(rows.values()))["chance_ndcg10"])
    last = Row([Cell("chance"), *[Cell("")] * (len(_IMAGE_METRICS) - 1), Cell(chance), *[Cell("")] * 3])
    return tabular(columns, [("", lines)], last, gap="2.4pt")


def _false_negatives(facts: RecordedResults) -> str:
    """How often a judge takes the wrong first answer for a right one, from the table of notebook 11."""
    lines: dict[str, list[Row]] = {}
    for row in judged(facts):
        run, direction = row["model"], "i2t" if row["query"].startswith("image") else "t2i"
        numbers = [Cell(one_place(row[name])) for name in ("R@1 (%)", "accepted (%)", "of random ones (%)")]
        cells = [Cell(r"i$\to$t" if direction == "i2t" else r"t$\to$i"), Cell(escape(row["judge"])), *numbers]
        cells.append(Cell(one_place(row["R@1 with them (%)"])))
        lines.setdefault(run, []).append(Row(cells, f"{run}, {facts.dataset}, seed {facts.results(run)[0].seed}"))
    columns = [
        Column("", "l", best="none"),
        Column("judge", "l", best="none"),
        Column("R@1", best="none"),
        Column("accepted", best="none"),
        Column("of random", best="none"),
        Column("R@1 with", best="none"),
    ]
    return tabular(columns, [(readable(run), rows) for run, rows in lines.items()], gap="2.6pt")


def _torture(facts: RecordedResults) -> str:
    """What ``make torture`` tried, and what came of it, summed over what it was tried on."""
    counted, words = ("tried", "told", "read", "same"), ("trial", "what")
    rows = facts.of_software("torture", "torture/summary.csv", (*words, *counted), words, "make torture")
    trials: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        trials.setdefault(row["trial"], []).append(row)
    headings = ("of", "times", "told", "other values", "as before")
    columns = [Column("", "l", best="none"), *(Column(heading, best="none") for heading in headings)]
    lines = []
    for trial, own in trials.items():
        numbers = [len(own), *(sum(int(row[column]) for row in own) for column in counted)]
        lines.append(Row([Cell(escape(trial)), *(Cell(count(number)) for number in numbers)]))
    return tabular(columns, [("", lines)])


def _published(facts: RecordedResults, sources: Path) -> str:
    """Ours beside what others printed for the same dataset; places that they left empty have a dash."""
    metrics = ("i2t_r1", "t2i_r1")
    columns = [
        Column("method", "l"),
        Column("image", "l"),
        Column("text", "l"),
        Column("R@1", above=r"i$\to$t"),
        Column("R@1", above=r"t$\to$i"),
        _RSUM,
    ]
    theirs = []
    for slug, row in read_published(sources / PUBLISHED).items():
        if row["dataset"] == facts.dataset:
            facts.note(f"published {slug}", str(sorted(row.items())).encode())
            label = escape(row["method"]) + (f"$^{{{escape(row['note'])}}}$" if row.get("note") else "")
            label += f"~\\cite{{{row['cite']}}}" if row.get("cite") else ""
            recalls = [row.get(name) for name in RECALLS[:-1]]
            rsum = one_place(sum(map(float, recalls))) if all(recalls) else None
            numbers = [row.get(metric) or None for metric in metrics] + [rsum]
            named = (row.get(column) for column in ("image_features", "text_features"))
            texts = [Cell(escape(text) if text else "--") for text in named]
            cells = [Cell(label), *texts, *(Cell(text or "--", float(text) if text else None) for text in numbers)]
            theirs.append((sum(map(float, filter(None, recalls))), Row(cells, f"{PUBLISHED}, {row['source']}")))
    # Rows without all six recalls first.
    blocks = [("published", [row for _, row in sorted(theirs, key=lambda pair: pair[0])])] if theirs else []
    words = {line.run: text for line, text in OURS.items()}

    def cells(row: dict[str, str]) -> list[Cell]:
        sides = [Cell(_networks(facts, row["run"])), Cell(words[row["run"]])]
        return [*sides, *_numbers(row, (*metrics, "rsum"))]

    ours = _rows(facts, list(OURS), cells)
    last = _chance(facts, (*metrics, "rsum"), 0, before=2)
    return tabular(columns, [*blocks, ("ours", ours)], last, gap="2.4pt", best_of_block=True)


def _networks(facts: RecordedResults, run: str) -> str:
    """Return the short names of the networks that see the images of a model, or of all models of a late fusion."""
    config = facts.results(run)[0].config
    parts = getattr(config.method, "members", (config,))
    encoders = [spec.encoder for own in parts for spec in own.image_specs]
    return " + ".join(dict.fromkeys(SHORT.get(own, escape(own)) for own in encoders))


def _all_models(facts: RecordedResults, tasks: Sequence[tuple[str, str]]) -> str:
    """Every recorded model of these tasks."""
    columns = [
        Column("run", "l", best="none"),
        Column("name", "l", best="none"),
        Column("track", "l", best="none"),
        *(_RECALLS.get(metric, _RSUM) for metric in WIDE),
        _INTERVAL,
        Column("val."),
        Column("med.", above=r"i$\to$t", best="min"),
        Column("med.", above=r"t$\to$i", best="min"),
        Column("min", best="none"),
        _SEEDS,
    ]
    blocks = []
    for task, heading in tasks:
        runs = [run for run in NAMES if run in facts.rows and facts.rows[run]["task"] == task]
        if runs:
            blocks.append((heading, [Row(_whole_row(facts.row(run)), facts.origin(run)) for run in runs]))
    return tabular(columns, blocks, _chance(facts, WIDE, 6, before=2), "scriptsize", "2.1pt", dense=True)


def _whole_row(row: dict[str, str]) -> list[Cell]:
    return [
        Cell(f"\\textsf{{{escape(row['run'])}}}"),
        Cell(readable(row["run"])),
        Cell(row["track"]),
        *_numbers(row, WIDE),
        _interval(row),
        *_numbers(row, ("val_rsum", "i2t_medr", "t2i_medr")),
        Cell(one_place(row["cpu_minutes"])),
        Cell(row["seeds"]),
    ]


def _configs(facts: RecordedResults) -> str:
    """The fields that tell the main rows apart."""
    columns = [Column("model", "l"), *(Column(heading, "l") for heading in _FIELDS.values())]

    def cells(row: dict[str, str]) -> list[Cell]:
        config = facts.results(row["run"])[0].config
        # What a closed form does not have is left empty.
        return [Cell(config_text(config.get(field, ""))) for field in _FIELDS]

    # The long names of what is left out stand in the text.
    rows = _rows(facts, [line for line in HEADLINE if line.needed and not line.run.endswith("-late")], cells)
    return tabular(columns, [("", rows)], size="scriptsize", gap="2.4pt")
