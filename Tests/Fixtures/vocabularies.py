"""What mergekit 0.1.5 makes of models with different vocabularies: vocabularies.safetensors. Written with the versions its header names.

    python3 -m venv .venv && .venv/bin/pip install torch==2.13.0 mergekit==0.1.5 && .venv/bin/python Tests/Fixtures/vocabularies.py
"""

import importlib.metadata
import json
import os
import pathlib
import tempfile

import torch
import yaml
from mergekit.config import MergeConfiguration
from mergekit.merge import run_merge
from mergekit.options import MergeOptions
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

CONFIG = {"hidden_size": 8, "intermediate_size": 12, "num_attention_heads": 2, "num_key_value_heads": 1, "num_hidden_layers": 1}
TEXTS = {
    "A": (["the cat sat on the mat", "a merge of models"], ["<s>", "</s>"]),
    "B": (["the cat ran to the hat", "a model of merges"], ["<s>", "</s>", "<|tool|>"]),
    "C": (["the dog ran off the mat", "été über naïve"], ["<s>", "</s>", "<|chat|>"]),
}
RECIPES = {
    "union": """
merge_method: linear
base_model: A
models:
  - {model: A, parameters: {weight: 0.5}}
  - {model: B, parameters: {weight: 0.3}}
  - {model: C, parameters: {weight: 0.2}}
dtype: float32
tokenizer: {source: union}
""",
    "union-padded": """
merge_method: task_arithmetic
base_model: A
models:
  - {model: B, parameters: {weight: 0.5}}
  - {model: C, parameters: {weight: 1}}
dtype: float32
tokenizer: {source: union, pad_to_multiple_of: 16}
""",
    "rules": """
merge_method: linear
models:
  - {model: A, parameters: {weight: 1}}
  - {model: B, parameters: {weight: 3}}
dtype: float32
tokenizer:
  source: union
  tokens:
    <|tool|>: {source: {kind: zero}}
    </s>: {source: B, force: true}
    <s>: {source: {kind: model_token, model: A, token: </s>}, force: true}
""",
    "other": """
merge_method: linear
models:
  - {model: A, parameters: {weight: 1}}
  - {model: C, parameters: {weight: 1}}
base_model: A
dtype: float32
tokenizer: {source: C}
""",
}


def tokenizer(texts: list[str], special: list[str]) -> PreTrainedTokenizerFast:
    result = Tokenizer(models.BPE())
    result.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    result.decoder = decoders.ByteLevel()
    result.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=70, special_tokens=special, min_frequency=1, show_progress=False)
    )
    return PreTrainedTokenizerFast(tokenizer_object=result, bos_token="<s>", eos_token="</s>")


def main() -> None:
    path = pathlib.Path(__file__).resolve().with_name("vocabularies.safetensors")
    tensors: dict[str, torch.Tensor] = {}
    files: dict[str, str] = {}
    vocabularies: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for seed, (name, (texts, special)) in enumerate(TEXTS.items()):
            torch.manual_seed(seed)
            own = tokenizer(texts, special)
            model = LlamaForCausalLM(LlamaConfig(**CONFIG, vocab_size=len(own))).float()
            for tensor in model.parameters():
                tensor.data = torch.randn(tensor.shape)
            model.save_pretrained(name)
            own.save_pretrained(name)
            files |= {f"{name}/{file}": pathlib.Path(name, file).read_text() for file in ("tokenizer.json", "tokenizer_config.json", "config.json")}
            tensors |= {f"{name}/{key}": value for key, value in load_file(f"{name}/model.safetensors").items()}
        for name, text in RECIPES.items():
            recipe = MergeConfiguration.model_validate(yaml.safe_load(text))
            run_merge(recipe, f"out-{name}", MergeOptions(copy_tokenizer=False, write_model_card=False, quiet=True))
            tensors |= {f"{name}/{key}": value for key, value in load_file(f"out-{name}/model.safetensors").items()}
            vocabularies[name] = AutoTokenizer.from_pretrained(f"out-{name}").get_vocab()
    metadata = {
        "generator": "Tests/Fixtures/vocabularies.py",
        "mergekit": importlib.metadata.version("mergekit"),
        "torch": torch.__version__,
        "recipes": json.dumps(RECIPES),
        "files": json.dumps(files),
        "vocabularies": json.dumps(vocabularies),
    }
    save_file({key: value.contiguous() for key, value in tensors.items()}, path, metadata)
    print(f"{path.name}: {len(tensors)} tensors, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
