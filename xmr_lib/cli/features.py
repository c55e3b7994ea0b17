"""``xmr features``."""

from typing import Annotated

import typer

from .app import (
    AllowDownloadOption,
    DataOption,
    DeviceOption,
    NamedOption,
    PrecisionOption,
    ProfileOption,
    SeedsOption,
    StrictOption,
    WorkersOption,
    app,
    parse_seeds,
    use_runtime,
)


@app.command(short_help="Make image features and word vectors.")
def features(
    dataset: NamedOption = None,
    data: DataOption = None,
    profile: ProfileOption = "demo",
    image_features: Annotated[str | None, typer.Option(help="Slug; default: those that the data bring.")] = None,
    seeds: SeedsOption = "0",
    strict: StrictOption = False,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    workers: WorkersOption = None,
    allow_download: AllowDownloadOption = False,
) -> None:
    """Make the feature stores of a dataset: image features and word vectors. What is there is not made again."""
    from ..experiment import Workspace
    from ..features.spec import FeatureSpec

    use_runtime(device, precision, workers, shared=True)
    workspace = Workspace(dataset, data, profile, strict=strict)
    slugs, processes = workspace.own_features, workspace.runtime.processes
    spec = FeatureSpec.parse(image_features or slugs["image"])
    if not processes.alone:
        workspace.bank.share(spec)
    if not processes.first:
        return
    store = workspace.bank.image_store(spec)
    typer.echo(f"{store.folder}: {len(store)} items of {store.values.shape[1:]}, {len(store.skipped)} left out")
    for seed in parse_seeds(seeds):
        workspace.bank.words(FeatureSpec.parse(slugs["text"]), seed)
        typer.echo(f"{slugs['text']}, seed {seed}: ready")
