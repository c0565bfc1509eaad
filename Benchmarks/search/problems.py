"""Makes three merge problems from CIFAR-10: fine-tuned networks that are good at parts of it, and recipes with ranges that say what is searched.

    problems.py VALLEY DATA OUT     DATA holds cifar-10-batches-bin

A small ResNet learns 10,000 pictures at 16 × 16 pixels, and is fine-tuned on 8,000 of which nine in ten have some of the classes.
"""

import os
import pathlib
import subprocess
import sys

PARTS = {"low": range(0, 5), "high": range(5, 10), "first": range(0, 3), "middle": range(3, 7), "last": range(7, 10)}
RECORD = 1 + 3 * 32 * 32
NETWORK = "{name: resnet, blocks: [1, 1, 1], width: 12}"

RECIPES = {
    # Two dimensions: how far along either task vector.
    "pair": """\
merge_method: task_arithmetic
base_model: base.safetensors
models:
  - {model: low.safetensors, parameters: {weight: {from: 0, to: 1.5}}}
  - {model: high.safetensors, parameters: {weight: {from: 0, to: 1.5}}}
""",
    # Five dimensions: every part of the network has its own mean of the two.
    "layers": """\
merge_method: linear
models:
  - model: low.safetensors
    parameters:
      weight:
        - {filter: layer1, value: {from: 0, to: 1}}
        - {filter: layer2, value: {from: 0, to: 1}}
        - {filter: layer3, value: {from: 0, to: 1}}
        - {filter: fc, value: {from: 0, to: 1}}
        - {value: {from: 0, to: 1}}
  - {model: high.safetensors, parameters: {weight: 0.5}}
""",
    # Six dimensions: weights and densities of three.
    "triple": """\
merge_method: ties
base_model: base.safetensors
models:
  - {model: first.safetensors, parameters: {weight: {from: 0, to: 2}, density: {from: 0.05, to: 1}}}
  - {model: middle.safetensors, parameters: {weight: {from: 0, to: 2}, density: {from: 0.05, to: 1}}}
  - {model: last.safetensors, parameters: {weight: {from: 0, to: 2}, density: {from: 0.05, to: 1}}}
parameters: {normalize: false}
""",
}


def part(data: pathlib.Path, out: pathlib.Path, classes: range) -> None:
    """The training pictures with nine in ten of `classes`; the test set stays whole."""
    source, target = data / "cifar-10-batches-bin", out / "cifar-10-batches-bin"
    target.mkdir(parents=True)
    for name in ["test_batch.bin", "batches.meta.txt"]:
        (target / name).symlink_to((source / name).resolve())
    for batch in range(1, 6):
        content = (source / f"data_batch_{batch}.bin").read_bytes()
        records = [content[start : start + RECORD] for start in range(0, len(content), RECORD)]
        own = [record for record in records if record[0] in classes]
        other = [record for record in records if record[0] not in classes] or own[1440:]
        mixed = [other[i // 10] if i % 10 == 9 else own[i - i // 10] for i in range(1600)]
        (target / f"data_batch_{batch}.bin").write_bytes(b"".join(mixed))


def train(valley: str, data: pathlib.Path, out: pathlib.Path, rate: float, epochs: int, *more: str) -> None:
    if out.with_suffix(".safetensors").exists():
        return
    settings = [
        f"dataset={{name: cifar10, path: '{data}', train: {10000 if epochs > 4 else 8000}, test: 2000, size: 16}}",
        f"model={NETWORK}",
        f"schedule={{name: warmup-cosine, warmup: {epochs / 10} epochs, length: {epochs} epochs}}",
        "branch={every: null, endpoints: 2}",
        "measure.noise=null",
        f"optimizer={{name: sgd, lr: {rate}, momentum: 0.9, weight_decay: 5e-4}}",
        "batch_size=64",
        "augmentation={flip: true, crop: 2}",
        *more,
    ]
    words = [word for setting in settings for word in ("--set", setting)]
    subprocess.run([valley, "train", *words, "--threads", "1", "-o", str(out)], check=True)
    weights = min((out / "checkpoints").glob("endpoint-*.safetensors"))
    os.link(weights, out.with_suffix(".safetensors"))


def main() -> None:
    valley, data, out = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3]).resolve()
    out.mkdir(parents=True, exist_ok=True)
    train(valley, data, out / "base", 0.1, 8)
    for name, classes in PARTS.items():
        if not (out / "data" / name).exists():
            part(data, out / "data" / name, classes)
        train(valley, out / "data" / name, out / name, 0.03, 4, f"start={{file: '{out}/base.safetensors'}}")
    if not (out / "data" / "all").exists():
        part(data, out / "data" / "all", range(10))
    for name, recipe in RECIPES.items():
        (out / f"{name}.yml").write_text(recipe)


if __name__ == "__main__":
    main()
