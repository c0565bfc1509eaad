"""The networks Valley is compared with: torchvision's ResNet blocks at any width, and a plain multilayer perceptron.

torchvision's own `ResNet` fixes the width at 64 planes and the stem at 7x7; everything else here, parameter names and
initialisation included, is as there (`Tests/Fixtures/generate.py` asserts that width 64 gives torchvision's logits).
"""

from collections.abc import Sequence

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck

BLOCKS = {
    "resnet18": (BasicBlock, [2, 2, 2, 2]),
    "resnet34": (BasicBlock, [3, 4, 6, 3]),
    "resnet50": (Bottleneck, [3, 4, 6, 3]),
}


class ResNet(nn.Module):
    """A residual network. `stem` is "cifar" (3x3 convolution, stride 1) or "imagenet" (7x7, stride 2, max-pooling)."""

    def __init__(
        self,
        block=BasicBlock,
        blocks: Sequence[int] = (2, 2, 2, 2),
        width: int = 64,
        classes: int = 10,
        stem: str = "cifar",
    ):
        super().__init__()
        imagenet = stem == "imagenet"
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False) if imagenet else nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1) if imagenet else nn.Identity()
        channels = width
        self.stages = len(blocks)
        for index, count in enumerate(blocks):
            planes, layers = width << index, []
            for position in range(count):
                stride = 2 if index > 0 and position == 0 else 1
                out = planes * block.expansion
                downsample = None
                if stride != 1 or channels != out:
                    downsample = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))
                layers.append(block(channels, planes, stride, downsample))
                channels = out
            setattr(self, f"layer{index + 1}", nn.Sequential(*layers))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(channels, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for index in range(self.stages):
            x = getattr(self, f"layer{index + 1}")(x)
        return self.fc(torch.flatten(self.avgpool(x), 1))


class MLP(nn.Module):
    """Flatten, then linear layers with ReLU between them; parameters `layers.0.weight`, `layers.0.bias`, …"""

    def __init__(self, sizes: Sequence[int]):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))

    def forward(self, x: Tensor) -> Tensor:
        x = torch.flatten(x, 1)
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        return self.layers[-1](x)


def resnet(name: str, width: int, classes: int = 10, stem: str = "cifar") -> ResNet:
    """`resnet18`, `resnet34`, `resnet50`, or `resnet-1,1,1` for basic blocks by stage."""
    if name in BLOCKS:
        block, blocks = BLOCKS[name]
    else:
        block, blocks = BasicBlock, [int(count) for count in name.removeprefix("resnet-").split(",")]
    return ResNet(block, blocks, width, classes, stem)


def torchvision_or_timm(name: str, size: int, classes: int = 10) -> nn.Module:
    """torchvision's `densenet121` (3x3 stem without pooling, for pictures of 32 or 64 pixels), timm's `vit_s16` or
    `convnext_tiny`."""
    if name == "densenet121":
        model = torchvision.models.densenet121(num_classes=classes)
        model.features.conv0 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        model.features.pool0 = nn.Identity()
        return model
    import timm  # the other jobs do without

    if name == "vit_s16":
        return timm.create_model("vit_small_patch16_224", img_size=size, num_classes=classes)
    return timm.create_model("convnext_tiny", num_classes=classes)
