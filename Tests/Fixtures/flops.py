#!/usr/bin/env python3
"""Parameters and multiply-adds of networks as their libraries have them: half of what torch.utils.flop_counter counts.

    .venv-vision/bin/python Tests/Fixtures/flops.py        (the environment of vision.py)
"""

import json
from pathlib import Path

import timm
import torch
import torchvision
import transformers
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.resnet import BasicBlock

from oracle import ResNet


def measured(model: torch.nn.Module, x: torch.Tensor) -> dict[str, int]:
    # The counter has no formula for the processor's fused attention; the plain one is made of matrix products.
    with torch.no_grad(), FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        model.eval()(x)
    return {
        "parameters": sum(value.numel() for value in model.parameters()),
        "multiplyAdds": counter.get_total_flops() // 2,
    }


def main() -> None:
    models = torchvision.models
    large, medium, small = (torch.zeros(1, 3, size, size) for size in (224, 64, 32))
    gpt = transformers.GPT2Config(n_layer=2, n_embd=256, n_head=8, n_positions=256)
    networks = {
        "resnet18 stem=imagenet size=224": measured(models.resnet18(), large),
        "resnet50 stem=imagenet size=64": measured(models.resnet50(), medium),
        "resnet20 size=32 classes=10": measured(ResNet(BasicBlock, [3, 3, 3], 16), small),
        "densenet121 stem=imagenet size=64": measured(models.densenet121(), medium),
        "vgg11 head=imagenet size=64": measured(models.vgg11(), medium),
        "vit_s16 size=224": measured(timm.create_model("vit_small_patch16_224"), large),
        "convnext_tiny size=64": measured(timm.create_model("convnext_tiny"), medium),
        "gpt context=256 classes=50257": measured(
            transformers.GPT2LMHeadModel(gpt), torch.zeros(1, 256, dtype=torch.int64)
        ),
    }
    versions = {"torch": torch.__version__, "timm": timm.__version__, "transformers": transformers.__version__}
    path = Path(__file__).parent / "flops.json"
    path.write_text(json.dumps({"versions": versions, "networks": networks}, indent=2) + "\n")


if __name__ == "__main__":
    main()
