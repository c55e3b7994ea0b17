"""``xmr serve``."""

from importlib.util import find_spec
from typing import Annotated

import typer

from ..errors import XmrError
from .app import AllowDownloadOption, DeviceOption, app, use_runtime
from .index import place_of

HERE = "127.0.0.1"


@app.command(short_help="A page to search pictures and sentences in a browser.")
def serve(
    indexes: Annotated[
        list[str], typer.Argument(metavar="INDEX...", help="Indexes: their folders, or their names under indexes/.")
    ],
    port: Annotated[int, typer.Option(help="Port of the page.", min=0, max=65_535)] = 8642,
    host: Annotated[str, typer.Option(help="Address that it listens at; another one lets others in.")] = HERE,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it in a browser.")] = True,
    device: DeviceOption = None,
    allow_download: AllowDownloadOption = False,
) -> None:
    """Search pictures by a sentence, sentences and pictures by a picture, with the model of an index; until Ctrl-C.

    The page is served to this machine alone; nothing leaves it.
    """
    if missing := [name for name in ("starlette", "uvicorn") if find_spec(name) is None]:
        raise XmrError(f"the page needs {' and '.join(missing)}: pip install 'xmr[serve]'")
    from ..index import Index
    from ..runtime import Runtime
    from ..serve.gallery import named
    from ..serve.server import listen
    from ..serve.server import serve as run

    use_runtime(device, None, None)
    # A port that is in use is told before models are loaded.
    with listen(host, port) as listening:
        if host not in (HERE, "localhost", "::1"):
            typer.echo(f"warning: --host {host}: whoever reaches this machine can see the pictures of these indexes")
        galleries = named([Index.open(place_of(name), Runtime.of()) for name in indexes])
        for gallery in galleries.values():
            gallery.warm_up()
            counts = gallery.index.counts
            shown = f"{counts.get('image', 0):,} pictures, {counts.get('text', 0):,} sentences"
            typer.echo(f"{gallery.name}: {shown}; {', '.join(gallery.about()['lines'])}")
        try:
            run(galleries, listening, lambda address: typer.echo(f"{address} (Ctrl-C ends it)"), browser)
        except KeyboardInterrupt:
            typer.echo("")
