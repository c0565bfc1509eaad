"""torchvision's networks beside its ResNets, shrunk: their own layers and forward passes at a smaller width and depth."""

import torch
import torchvision
from torch import nn
from torchvision.models import densenet, vgg
from torchvision.models.resnet import BasicBlock

from oracle import ResNet

CONVOLUTIONS = {"vgg11": [1, 1, 2, 2, 2], "vgg16": [2, 2, 3, 3, 3]}


class VGG(vgg.VGG):
    """torchvision's VGG, whose constructor fixes the width of its classifier. Without `hidden`, the head usual for pictures
    of 32 pixels: the mean over height and width, and one linear layer."""

    def __init__(self, name: str, batch_norm: bool, width: int = 64, hidden: int | None = None, classes: int = 10):
        nn.Module.__init__(self)
        layers = []
        for stage, count in enumerate(CONVOLUTIONS[name]):
            layers += [width << min(stage, 3)] * count + ["M"]
        self.features = vgg.make_layers(layers, batch_norm)
        channels = layers[-2]
        if hidden is None:
            self.avgpool = nn.AdaptiveAvgPool2d(1)
            self.classifier = nn.Linear(channels, classes)
        else:
            self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
            self.classifier = nn.Sequential(
                nn.Linear(channels * 7 * 7, hidden),
                nn.ReLU(True),
                nn.Dropout(0),  # the draws of another implementation cannot be the same
                nn.Linear(hidden, hidden),
                nn.ReLU(True),
                nn.Dropout(0),
                nn.Linear(hidden, classes),
            )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                nn.init.constant_(module.bias, 0)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0, 0.01)
                nn.init.constant_(module.bias, 0)


def dense_net(blocks: list[int], growth: int, stem: str, classes: int = 10) -> densenet.DenseNet:
    """torchvision's DenseNet; the stem for small pictures is a 3x3 convolution and no pooling."""
    model = densenet.DenseNet(growth, tuple(blocks), 2 * growth, num_classes=classes)
    if stem == "cifar":
        model.features.conv0 = nn.Conv2d(3, 2 * growth, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(model.features.conv0.weight)
        model.features.pool0 = nn.Identity()
    return model


# name: how it is made, the shape of a picture. Tests/TestSupport/Oracle.swift makes the same.
ARCHITECTURES = {
    "resnet20": (lambda: ResNet(BasicBlock, [3, 3, 3], 4), (3, 8, 8)),
    "vgg11": (lambda: VGG("vgg11", False, 2), (3, 32, 32)),
    "vgg11-bn": (lambda: VGG("vgg11", True, 2), (3, 32, 32)),
    "vgg16-imagenet": (lambda: VGG("vgg16", False, 2, hidden=16), (3, 36, 36)),
    "densenet-cifar": (lambda: dense_net([2, 3, 1, 2], 4, "cifar"), (3, 8, 8)),
    "densenet-imagenet": (lambda: dense_net([1, 2, 2, 1], 4, "imagenet"), (3, 36, 36)),
}


def check_architectures() -> None:
    """What is shrunk here is torchvision's network at full size: the same names and the same logits."""
    x = torch.randn(1, 3, 64, 64)
    for name, make in (
        ("vgg11", lambda: VGG("vgg11", False, hidden=4096, classes=1000)),
        ("vgg16_bn", lambda: VGG("vgg16", True, hidden=4096, classes=1000)),
        ("densenet121", lambda: dense_net([6, 12, 24, 16], 32, "imagenet", 1000)),
    ):
        theirs, ours = torchvision.models.get_model(name).eval(), make().eval()
        ours.load_state_dict(theirs.state_dict())
        assert list(ours.state_dict()) == list(theirs.state_dict()) and torch.equal(ours(x), theirs(x)), name
