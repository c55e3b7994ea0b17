"""What people tell of their data: the folder of images, columns, the delimiter; and what the check makes of it."""

from pathlib import Path

import pytest
from click.testing import Result
from PIL import Image
from test_data_readers import refuses
from test_data_rows import captions_of
from typer.testing import CliRunner

from xmr_lib.cli import app
from xmr_lib.data import Told, keep_told, read_dataset
from xmr_lib.errors import XmrError

BILDER = 40


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A German table with semicolons; its pictures are in a folder elsewhere."""
    rows = [f"{n}.png;sehr gut;Ein Hund, Nummer {n}" for n in range(BILDER)]
    (tmp_path / "daten").mkdir()
    (tmp_path / "daten" / "mein.csv").write_text("\n".join(["Bild;Güte;Beschreibung", *rows, ""]), encoding="utf-8")
    (tmp_path / "woanders" / "bilder").mkdir(parents=True)
    for n in range(BILDER):
        Image.new("RGB", (4, 4)).save(tmp_path / "woanders" / "bilder" / f"{n}.png")
    return tmp_path / "daten"


def check(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["data", "check", *map(str, arguments)])


def test_a_header_that_is_not_known_is_told_with_the_way_out(table: Path) -> None:
    for path in (table, table / "mein.csv"):
        refuses(path, "mein.csv", "bild, güte, beschreibung (separated by ';')", "--image-column", "--caption-column")


def test_columns_and_images_are_told_and_kept(table: Path) -> None:
    columns = ("--image-column", "Bild", "--caption-column", "Beschreibung")
    done = check(table, *columns)
    assert done.exit_code == 1
    assert "no folder with the images was found" in done.output and "--images FOLDER" in done.output
    done = check(table, *columns, "--images", table.parent / "woanders")
    assert done.exit_code == 0, done.output
    assert f"image files: {BILDER} of {BILDER} can be decoded" in done.output
    assert "--remember" in done.output
    refuses(table, "--image-column")

    assert check(table, *columns, "--remember").exit_code == 1
    assert check(table, "--images", table.parent / "woanders", "--remember").exit_code == 0
    for path in (table, table / "mein.csv"):
        dataset = read_dataset(path)
        assert captions_of(dataset)["7.png"] == ["Ein Hund, Nummer 7"]
        assert dataset.images_folder is not None
        assert dataset.images_folder.resolve() == (table.parent / "woanders" / "bilder").resolve()
        assert dataset.notes == ("read as xmr-data.yaml beside the captions tells",)
    assert check(table).exit_code == 0


@pytest.mark.parametrize("delimiter", ["tab", "\\t", "\t"])
def test_a_delimiter_is_told(tmp_path: Path, delimiter: str) -> None:
    (tmp_path / "mine.txt").write_text("image\tcaption\na.jpg\tx; y\n", encoding="utf-8")
    assert captions_of(read_dataset(tmp_path, told=Told(delimiter=delimiter))) == {"a.jpg": ["x; y"]}


def test_what_is_told_wrongly_is_one_line(table: Path) -> None:
    for told, words in (
        (Told(image_column="Foto", caption_column="Beschreibung"), "'Foto'.*bild, güte, beschreibung"),
        (Told(Path("nowhere"), "Bild", "Beschreibung"), "nowhere: no such folder"),
        (Told(table, "Bild", "Beschreibung"), "holds none of the images.*0.png"),
    ):
        with pytest.raises(XmrError, match=words):
            read_dataset(table, told=told)
    for text in ("- a", "colour: red", "images: 3", "a: [", "\ttab"):
        (table / "xmr-data.yaml").write_text(text, encoding="utf-8")
        refuses(table, "xmr-data.yaml")


def test_a_folder_inside_is_kept_as_relative(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    file = keep_told(str(tmp_path), Told(images=tmp_path / "pictures"))
    assert file.read_text(encoding="utf-8") == "images: pictures\n"
