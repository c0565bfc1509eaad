"""PyTorch's and torchvision's default initialisation."""

import json
import math

import torch
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from architectures import ARCHITECTURES
from oracle import FOLDER, MLP, VERSIONS, ResNet


def initialisation() -> None:
    """The distribution each parameter is drawn from, by formula, checked against 32 actual draws."""

    def distribution(model: nn.Module, path: str, residual: bool) -> dict:
        owner, kind = path.rsplit(".", 1)
        module = model.get_submodule(owner)
        shape = list(getattr(module, kind).shape)
        if isinstance(module, nn.BatchNorm2d):
            value = {"weight": 1, "bias": 0, "running_mean": 0, "running_var": 1, "num_batches_tracked": 0}[kind]
            return {"shape": shape, "distribution": "constant", "value": value, "std": 0}
        fan_in = module.weight[0].numel()
        family = type(model).__name__
        if kind == "bias" and family in ("VGG", "DenseNet"):
            return {"shape": shape, "distribution": "constant", "value": 0, "std": 0}
        if isinstance(module, nn.Linear) and family == "VGG":
            return {"shape": shape, "distribution": "normal", "std": 0.01}
        if isinstance(module, nn.Conv2d) and family == "DenseNet":  # torchvision: kaiming_normal_
            return {"shape": shape, "distribution": "normal", "std": math.sqrt(2 / fan_in)}
        if (
            isinstance(module, nn.Conv2d) and residual
        ):  # torchvision: kaiming_normal_(mode="fan_out", nonlinearity="relu")
            fan_out = module.weight.shape[0] * module.weight[0, 0].numel()
            return {"shape": shape, "distribution": "normal", "std": math.sqrt(2 / fan_out)}
        # kaiming_uniform_(a=√5): gain √(2 / (1 + 5)), bound gain · √(3 / fan_in) = 1 / √fan_in, as for the bias.
        bound = 1 / math.sqrt(fan_in)
        return {"shape": shape, "distribution": "uniform", "bound": bound, "std": bound / math.sqrt(3)}

    plain = lambda: nn.Sequential(nn.Conv2d(3, 16, 3), nn.Linear(64, 32))  # noqa: E731
    models = {
        "mlp": (lambda: MLP([192, 32, 24, 10]), False, {"sizes": [192, 32, 24, 10]}),
        "layers": (
            plain,
            False,
            {"description": "nn.Conv2d(3, 16, 3) as 0.*, nn.Linear(64, 32) as 1.*: the layers' own defaults"},
        ),
        "resnet18-cifar": (
            lambda: ResNet(BasicBlock, [2, 2, 2, 2], 8),
            True,
            {"blocks": [2, 2, 2, 2], "width": 8, "stem": "cifar"},
        ),
        "resnet18-imagenet": (
            lambda: ResNet(BasicBlock, [2, 2, 2, 2], 8, stem="imagenet"),
            True,
            {"blocks": [2, 2, 2, 2], "width": 8, "stem": "imagenet"},
        ),
        "resnet50": (
            lambda: ResNet(Bottleneck, [1, 1, 1, 1], 4),
            True,
            {"blocks": [1, 1, 1, 1], "width": 4, "stem": "cifar", "block": "bottleneck"},
        ),
        "resnet-111": (
            lambda: ResNet(BasicBlock, [1, 1, 1], 8),
            True,
            {"blocks": [1, 1, 1], "width": 8, "stem": "cifar"},
        ),
    }
    models |= {name: (make, type(make()).__name__ != "DenseNet", {}) for name, (make, _) in ARCHITECTURES.items()}
    write(
        "initialisation",
        {
            name: (make, lambda *a, residual=residual: distribution(*a, residual), settings)
            for name, (make, residual, settings) in models.items()
        },
    )


def write(name: str, models: dict) -> None:
    """`models` by name: how one is made, the distribution of each of its parameters by model and path, settings to note down."""
    output = {"versions": VERSIONS, "models": {}}
    for model, (make, distribution, settings) in models.items():
        torch.manual_seed(10)
        draws = [make() for _ in range(32)]
        parameters = {}
        for path in draws[0].state_dict():
            expected = distribution(draws[0], path)
            values = torch.stack([draw.state_dict()[path].double().flatten() for draw in draws]).flatten()
            if expected["distribution"] == "constant":
                assert (values == expected["value"]).all(), path
            else:
                # Five standard errors of a sample standard deviation: std · √((kurtosis − 1) / 4n).
                kurtosis = 3 if expected["distribution"] == "normal" else 1.8
                error = expected["std"] * math.sqrt((kurtosis - 1) / (4 * len(values)))
                assert abs(values.std() - expected["std"]) < 5 * error, (model, path)
                assert abs(values.mean()) < 5 * expected["std"] / math.sqrt(len(values)), (model, path)
                assert values.abs().max() <= expected.get("bound", math.inf) * (1 + 1e-6), (model, path)
            parameters[path] = expected
        output["models"][model] = {**settings, "parameters": parameters}
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(output, indent=1) + "\n")
    print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB")
