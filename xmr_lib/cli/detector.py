"""``xmr detector``."""

import typer

from .app import (
    AllowDownloadOption,
    DataOption,
    DeviceOption,
    NamedOption,
    ProfileOption,
    WorkersOption,
    app,
    use_runtime,
)

detector_app = typer.Typer(help="The light Faster R-CNN.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(detector_app, name="detector")


@detector_app.command("train")
def detector_train(
    dataset: NamedOption = None,
    data: DataOption = None,
    profile: ProfileOption = "demo",
    device: DeviceOption = None,
    workers: WorkersOption = None,
    allow_download: AllowDownloadOption = False,
) -> None:
    """Train the light Faster R-CNN on boxes.json (COCO's format) beside the captions, training split only.

    Goes on where a kill left it. mAP is measured on images of the validation split.
    """
    from ..experiment import Workspace
    from ..study import detector_lines

    use_runtime(device, None, workers)
    workspace = Workspace(dataset, data, profile)
    workspace.bank.detector()
    typer.echo("\n".join([*detector_lines(workspace), str(workspace.bank.detector_file)]))
