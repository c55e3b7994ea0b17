"""torchvision's image networks by name, with the ImageNet weights that it publishes, without their last layer."""

import re

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..pretrained import TorchvisionWeights
from ..weights import Weights, load_frozen

NETWORKS = {
    slug: TorchvisionWeights(slug, slug.replace("-", "_"), version)
    for version, slugs in (
        ("IMAGENET1K_V2", ("resnet50", "resnet101", "resnet152")),
        ("IMAGENET1K_V1", ("vit-b-16", "vit-b-32", "vit-l-16", "vit-l-32")),
        ("IMAGENET1K_V1", ("convnext-tiny", "convnext-small", "convnext-base", "convnext-large")),
    )
    for slug in slugs
}
"""Slug → the weights: of those that torchvision publishes for it, the best of ImageNet-1k alone."""
OLD_NAMES = ((re.compile(r"(\.mlp)\.linear_1\."), r"\1.0."), (re.compile(r"(\.mlp)\.linear_2\."), r"\1.3."))
"""Layers that torchvision has since put into sequences, and their names now."""


def has_places(slug: str) -> bool:
    """Whether the network ends in a map, whose places can be taken one by one."""
    return not slug.startswith("vit")


class Penultimate(nn.Module):
    """A network without its classifier: (images, 3, side, side) → the vector that the classifier would read."""

    def __init__(self, network: nn.Module):
        from torchvision.models.convnext import ConvNeXt
        from torchvision.models.resnet import ResNet

        super().__init__()
        self.trunk: nn.Module | None = None
        """Up to the last map, shape (images, dim, rows, columns); None of a ViT."""
        if isinstance(network, ResNet):
            self.trunk = nn.Sequential(*list(network.children())[:-2])
            self.pool = nn.Sequential(network.avgpool, nn.Flatten())
            self.dim = network.fc.in_features
        elif isinstance(network, ConvNeXt):
            self.trunk, self.dim = network.features, network.classifier[-1].in_features
            self.pool = nn.Sequential(network.avgpool, *network.classifier[:-1])
        else:
            self.dim, network.heads = network.hidden_dim, nn.Identity()
            self.pool = network

    def forward(self, images: Float[Tensor, "images 3 side side"]) -> Float[Tensor, "images dim"]:
        return self.pool(images if self.trunk is None else self.trunk(images))

    def places(self, images: Float[Tensor, "images 3 side side"]) -> Float[Tensor, "images places dim"]:
        """Return the last map place by place."""
        assert self.trunk is not None
        return self.trunk(images).flatten(2).transpose(1, 2)


def penultimate(slug: str, weights: Weights) -> Penultimate:
    """Return the frozen network.

    Raises:
        XmrError: the file holds something else.
    """
    from torchvision.models import get_model_builder

    # On the meta device nothing is drawn at random until the file's own tensors take their place.
    with torch.device("meta"):
        network = get_model_builder(NETWORKS[slug].model)(weights=None)
    counters = {name for name in network.state_dict() if name.endswith("num_batches_tracked")}

    def of_today(state: dict[str, Tensor]) -> dict[str, Tensor]:
        renamed = {}
        for name, tensor in state.items():
            for old, new in OLD_NAMES:
                name = old.sub(new, str(name))
            renamed[name] = tensor
        # Older files do not count batches; the counters change nothing.
        return {**dict.fromkeys(counters, torch.tensor(0)), **renamed}

    load_frozen(network, weights, of_today)
    return Penultimate(network).eval()
