"""The words of a caption, for data that bring no tokens, and the scripts that captions are written in."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

import regex
from fontTools.unicodedata import script, script_name

TOKENIZER = {"name": "uax29-words", "version": 2}
"""What ``tokenise`` does, by name and version: a model records it, since its words are those that this rule made."""

WITHOUT_BLANKS = ("Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar")
"""Scripts that put no blanks between words; parting them takes a dictionary, which the rules of Unicode have not."""

# Hebrew's abbreviations have a quote within the word.
_APOSTROPHE = regex.compile(r"""(?<=\w)['’](?=\w)|(?<=\p{Hebrew})"(?=\p{Hebrew})""")
_ASCII_WORD = regex.compile(r"[a-z0-9]+")
# UAX #29 finds where words may end; ASCII's punctuation, and a quote, part a word all the same ("3.5", "u.s", "a_b").
_BOUNDARY = regex.compile(r"(?V1w)\b|[‘[\x00-\x7f&&[^a-z0-9]]]+")
_HAS_LETTER = regex.compile(r"[\p{L}\p{N}]")
# Marks that show nothing (soft hyphens, directions). Joiners make another word in some scripts, and the blank of no
# width parts words: these stay.
_INVISIBLE = regex.compile(r"[\p{Cf}--[\u200b-\u200d]]", regex.V1)


def tokenise(text: str) -> tuple[str, ...]:
    """Split a caption into lower-case words: letters with their marks, and digits.

    Words end where UAX #29 has it. ``man's`` becomes ``mans``; a hyphen parts words. Scripts without blanks between
    words come apart into single characters (``WITHOUT_BLANKS``; Katakana stays together).
    """
    text = _APOSTROPHE.sub("", text)
    if text.isascii():
        return tuple(_ASCII_WORD.findall(text.lower()))
    # The lower case of the Turkish letter is an i with a second dot, which nobody types.
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).replace("İ", "i").lower())
    return tuple(word for word in _BOUNDARY.split(_INVISIBLE.sub("", text)) if _HAS_LETTER.search(word))


def scripts_of(texts: Iterable[str]) -> dict[str, int]:
    """Return how many of the texts hold a letter of each script, most frequent first."""
    of_letter: dict[str, str] = {}
    count: Counter[str] = Counter()
    for text in texts:
        found = set()
        for letter in set(text):
            if letter not in of_letter:
                of_letter[letter] = script_name(script(letter)) if letter.isalpha() else ""
            found.add(of_letter[letter])
        count.update(found - {"", "Common", "Inherited"})
    return dict(count.most_common())


def note_on_scripts(raw: Sequence[str]) -> list[str]:
    """Return a note if captions whose words are made here are of scripts without blanks between words."""
    found = {name: count for name, count in scripts_of(raw).items() if name in WITHOUT_BLANKS}
    if not found:
        return []
    named = ", ".join(f"{name} in {count}" for name, count in found.items())
    return [
        f"words are not segmented in scripts without blanks between them ({named} of {len(raw)} captions): each "
        "character is a word; bring tokens, as a Karpathy json does, for whole words"
    ]
