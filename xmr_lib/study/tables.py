"""Tables of results: for the eye (a data frame) and for the reader of files (csv)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ..config import RunConfig
from ..metrics import Ranks, bootstrap_interval, holm, paired_test
from ..paths import atomic_write
from ..records import Result, flat
from ..summary_csv import RECALLS

HEADINGS = {metric: metric.replace("i2t_r", "i→t R@").replace("t2i_r", "t→i R@") for metric in RECALLS}
HEADINGS["rsum"] = "rSum"


def results_table(
    groups: Sequence[Sequence[Result]], ranks: Sequence[Sequence[Ranks]], against: str | None = None
) -> pd.DataFrame:
    """Return one row per model (means over its seeds) and a last row for chance.

    Args:
        groups: the results of each model, one per seed.
        ranks: the ranks of the same runs: intervals and p values come from them.
        against: model that the others are tested against; default: the one with the highest *validation* rSum.

    The interval is the 95 % bootstrap of rSum over test images. ``p`` is that of the paired randomisation test against
    one row, which itself has none, each the mean of its seeds; adjusted by Holm within the table.
    """
    rows = []
    for results, group_ranks in zip(groups, ranks, strict=True):
        low, high = bootstrap_interval(group_ranks)
        rows.append(
            {
                "model": results[0].model,
                "loss": results[0].config.loss_name,
                "words": results[0].config.text_pooling,
                **{heading: _mean(results, metric) for metric, heading in HEADINGS.items()},
                "95 % interval": f"{low:.1f}–{high:.1f}",
                "val rSum": float(np.mean([result.val_rsum for result in results])),
                "seeds": str(len(results)),
            }
        )
    names = [row["model"] for row in rows]
    best = names.index(against) if against else int(np.argmax([row["val rSum"] for row in rows]))
    others = [i for i in range(len(rows)) if i != best]
    adjusted = holm([paired_test(ranks[i], ranks[best]) for i in others])
    for row in rows:
        row["p"] = ""
    for i, p in zip(others, adjusted, strict=True):
        rows[i]["p"] = shown_p(p)
    chance = groups[0][0].chance
    rows.append({"model": "chance", **{heading: chance[metric] for metric, heading in HEADINGS.items()}})
    return pd.DataFrame(rows).fillna("").set_index("model")


def config_table(configs: Sequence[RunConfig]) -> pd.DataFrame:
    """Return the fields in which configs differ from each other or from the defaults, one column per model.

    A field that a model does not have (a margin of CCA, say) is empty.
    """
    default = _shown(RunConfig(name="default"))
    columns = {config.name: _shown(config) for config in configs}
    fields = list(
        dict.fromkeys(field for values in (default, *columns.values()) for field in values if field != "name")
    )
    differing = [f for f in fields if any(f in c and c[f] != default.get(f) for c in columns.values())]
    table = {name: [values.get(field, "") for field in differing] for name, values in columns.items()}
    return pd.DataFrame({**table, "default": [default.get(field, "") for field in differing]}, index=differing)


def _shown(config: RunConfig) -> dict[str, object]:
    """Return a config's fields by their paths; of late fusion the members' names."""
    values = config.to_dict()
    if "members" in values["method"]:
        values["method"]["members"] = ", ".join(member["name"] for member in values["method"]["members"])
    return {path.removeprefix("method.").replace("branches.0.", ""): value for path, value in flat(values).items()}


def save_table(table: pd.DataFrame, folder: str | Path, name: str) -> None:
    """Write ``<name>.csv`` into a folder. (The documents' tables are made from the table of record by ``publish``.)"""
    folder = Path(folder)
    shown = table.map(lambda value: f"{value:.1f}" if isinstance(value, float) else value)
    with atomic_write(folder / f"{name}.csv") as path:
        shown.to_csv(path, lineterminator="\n")


def styled(table: pd.DataFrame, by: str = "rSum") -> "pd.io.formats.style.Styler":
    """Return the table for a notebook: one decimal, the row that is best ``by`` a column bold."""
    best = table[by].to_numpy(dtype=float).max()
    return table.style.format(lambda value: f"{value:.1f}" if isinstance(value, float) else value).apply(
        lambda row: ["font-weight: bold" if row[by] == best else ""] * len(row), axis=1
    )


def shown_p(p: float) -> str:
    """Return a p value as tables have it."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _mean(results: Sequence[Result], metric: str) -> float:
    return float(np.mean([result.test[metric] for result in results]))
