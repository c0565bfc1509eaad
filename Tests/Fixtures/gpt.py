"""What transformers' GPT-2 computes: gpt.safetensors. Written with the versions its header names.

python3 -m venv .venv && .venv/bin/pip install torch==2.11.0 transformers==5.23.0
.venv/bin/python Tests/Fixtures/gpt.py
"""

import json
import pathlib
import platform

import torch
import transformers
from safetensors.torch import save_file
from torch import nn

LAYERS = {"n_layer": 2, "n_embd": 24, "n_head": 3, "n_positions": 12, "vocab_size": 50}
NO_DROPOUT = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}


def main() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    config = transformers.GPT2Config(**LAYERS, **NO_DROPOUT, attn_implementation="eager")
    model = transformers.GPT2LMHeadModel(config)
    # Off the neutral initial values, which would hide an error.
    for module in model.modules():
        if isinstance(module, nn.LayerNorm):
            nn.init.uniform_(module.weight, 0.6, 1.4)
        if not isinstance(module, nn.Embedding) and getattr(module, "bias", None) is not None:
            nn.init.normal_(module.bias, 0, 0.2)
    for name, parameter in model.named_parameters():
        if parameter.dim() == 2:
            nn.init.normal_(parameter, 0, 0.3)
    tensors = {f"weights/{name}": value.clone() for name, value in model.state_dict().items() if name != "lm_head.weight"}
    tokens = torch.randint(LAYERS["vocab_size"], (3, 11))
    tensors |= {"input": tokens[:, :-1].contiguous(), "labels": tokens[:, 1:].contiguous()}
    with torch.no_grad():
        tensors["logits_eval"] = model.eval()(tensors["input"]).logits
    logits = model.train()(tensors["input"]).logits
    for name, smoothing in (("", 0.0), ("smoothed_", 0.1)):
        model.zero_grad()
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), tensors["labels"].flatten(), label_smoothing=smoothing)
        loss.backward(retain_graph=True)
        tensors[f"{name}loss"] = loss.detach()
        for key, parameter in model.named_parameters():
            tensors[f"{name}gradients/{key}"] = parameter.grad.clone()
    tensors["logits_train"] = logits.detach()
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "python": platform.python_version()}
    metadata = {"generator": "Tests/Fixtures/gpt.py", "config": json.dumps(LAYERS), **versions}
    path = pathlib.Path(__file__).with_name("gpt.safetensors")
    save_file({key: value.contiguous() for key, value in tensors.items()}, path, metadata)
    print(f"{path.name}: {len(tensors)} tensors, {path.stat().st_size / 1e3:.0f} kB; loss {float(tensors['loss']):.4f}")


if __name__ == "__main__":
    main()
