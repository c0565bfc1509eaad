"""Writes Llama-shaped checkpoints in bfloat16 for merging: OUT/base, OUT/ft1, OUT/ft2, OUT/ft3, each a folder of shards.

A fine-tune is the base with noise added. The numbers follow from the seed and each tensor's name.
"""

import argparse
import json
import pathlib
import zlib

import torch
from safetensors.torch import save_file

# hidden, intermediate, layers, heads, key-value heads, vocabulary
SHAPES = {
    "0.1b": (768, 2048, 12, 12, 4, 32000), "0.3b": (1024, 2816, 20, 16, 4, 32000),
    "0.6b": (1536, 4096, 22, 24, 4, 32000), "1.1b": (2048, 5632, 22, 32, 4, 32000),
}  # fmt: skip
SHARD = 1_000_000_000


def tensors(shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    hidden, inner, layers, heads, pairs, vocabulary = shape
    narrow = hidden // heads * pairs
    result = {"model.embed_tokens.weight": (vocabulary, hidden)}
    for layer in range(layers):
        prefix = f"model.layers.{layer}."
        result |= {
            prefix + "self_attn.q_proj.weight": (hidden, hidden),
            prefix + "self_attn.k_proj.weight": (narrow, hidden),
            prefix + "self_attn.v_proj.weight": (narrow, hidden),
            prefix + "self_attn.o_proj.weight": (hidden, hidden),
            prefix + "mlp.gate_proj.weight": (inner, hidden),
            prefix + "mlp.up_proj.weight": (inner, hidden),
            prefix + "mlp.down_proj.weight": (hidden, inner),
            prefix + "input_layernorm.weight": (hidden,),
            prefix + "post_attention_layernorm.weight": (hidden,),
        }
    return result | {"model.norm.weight": (hidden,), "lm_head.weight": (vocabulary, hidden)}


def values(name: str, size: tuple[int, ...], model: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    base = (torch.randn(size, generator=generator) * (0.05 if len(size) == 1 else 0.02)).bfloat16()
    if model == 0:
        return base
    # PyTorch keeps 32 bits of a seed.
    generator = torch.Generator().manual_seed(zlib.crc32(f"{model} {name}".encode()))
    return (base.float() + torch.randn(size, generator=generator) * 1e-3).bfloat16()


def write(folder: pathlib.Path, shape: tuple[int, ...], model: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shards: list[list[str]] = [[]]
    size = 0
    sizes = tensors(shape)
    for name, dimensions in sizes.items():
        count = 2 * torch.Size(dimensions).numel()
        if size and size + count > SHARD:
            shards.append([])
            size = 0
        shards[-1].append(name)
        size += count
    places = {}
    for index, names in enumerate(shards):
        file = f"model-{index + 1:05d}-of-{len(shards):05d}.safetensors"
        save_file({name: values(name, sizes[name], model) for name in names}, folder / file, {"format": "pt"})
        places |= dict.fromkeys(names, file)
    total = sum(2 * torch.Size(dimensions).numel() for dimensions in sizes.values())
    index = {"metadata": {"total_size": total}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    hidden, inner, layers, heads, pairs, vocabulary = shape
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": hidden, "intermediate_size": inner,
        "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": pairs,
        "vocab_size": vocabulary, "torch_dtype": "bfloat16", "tie_word_embeddings": False,
    }  # fmt: skip
    # The last file, so that a folder that has it is whole.
    (folder / "config.json").write_text(json.dumps(config, indent=2))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--size", choices=SHAPES, default="1.1b")
    arguments = parser.parse_args()
    for model, name in enumerate(["base", "ft1", "ft2", "ft3"]):
        if not (arguments.out / name / "config.json").exists():
            write(arguments.out / name, SHAPES[arguments.size], model)
            print(arguments.out / name, flush=True)


if __name__ == "__main__":
    main()
