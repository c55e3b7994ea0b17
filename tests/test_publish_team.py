"""``report/team.yaml``: what people write into it is printed as they wrote it, or told in one line."""

import re
from pathlib import Path

import pytest

from xmr_lib.errors import XmrError
from xmr_lib.publish.sources import DOCUMENTS, keys_named
from xmr_lib.publish.team import team_tex

REPORT = Path(__file__).parent.parent / "report"
REST = {"coordination": "''", "overleaf": "''", "speakers": "{}", "weeks": "{}"}


@pytest.fixture
def written(tmp_path):
    """From the parts of a file that are not empty to its macros."""

    def write(members="[]", **parts):
        lines = {"members": members, **REST, **parts}
        (tmp_path / "team.yaml").write_text("".join(f"{key}: {value}\n" for key, value in lines.items()), "utf-8")
        return team_tex(str(tmp_path / "team.yaml"))

    return write


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("0123456", "0123456"),
        ("1_234", r"1\_234"),
        ("2026-01-31", "2026-01-31"),
        ("12:30", "12:30"),
        ("1.50", "1.50"),
        ("No", "No"),
        ("'true'", "true"),
        ("!!int Ada", "Ada"),
        ('"50% of $x & {y} #1 ~ ^ \\\\LaTeX_"', r"50\% of \$x \& \{y\} \#1 \textasciitilde{} \textasciicircum{} "),
        ("'[1]* --all ?`'", "{[}1{]}{*} -{}-all ?{}`"),
        ("E\u0301mile Łukasz Ødegård Şahin", "Émile Łukasz Ødegård Şahin"),
        (r'"a\tb\n\n  c"', "a b c"),
    ],
)
def test_text_is_printed_as_it_is_written(written, name, printed):
    text = written(f"[{{name: {name}, role: {name}}}]")
    assert f"\\teammembers{{{printed}" in text and f": {printed}" in text


def test_what_is_empty_says_what_to_fill_in(written):
    text = written("[{name: Ada, role: }, {name: ~, role: all}]", speakers="{a_b: null}", weeks="")
    assert r"\newcommand\teammembers{Ada, (fill in: members: 2: name in report/team.yaml)}" in text
    assert r"Ada: (fill in: members: 1: role" in text and r"(fill in: speakers: a\_b in report" in text
    empty = written("", coordination="", overleaf="", speakers="", weeks="")
    for part in ("members", "coordination", "overleaf"):
        assert f"(fill in: {part} in report/team.yaml)" in empty


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("https://www.overleaf.com/read/abcdefghijkl#1a2b3c", r"https://www.overleaf.com/read/abcdefghijkl\#1a2b3c"),
        ("http://a.b/c%20d_e&f~g", r"http://a.b/c\%20d\_e\&f\~g"),
        ("'https://a.b/50%/^{x}\\$'", r"https://a.b/50\%25/\%5E\%7Bx\%7D\%5C\%24"),
        ("https://a.b:8080/ü", r"https://a.b:8080/\%C3\%BC"),
        ("mailto:ada@a.b", "mailto:ada@a.b"),
        ("https://git@git.overleaf.com/abc", "https://git@git.overleaf.com/abc"),
    ],
)
def test_an_address_becomes_a_link(written, address, inside):
    assert f"\\newcommand\\overleaflink{{\\url{{{inside}}}}}\n" in written(overleaf=address)


FAULTS = {
    "no page": ({"overleaf": "www.overleaf.com/read/x"}, r"overleaf: .*must begin with https://"),
    "a script": ({"overleaf": "'javascript:alert(1)'"}, r"overleaf: .*must begin with"),
    "a file": ({"overleaf": "file:///etc/passwd"}, r"overleaf: .*must begin with"),
    "a number as address": ({"overleaf": "12"}, r"overleaf: .*must begin with"),
    "a blank": ({"overleaf": "https://a.b/c d"}, r"overleaf: .*blank or a control character"),
    "a line break": ({"overleaf": '"https://a.b/\\n"'}, r"overleaf: .*blank or a control character"),
    "no host": ({"overleaf": "'https://'"}, r"overleaf: .*names no host"),
    "half a host": ({"overleaf": "'https://[a'"}, r"overleaf: .*is no address"),
    "a port": ({"overleaf": "'https://a:b/'"}, r"overleaf: .*is no address"),
    "no mailbox": ({"overleaf": "mailto:ada"}, r"overleaf: .*names no mailbox"),
    "false as address": ({"overleaf": "false"}, r"overleaf: is a yes or no"),
    "a list as address": ({"overleaf": "[https://a.b]"}, r"overleaf: is a list"),
    "true": ({"members": "[{name: true, role: x}]"}, r"members, entry 1, name: is a yes or no.*quotation marks"),
    "a list as text": ({"coordination": "[a, b]"}, r"coordination: is a list; write text"),
    "entries as text": ({"speakers": "{title: {a: b}}"}, r"speakers, title: is a list of entries"),
    "members as text": ({"members": "Ada"}, r"members: is the text 'Ada'; a list is needed"),
    "members as entries": ({"members": "{Ada: all}"}, r"members: is a list of entries"),
    "a member as text": ({"members": "[Ada]"}, r"members, entry 1: is the text 'Ada'; an entry needs 'name: …'"),
    "a member without": ({"members": "[{name: a, role: b}, {name: x}]"}, r"members, entry 2: it must .*missing: role"),
    "a member with more": ({"members": "[{name: a, role: b, id: 7}]"}, r"entry 1, id: there is no such field"),
    "speakers as a list": ({"speakers": "[Ada]"}, r"speakers: is a list; lines 'name: text'"),
    "weeks as a number": ({"weeks": "4"}, r"weeks: is the text '4'"),
    "an odd key": ({"speakers": "{'a}b': x}"}, r"speakers, a}b: 'a}b' is no name of an entry"),
    "a list as key": ({"speakers": "{[a]: x}"}, r"line \d: what stands before the colon"),
    "twice": ({"speakers": "{title: a, title: b}"}, r"line 4: 'title' stands there twice"),
    "itself": ({"members": "&a [*a]"}, r"line 1: an entry that holds itself"),
    "an unknown field": ({"slides": "{}"}, r"slides: there is no such field; there are members, coordination"),
    "a bell": ({"coordination": '"a\\a"'}, r"coordination: .*control character U\+0007"),
    "other letters": ({"members": "[{name: 李, role: x}]"}, r"name: '李' holds '李' \(U\+674E\).*Latin letters"),
    "no YAML": ({"coordination": "a: b: c"}, r"not YAML"),
    "nested": ({"coordination": "[" * 1500}, r"not YAML"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_is_one_line_with_file_and_field(written, tmp_path, what):
    parts, message = FAULTS[what]
    with pytest.raises(XmrError, match=re.escape(str(tmp_path / "team.yaml")) + ".*: .*" + message) as told:
        written(**parts)
    assert "\n" not in str(told.value) and len(str(told.value)) < 400


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it must hold members, coordination, .*missing: members"),
        (b"- a", "it must hold members"),
        (b"members: []\nweeks: {}\n", "missing: coordination, overleaf, speakers"),
        (b"coordination: \xff", "not UTF-8"),
        (b"--- a\n--- b\n", "not YAML"),
    ],
)
def test_a_file_that_is_none_is_told(tmp_path, content, message):
    (tmp_path / "team.yaml").write_bytes(content)
    with pytest.raises(XmrError, match=message):
        team_tex(tmp_path / "team.yaml")


def test_a_name_that_no_document_asks_for_is_told(tmp_path):
    for name in DOCUMENTS:
        (tmp_path / f"{name}.tex").write_text("\\newcommand{\\says}[1]{\\speaker{#1}}\\says{title} \\weekfindings{1}")
    lines = "members: []\ncoordination:\noverleaf:\nweeks: {1: x}\n"
    (tmp_path / "team.yaml").write_text(lines + "speakers: {titel: Ada}")
    with pytest.raises(XmrError, match=r"speakers: no document asks for 'titel'; there are title: rename or remove"):
        team_tex(tmp_path / "team.yaml", tmp_path)
    # One that is missing is as good as empty.
    (tmp_path / "team.yaml").write_text(lines + "speakers:")
    assert r"xmr:speaker:title\endcsname{(fill in: speakers: title in" in team_tex(tmp_path / "team.yaml", tmp_path)


def test_the_template_has_the_names_of_the_documents():
    text = (REPORT / "team.yaml").read_text("utf-8")
    assert keys_named(REPORT, "speakers") == set(re.findall(r"^  ([a-z]+): \"\"", text, re.M))
    assert keys_named(REPORT, "weeks") == set(re.findall(r"^  (\d): \"\"", text, re.M))
    assert "fill in: members" in team_tex(REPORT / "team.yaml", REPORT)
