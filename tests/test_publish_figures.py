"""Figures of the documents: each from its facts, as vectors; plot data that are older than their runs are refused."""

import pytest
from made_up_results import write_made_up_results, write_made_up_run

from xmr_lib.errors import XmrError
from xmr_lib.figures import COLUMN
from xmr_lib.publish.facts import RecordedResults
from xmr_lib.publish.figures import FIGURES, draw, gather
from xmr_lib.publish.pdf import has_type_3_fonts, objects


@pytest.fixture
def folder(tmp_path):
    return write_made_up_results(tmp_path / "scenes")


def test_each_figure_is_drawn_from_its_facts_at_the_width_of_a_column(folder, tmp_path):
    for name in FIGURES:
        facts = RecordedResults.read(folder)
        gathered = gather(facts, name)
        assert facts.used
        path = draw(name, gathered, tmp_path)
        assert path == tmp_path / f"{name}.pdf"
        assert not has_type_3_fonts(path)
        assert f"/MediaBox [ 0 0 {72 * COLUMN:g} ".encode() in objects(path)
        again = draw(name, gather(RecordedResults.read(folder), name), tmp_path / "again")
        assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("figure", "run", "message"),
    [
        ("rank_distribution", "cca-mean", r"rank_distribution.csv is not of the recorded runs \(i2t R@1 of 'cca-mean'"),
        ("modality_gap", "d-meanmax", r"modality_gap.csv is not of the recorded runs \(rSum of 'd-meanmax'"),
    ],
)
def test_plot_data_older_than_a_run(folder, figure, run, message):
    gather(RecordedResults.read(folder), figure)
    write_made_up_run(folder, run, 9.0)
    with pytest.raises(XmrError, match=rf"figure {figure}: .*{message}.*--only 08"):
        gather(RecordedResults.read(folder), figure)


def test_what_is_missing(folder):
    (folder / "plotdata" / "shared_space.csv").unlink()
    with pytest.raises(XmrError, match=r"figure shared_space: .*--only 08' makes it"):
        gather(RecordedResults.read(folder), "shared_space")
    with pytest.raises(XmrError, match="figure magic: there is none of this name; there are recall_bars"):
        gather(RecordedResults.read(folder), "magic")
    (folder / "runs" / "e-gru" / "seed0" / "ranks.npz").unlink()
    with pytest.raises(XmrError, match=r"figure recall_bars: .*ranks of 'e-gru' are missing; 'xmr train e-gru"):
        gather(RecordedResults.read(folder), "recall_bars")


def test_no_pdf(tmp_path):
    (tmp_path / "x.pdf").write_text("text")
    with pytest.raises(XmrError, match="not a PDF"):
        objects(tmp_path / "x.pdf")
