"""The original releases: ``Flickr8k.token.txt`` or ``results_20130124.token``, with lists of the splits beside."""

import re
from pathlib import Path

from ..errors import XmrError
from .assemble import from_found, some
from .captioned import CaptionedImages
from .files import read_lines
from .layouts import Layout, register_layout

_LINE = re.compile(r"(?P<image>.+?)#\d+\t(?P<caption>.*)")


def find_token_file(folder: Path) -> Path | None:
    """Return the folder's ``*.token`` or ``*.token.txt``; the lemmatised copy counts only where it is alone.

    Raises:
        XmrError: there are several.
    """
    found = sorted([*folder.glob("*.token"), *folder.glob("*.token.txt")])
    found = [path for path in found if "lemma" not in path.name.lower()] or found
    if len(found) > 1:
        raise XmrError(f"{folder}: there are {', '.join(path.name for path in found)}; give the path of one of them")
    return found[0] if found else None


@register_layout("token", order=50)
class TokenLists(Layout):
    looked_for = "*.token or *.token.txt"

    def recognise(self, path: Path) -> bool:
        if path.is_file():
            return path.name.lower().endswith((".token", ".token.txt"))
        return find_token_file(path) is not None

    def read(self, path: Path, name: str | None) -> CaptionedImages:
        return read_token_lists(path, name)


def read_token_lists(path: str | Path, name: str | None = None) -> CaptionedImages:
    """Read lines ``name.jpg#k<TAB>caption``; splits come from lists of names, with or without ``.jpg``.

    Args:
        path: the folder, or the file itself; lists and images are looked for beside it.
        name: default: the name of the folder.

    Raises:
        XmrError: there is no such file, or no line of it has that form.
    """
    path = Path(path)
    file = path if path.is_file() else find_token_file(path)
    if file is None:
        raise XmrError(f"{path}: no *.token or *.token.txt in it")
    rows, odd = [], []
    for number, line in enumerate(read_lines(file), start=1):
        if match := _LINE.fullmatch(line):
            rows.append((match["image"].strip(), match["caption"]))
        elif line.strip():
            odd.append(f"line {number}")
    if not rows:
        raise XmrError(f"{file}: no line has the form name.jpg#0<TAB>caption")
    return from_found(
        rows,
        [file.parent],
        name=name or file.parent.resolve().name,
        layout="token",
        source=path,
        notes=[f"{file.name}: not name#number<TAB>caption, left out: {some(odd)}"] if odd else [],
    )
