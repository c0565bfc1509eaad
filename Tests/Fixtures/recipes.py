"""What mergekit 0.1.5 makes of whole recipes: recipes.safetensors. Written with the versions its header names.

    python3 -m venv .venv && .venv/bin/pip install torch==2.13.0 mergekit==0.1.5 && .venv/bin/python Tests/Fixtures/recipes.py
"""

import importlib.metadata
import json
import os
import pathlib
import tempfile

import torch
import yaml
from merging import stable
from mergekit.config import MergeConfiguration
from mergekit.merge import run_merge
from mergekit.options import MergeOptions
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

CONFIG = {"hidden_size": 8, "intermediate_size": 12, "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 10}
# In the form of the recipes that mergekit's documentation and users have. A, B, C and D are folders; D has six layers, the others four.
RECIPES = {
    "slerp-gradients": """
slices:
  - sources:
      - model: A
        layer_range: [0, 4]
      - model: B
        layer_range: [0, 4]
merge_method: slerp
base_model: B
parameters:
  t:
    - filter: self_attn
      value: [0, 0.5, 0.3, 0.7, 1]
    - filter: mlp
      value: [1, 0.5, 0.7, 0.3, 0]
    - value: 0.5
dtype: float32
""",
    "ties-gradients": """
models:
  - model: A
    parameters:
      density: [1, 0.7, 0.1]
      weight: 1.0
  - model: B
    parameters:
      density: 0.5
      weight: [0, 0.3, 0.7, 1]
  - model: C
    parameters:
      density: 0.33
      weight:
        - filter: mlp
          value: 0.5
        - value: 0
merge_method: ties
base_model: D4
parameters:
  normalize: true
  int8_mask: true
dtype: float32
""",
    "passthrough-repeated": """
slices:
  - sources:
      - model: A
        layer_range: [0, 3]
  - sources:
      - model: D
        layer_range: [2, 6]
        parameters:
          scale:
            - filter: o_proj
              value: 0.5
            - filter: down_proj
              value: [0.25, 1]
            - value: 1
  - sources:
      - model: A
        layer_range: [1, 2]
merge_method: passthrough
dtype: float32
""",
    "linear-precedence": """
slices:
  - sources:
      - model: A
        layer_range: [0, 2]
        parameters: {weight: 2}
      - model: D
        layer_range: [1, 3]
    parameters: {weight: 1}
  - sources:
      - model: B
        layer_range: [2, 4]
        parameters: {weight: [0.5, 3]}
      - model: D
        layer_range: [3, 5]
merge_method: linear
parameters: {weight: 0.25, normalize: false}
out_dtype: float32
""",
    "stock": """
models:
  - model: A
  - model: B
  - model: C
base_model: D4
merge_method: model_stock
dtype: float32
""",
    "modules": """
modules:
  default:
    models:
      - model: A
        parameters: {weight: 0.5}
      - model: B
    parameters: {weight: 0.2}
merge_method: task_arithmetic
base_model: D4
parameters: {weight: 9, lambda: 0.5}
dtype: float32
""",
}


def main() -> None:
    stable()
    path = pathlib.Path(__file__).resolve().with_name("recipes.safetensors")
    tensors: dict[str, torch.Tensor] = {}
    configurations: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for seed, (name, layers) in enumerate({"A": 4, "B": 4, "C": 4, "D4": 4, "D": 6}.items()):
            torch.manual_seed(seed)
            model = LlamaForCausalLM(LlamaConfig(**CONFIG, num_hidden_layers=layers)).float()
            for tensor in model.parameters():
                tensor.data = torch.randn(tensor.shape)
            model.save_pretrained(name)
            configurations[name] = json.loads(pathlib.Path(name, "config.json").read_text())
            tensors |= {f"{name}/{key}": value for key, value in load_file(f"{name}/model.safetensors").items()}
        for name, text in RECIPES.items():
            recipe = MergeConfiguration.model_validate(yaml.safe_load(text))
            run_merge(recipe, f"out-{name}", MergeOptions(copy_tokenizer=False, write_model_card=False, quiet=True))
            tensors |= {
                f"{name}/{key}": value for key, value in load_file(f"out-{name}/model.safetensors").items()
            }
    metadata = {
        "generator": "Tests/Fixtures/recipes.py",
        "mergekit": importlib.metadata.version("mergekit"),
        "torch": torch.__version__,
        "recipes": json.dumps(RECIPES),
        "configurations": json.dumps(configurations),
    }
    save_file({key: value.contiguous() for key, value in tensors.items()}, path, metadata)
    print(f"{path.name}: {len(tensors)} tensors, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
