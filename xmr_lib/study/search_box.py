"""A box to type a query into, in JupyterLab: pictures as one types."""

import base64
from html import escape
from typing import TYPE_CHECKING

from ..errors import XmrError
from ..index import Index

if TYPE_CHECKING:
    from ipywidgets import VBox

SIDE, FOUND = 160, 8
FIRST = "two dogs run on a beach"


def search_box(index: Index, query: str = FIRST) -> "VBox":
    """Return a text field with what it finds below it; in an executed copy it shows the first query's pictures.

    Raises:
        XmrError: ipywidgets is not installed.
    """
    try:
        from ipywidgets import HTML, Layout, Text, VBox
    except ImportError:
        raise XmrError("the search box needs ipywidgets; pip install 'xmr[notebooks]'") from None
    field = Text(query, description="search", placeholder="a sentence", continuous_update=False)
    field.layout = Layout(width="36em")
    shown = HTML(_found(index, query))
    field.observe(lambda change: setattr(shown, "value", _found(index, change["new"])), "value")
    return VBox([field, shown])


def _found(index: Index, query: str) -> str:
    if not query.strip():
        return "<p>type a sentence and press Enter</p>"
    try:
        cards = [
            f'<figure style="margin:4px;display:inline-block;width:{SIDE}px"><img alt="{escape(hit.name)}" '
            f'style="width:100%" src="data:image/jpeg;base64,'
            f'{base64.b64encode(index.thumbnail(hit.id, SIDE)).decode()}">'
            f"<figcaption>{hit.rank}. {hit.score:.2f}</figcaption></figure>"
            for hit in index.search(query, top=FOUND)
        ]
    except XmrError as error:
        return f"<p>{escape(str(error))}</p>"
    return "".join(cards)
