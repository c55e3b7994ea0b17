"""What the words of a caption are, in many scripts, and what the check says of them."""

import re
import unicodedata
from pathlib import Path

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from test_data_rows import write_captions_txt

from xmr_lib.data import check_dataset, read_dataset
from xmr_lib.data.words import scripts_of, tokenise


def test_words_by_example() -> None:
    assert tokenise("Two men's T-shirts: 50% off (with “Élan”)_x!") == (
        *("two", "mens", "t", "shirts", "50", "off", "with", "élan", "x"),
    )
    assert tokenise("cafe\u0301 'quoted' dog’s") == ("café", "quoted", "dogs")
    assert tokenise("the U.S. 3.5 a_b 10:30") == ("the", "u", "s", "3", "5", "a", "b", "10", "30")
    assert tokenise(" . -- !") == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("दो कुत्ते घास पर दौड़ रहे हैं।", ["दो", "कुत्ते", "घास", "पर", "दौड़", "रहे", "हैं"]),
        ("দুটি কুকুর", ["দুটি", "কুকুর"]),
        ("இரண்டு நாய்கள்", ["இரண்டு", "நாய்கள்"]),
        ("مُحَمَّد يَلعب، هنا", ["مُحَمَّد", "يَلعب", "هنا"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("İki köpek", ["iki", "köpek"]),
        ("I\u0307ki", ["iki"]),
        ("두 마리의 개", ["두", "마리의", "개"]),
        ("Две собаки", ["две", "собаки"]),
        ('צה"ל, כלב', ["צהל", "כלב"]),
        ("two\u00adfold\ufeff é", ["twofold", "é"]),
        ("หม\u200bé", ["ห", "ม", "é"]),
        ("两只狗。", ["两", "只", "狗"]),
        ("犬とグラス", ["犬", "と", "グラス"]),
    ],
)
def test_words_of_many_scripts(text: str, words: list[str]) -> None:
    assert tokenise(text) == tuple(unicodedata.normalize("NFC", word) for word in words)


def words_of_version_1(text: str) -> tuple[str, ...]:
    """Runs of letters and digits: right wherever no letter has a mark of its own."""
    text = unicodedata.normalize("NFC", text.lower())
    return tuple(re.findall(r"[^\W_]+", re.sub(r"(?<=\w)['’](?=\w)", "", text)))


LATIN = [*map(chr, range(32, 127)), *"äöüßéèêñçåøæœõãışğžčřłąęőűþð¿¡“”‘’–—…«»€"]


@given(st.text(st.sampled_from(LATIN)))
def test_words_of_latin_captions_are_those_of_version_1(text: str) -> None:
    assert tokenise(text) == words_of_version_1(text)


@given(st.text())
def test_words_hold_a_letter_or_a_digit_and_no_blank(text: str) -> None:
    for word in tokenise(text):
        assert regex.search(r"[\p{L}\p{N}]", word)
        assert not re.search(r"\s|[!-/:-@\[-`{-~]", word)
    assert tokenise(" ".join(tokenise(text))) == tokenise(text)


def test_scripts_are_counted_by_caption() -> None:
    found = scripts_of(["a dog", "ein Hund", "собака dog", "两只狗 (1)", "123"])
    assert found == {"Latin": 3, "Cyrillic": 1, "Han": 1}


def test_the_check_tells_scripts_and_words_that_are_not_segmented(tmp_path: Path) -> None:
    write_captions_txt(tmp_path, {"a.jpg": ["两只狗", "a dog"], "b.jpg": ["สุนัข"]})
    dataset = read_dataset(tmp_path)
    lines = check_dataset(dataset).lines()
    assert "scripts: Han in 1 captions, Latin in 1 captions, Thai in 1 captions" in lines
    # A run prints the notes, so that it tells as well.
    (note,) = [note for note in dataset.notes if "not segmented" in note]
    assert "Han in 1, Thai in 1 of 3 captions" in note
    assert f"note: {note}" in lines


def test_word_types_of_hindi_are_whole(tmp_path: Path) -> None:
    words = ["कुत्ता", "कुत्ते", "किताब", "काला", "काली", "हैं", "है"]
    write_captions_txt(tmp_path, {"a.jpg": [" ".join(words)]})
    dataset = read_dataset(tmp_path)
    assert dataset.tokens == (tuple(words),)
    assert not dataset.notes
