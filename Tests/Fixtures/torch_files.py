"""Files of torch.save in every form the reader of Sources/Checkpoints takes or refuses, and what they hold."""

import argparse
import collections
import json
import os
import zipfile
from pathlib import Path

import numpy
import torch
from safetensors.torch import save_file

FOLDER = Path(__file__).parent / "torch"


def tensors() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(7)
    grid = torch.randn(4, 6, generator=generator)
    tied = torch.randn(3, 2, generator=generator)
    return {
        "float32": grid,
        "float64": grid.double()[0],
        "float16": grid.half(),
        "bfloat16": grid.bfloat16(),
        "float8_e4m3fn": grid.to(torch.float8_e4m3fn),
        "float8_e5m2": grid.to(torch.float8_e5m2),
        "uint8": torch.arange(5, dtype=torch.uint8),
        "int8": torch.arange(-2, 3, dtype=torch.int8),
        "int16": torch.arange(-2, 3, dtype=torch.int16),
        "int32": torch.arange(-2, 3, dtype=torch.int32),
        "int64": torch.tensor([2**40, -1]),
        "uint16": torch.tensor([1, 65535], dtype=torch.uint16),
        "uint32": torch.tensor([1, 2**32 - 1], dtype=torch.uint32),
        "bool": torch.tensor([True, False, True]),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(2, 0, 3),
        "transposed": grid.t(),
        "slice": grid[1:3, ::2],
        "row": grid[2],
        "expanded": grid[:, :1].expand(4, 3),
        "channels_last": torch.randn(2, 3, 4, 2, generator=generator).contiguous(memory_format=torch.channels_last),
        "tied.a": tied,
        "tied.b": tied,
        "parameter": torch.nn.Parameter(grid + 1),
        "buffer.µ": torch.nn.parameter.Buffer(grid - 1),
    }


class Hostile:
    """What a pickle can do to whoever loads it carelessly."""

    def __reduce__(self):
        return os.system, ("touch /tmp/valley-was-here",)


def rewritten(source: Path, target: Path, change=lambda name, data: data, method=zipfile.ZIP_STORED) -> None:
    """The same archive with other contents."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", method) as new:
        for entry in old.infolist():
            new.writestr(zipfile.ZipInfo(entry.filename), change(entry.filename, old.read(entry)), method)


def torch_files() -> None:
    FOLDER.mkdir(exist_ok=True)
    values = tensors()
    metadata = {"torch": torch.__version__}
    expected = {name: value.detach().clone().contiguous() for name, value in values.items()}
    save_file(expected, FOLDER / "expected.safetensors", metadata)

    state = collections.OrderedDict(values)
    state._metadata = {"": {"version": 1}}
    torch.save(state, FOLDER / "zip.pt")
    torch.save(state, FOLDER / "protocol4.pt", pickle_protocol=4)
    # Before 1.6; the types without a class of storages came later.
    old = {name: value for name, value in values.items() if "float8" not in name and "uint16" not in name}
    old.pop("uint32")
    torch.save(collections.OrderedDict(old), FOLDER / "legacy.pt", _use_new_zipfile_serialization=False)

    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    training = {
        "epoch": 3,
        "state_dict": {f"module.{name}": value for name, value in model.state_dict().items()},
        "optimizer": optimizer.state_dict(),
        "args": argparse.Namespace(lr=0.1, betas=(0.9, 0.95)),
        "best": numpy.float64(0.5),
        "history": [0.1] * 20,
        "seed": 2**80,
        "rng_state": torch.get_rng_state()[:8],
    }
    torch.save(training, FOLDER / "training.pt")
    torch.save({"generator": model.state_dict(), "critic": {"w": torch.ones(2)}}, FOLDER / "ambiguous.pt")
    torch.save(model.weight.data, FOLDER / "tensor.pt")
    torch.save({"a": 1}, FOLDER / "nothing.pt")
    torch.save(model, FOLDER / "module.pt")
    torch.save({"w": torch.ones(2, dtype=torch.complex64)}, FOLDER / "complex.pt")
    torch.save({"w": torch.ones(2), "extra": Hostile()}, FOLDER / "hostile.pt")
    torch.save(
        {"w": torch.ones(2), "extra": Hostile()}, FOLDER / "hostile-legacy.pt", _use_new_zipfile_serialization=False
    )
    torch.jit.save(torch.jit.script(model), FOLDER / "torchscript.pt")

    torch.save({"w": torch.ones(2)}, FOLDER / "small.pt")
    big = lambda name, data: b"big" if name.endswith("byteorder") else data  # noqa: E731
    rewritten(FOLDER / "small.pt", FOLDER / "big-endian.pt", big)
    rewritten(FOLDER / "small.pt", FOLDER / "compressed.pt", method=zipfile.ZIP_DEFLATED)

    sharded = FOLDER / "sharded"
    sharded.mkdir(exist_ok=True)
    shards = {
        "model-00001-of-00002.safetensors": ["float32", "bfloat16"],
        "model-00002-of-00002.safetensors": ["int64"],
    }
    for file, names in shards.items():
        save_file({name: expected[name] for name in names}, sharded / file, metadata)
    places = {name: file for file, names in shards.items() for name in names}
    index = {"metadata": {"total_size": 1.5, "tied": False}, "weight_map": dict(sorted(places.items()))}
    (sharded / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))
    (sharded / "config.json").write_text(json.dumps({"model_type": "gpt2", "n_layer": 2}))


if __name__ == "__main__":
    torch.manual_seed(0)
    torch_files()
