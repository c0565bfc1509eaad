#!/usr/bin/env python3
"""Transformers for pictures and ConvNeXt, shrunk: what timm, torchvision, open_clip and transformers compute.

    python3 -m venv .venv-vision
    .venv-vision/bin/pip install -r Tests/Fixtures/requirements.txt timm==1.0.31 open_clip_torch==3.3.0 transformers==5.23.0
    .venv-vision/bin/python Tests/Fixtures/vision.py

An environment of its own, since the other fixtures need none of these. README.md beside this file lists the keys.
"""

import math

import open_clip
import timm
import torch
import torch.nn.functional as F
import transformers
from open_clip.transformer import VisionTransformer
from timm.layers import resample_abs_pos_embed
from torch import nn
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from initialisation import write
from networks import network
from oracle import VERSIONS, save

VERSIONS |= {
    "generator": "Tests/Fixtures/vision.py",
    "timm": timm.__version__,
    "open_clip": open_clip.__version__,
    "transformers": transformers.__version__,
}
WIDTH, DEPTH, HEADS, PATCH, SIZE, FEATURES, CLASSES = 24, 2, 3, 4, 16, 12, 10


class OpenCLIP(nn.Module):
    """open_clip's vision tower with a linear classifier, or with texts' features times the logit scale as one."""

    def __init__(self, zero_shot: bool):
        super().__init__()
        self.zero_shot = zero_shot
        self.visual = VisionTransformer(SIZE, PATCH, WIDTH, DEPTH, HEADS, 4.0, output_dim=FEATURES)
        self.head = nn.Linear(FEATURES, CLASSES, bias=not zero_shot)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = self.visual(x)
        return self.head(F.normalize(features, dim=-1) if self.zero_shot else features)


class TransformersCLIP(CLIPVisionModelWithProjection):
    """transformers' vision tower with OpenAI's activation, and a linear classifier."""

    def __init__(self):
        super().__init__(
            CLIPVisionConfig(
                hidden_size=WIDTH,
                intermediate_size=4 * WIDTH,
                projection_dim=FEATURES,
                num_hidden_layers=DEPTH,
                num_attention_heads=HEADS,
                image_size=SIZE,
                patch_size=PATCH,
                hidden_act="quick_gelu",
            )
        )
        self.head = nn.Linear(FEATURES, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(super().forward(pixel_values=x).image_embeds)


def vit() -> nn.Module:
    return timm.create_model(
        "vit_small_patch16_224",
        img_size=SIZE,
        patch_size=PATCH,
        embed_dim=WIDTH,
        depth=DEPTH,
        num_heads=HEADS,
        num_classes=CLASSES,
    )


def torchvision_convnext() -> nn.Module:
    settings = [CNBlockConfig(4, 8, 1), CNBlockConfig(8, 16, 2), CNBlockConfig(16, 32, 1), CNBlockConfig(32, None, 1)]
    return ConvNeXt(settings, num_classes=CLASSES)


# name: how it is made, the shape of a picture. Tests/TestSupport/Oracle.swift makes the same.
ARCHITECTURES = {
    "vit": (vit, (3, SIZE, SIZE)),
    "convnext": (
        lambda: timm.create_model("convnext_tiny", depths=(1, 2, 1, 1), dims=(4, 8, 16, 32), num_classes=CLASSES),
        (3, 32, 32),
    ),
    "clip": (lambda: OpenCLIP(zero_shot=False), (3, SIZE, SIZE)),
    "clip-zero-shot": (lambda: OpenCLIP(zero_shot=True), (3, SIZE, SIZE)),
}
# The same networks in another library, under its names.
OTHER_NAMES = {
    "convnext-torchvision": (torchvision_convnext, (3, 32, 32)),
    "clip-transformers": (TransformersCLIP, (3, SIZE, SIZE)),
}


def lively(make):
    """The network with every parameter far from its initial value, where an error would hide: scales of 1e-6, biases of 0."""

    def made() -> nn.Module:
        model = make()
        for name, parameter in model.named_parameters():
            if name.endswith(("gamma", "layer_scale")):
                nn.init.uniform_(parameter, 0.6, 1.4)
            elif parameter.dim() == 1 or "token" in name or "pos" in name:
                nn.init.normal_(parameter, 0, 0.2)
            else:
                nn.init.normal_(parameter, 0, parameter[0].numel() ** -0.5)
        return model

    return made


def distribution(network: str, model: nn.Module, name: str) -> dict:
    """What a parameter is drawn from, by the library's own rules."""
    owner, kind = name.rpartition(".")[::2]
    module = model.get_submodule(owner)
    shape = list(getattr(module, kind).shape)
    constant = lambda value: {"shape": shape, "distribution": "constant", "value": value, "std": 0}  # noqa: E731
    normal = lambda std: {"shape": shape, "distribution": "normal", "std": std}  # noqa: E731

    def uniform(bound: float) -> dict:
        return {"shape": shape, "distribution": "uniform", "bound": bound, "std": bound / math.sqrt(3)}

    if isinstance(module, nn.LayerNorm):
        return constant(float(kind == "weight"))
    if kind == "gamma":
        return constant(torch.tensor(1e-6).item())
    if kind == "cls_token":
        return normal(1e-6)
    if kind == "pos_embed":
        return normal(0.02)
    if kind in ("class_embedding", "positional_embedding", "proj"):
        return normal(WIDTH**-0.5)
    if kind == "in_proj_weight":  # xavier_uniform_
        return uniform(math.sqrt(6 / sum(shape)))
    if kind == "in_proj_bias" or (kind == "bias" and owner.endswith("out_proj")):
        return constant(0)
    is_timm = network in ("vit", "convnext") and not owner.startswith("patch_embed")
    if is_timm:  # trunc_normal_(std=0.02), cut at ±2
        return normal(0.02) if kind == "weight" else constant(0)
    return uniform(module.weight[0].numel() ** -0.5)


def position_embeddings() -> None:
    """The embedding of a square grid for another one, after a class token's."""
    torch.manual_seed(20)
    tensors = {}
    for former, size in ((4, 7), (7, 4), (14, 2)):
        embedding = torch.randn(1, 1 + former**2, 6)
        tensors[f"{former}-{size}/input"] = embedding
        tensors[f"{former}-{size}/timm"] = resample_abs_pos_embed(embedding, [size, size])
        model = nn.Module()
        model.visual = VisionTransformer(size, 1, 6, 1, 1, 1.0, output_dim=2)
        state = {"visual.positional_embedding": embedding[0].clone()}
        open_clip.model.resize_pos_embed(state, model)
        tensors[f"{former}-{size}/open_clip"] = state["visual.positional_embedding"]
    save("position-embeddings", tensors, seed=20)


def zero_shot() -> None:
    """A classifier's weight from texts' features as CLIP's forward pass uses them: 100 times the cosine."""
    torch.manual_seed(21)
    texts, scale, pictures = torch.randn(CLASSES, FEATURES), torch.tensor(100.0).log(), torch.randn(5, FEATURES)
    logits = scale.exp() * F.normalize(pictures, dim=-1) @ F.normalize(texts, dim=-1).T
    tensors = {"class_embeddings": texts, "logit_scale": scale, "features": pictures, "logits": logits}
    save("zero-shot", tensors, seed=21)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for number, (name, (make, shape)) in enumerate((ARCHITECTURES | OTHER_NAMES).items(), 40):
        network(name, number, lively(make), shape, 8, 0)
    position_embeddings()
    zero_shot()
    write(
        "initialisation-vision",
        {name: (make, lambda *a, name=name: distribution(name, *a), {}) for name, (make, _) in ARCHITECTURES.items()},
    )
