"""What was found as one HTML page: nothing is loaded from anywhere, the pictures are within."""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

from ..data.pictures import read_picture
from ..errors import XmrError
from .index import PLURALS, Hit, Index
from .thumbnails import as_jpeg

SIDE = 320
STYLE = """
:root { color-scheme: light dark;
  --ink: #22303c; --faint: #66727d; --ground: #fbfbf9; --card: #ffffff; --edge: #e2e5e8 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ecef; --faint: #9aa6b0; --ground: #14191d; --card: #1d242a; --edge: #2c353d } }
body { margin: 0 auto; max-width: 72rem; padding: 2rem 1rem; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .3rem; overflow-wrap: anywhere }
h2 { font-size: 1rem; margin: 2rem 0 .8rem }
p, .score, .name { color: var(--faint); font-size: .85rem; margin: 0 }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(14rem, 100%), 1fr)); gap: 1rem }
figure { margin: 0; background: var(--card); border: 1px solid var(--edge); border-radius: .5rem; overflow: hidden }
figure img { display: block; width: 100%; aspect-ratio: 4 / 3; object-fit: cover }
figcaption { padding: .5rem .7rem; overflow-wrap: anywhere }
ol { list-style: none; margin: 0; padding: 0 }
li { display: flex; gap: 1rem; padding: .45rem 0; border-bottom: 1px solid var(--edge); overflow-wrap: anywhere }
li .score { flex: none; width: 4rem; text-align: right; font-variant-numeric: tabular-nums }
img.asked { max-width: 20rem; max-height: 15rem; border-radius: .5rem; display: block; margin: .5rem 0 }
"""


def page_of(index: Index, query: str | Path, found: dict[str, Sequence[Hit]]) -> str:
    """Return the page.

    Args:
        query: what was asked: a sentence, or the file of a picture.
        found: of each kind that was looked for, what was found.

    Raises:
        XmrError: the picture that was asked for can't be read.
    """
    facts = index.facts
    asked = f"<h1>{escape(query)}</h1>" if isinstance(query, str) else _asked(query)
    about = f"{facts['model']} ({facts['track']}), trained on {facts['trained_on'] or 'nothing'}; {_sizes(facts)}"
    parts = [_pictures(index, hits) if kind == "image" else _sentences(hits) for kind, hits in found.items()]
    title = escape(query if isinstance(query, str) else query.name)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{STYLE}</style>\n</head>\n'
        f"<body>\n{asked}\n<p>{escape(about)}</p>\n" + "\n".join(parts) + "\n</body>\n</html>\n"
    )


def _asked(query: Path) -> str:
    picture = read_picture(query, at_least=SIDE)
    if isinstance(picture, str):
        raise XmrError(f"{query}: the picture can't be read ({picture})")
    return f'<h1>{escape(query.name)}</h1>\n<img class="asked" alt="" src="{_within(as_jpeg(picture, SIDE))}">'


def _pictures(index: Index, hits: Sequence[Hit]) -> str:
    cards = []
    for hit in hits:
        try:
            image = f'<img alt="{escape(hit.name)}" src="{_within(index.thumbnail(hit.id, SIDE))}">'
        except XmrError as error:
            image = f"<p>{escape(str(error))}</p>"
        told = f'<span class="name">{escape(hit.name)}</span> <span class="score">{hit.score:.3f}</span>'
        cards.append(f"<figure>{image}<figcaption>{hit.rank}. {told}</figcaption></figure>")
    return f'<h2>Pictures</h2>\n<div class="pictures">\n{chr(10).join(cards)}\n</div>'


def _sentences(hits: Sequence[Hit]) -> str:
    rows = [f'<li><span class="score">{hit.score:.3f}</span><span>{escape(hit.text or "")}</span></li>' for hit in hits]
    return f"<h2>Sentences</h2>\n<ol>\n{chr(10).join(rows)}\n</ol>"


def _sizes(facts: dict) -> str:
    return ", ".join(f"{count} {PLURALS[kind]}" for kind, count in facts["counts"].items() if count)


def _within(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
