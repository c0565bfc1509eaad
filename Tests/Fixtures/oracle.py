"""What the generators share: the versions, writing a fixture, comparing."""

import json
import pathlib
import platform
import sys

import numpy
import safetensors
import safetensors.torch
import scipy
import torch
import torchvision
from torch import nn

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[1] / "Benchmarks" / "peers"))
from models import MLP, ResNet  # noqa: E402, F401  the generators take them from here

LIMIT = 1_000_000  # bytes a fixture may take in the repository
VERSIONS = {
    "generator": "Tests/Fixtures/generate.py",
    "torch": torch.__version__,
    "torchvision": torchvision.__version__,
    "numpy": numpy.__version__,
    "scipy": scipy.__version__,
    "safetensors": safetensors.__version__,
    "python": platform.python_version(),
    "processor": torch.backends.cpu.get_cpu_capability(),
}


def save(name: str, tensors: dict[str, torch.Tensor], **metadata: object) -> None:
    """Writes one fixture. The header is put together here, keys sorted, so that the same values give the same bytes."""
    header = {"__metadata__": {**VERSIONS, **{key: str(value) for key, value in sorted(metadata.items())}}}
    body = bytearray()
    for key in sorted(tensors):
        tensor = tensors[key].detach().contiguous()
        data = tensor.numpy().tobytes()
        dtype = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64", torch.bool: "BOOL"}[tensor.dtype]
        # Eight-byte alignment for every tensor would need padding, which safetensors forbids: 8-byte types come first.
        header[key] = {"dtype": dtype, "shape": list(tensor.shape), "data": data}
    order = sorted(
        (key for key in header if key != "__metadata__"),
        key=lambda key: (header[key]["dtype"] not in ("F64", "I64"), header[key]["dtype"], key),
    )
    for key in order:
        data = header[key].pop("data")
        header[key]["data_offsets"] = [len(body), len(body) + len(data)]
        body += data
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    path = FOLDER / f"{name}.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(body))
    read = safetensors.torch.load_file(path)  # the reference reader must accept what was written here
    assert all(torch.equal(read[key], tensors[key].detach()) for key in tensors) and len(read) == len(tensors)
    size = path.stat().st_size
    assert size <= LIMIT, f"{path.name} takes {size} bytes; the limit is {LIMIT}"
    print(f"{path.name}: {len(tensors)} tensors, {size / 1e3:.0f} kB")


def deviation(a: torch.Tensor, b: torch.Tensor, floor: float = 1e-12) -> float:
    """‖a − b‖ / max(‖b‖, floor) in float64."""
    a, b = a.double(), b.double()
    return float((a - b).norm() / b.norm().clamp_min(floor))


def perturb(model: nn.Module) -> None:
    """Moves normalisation weights and statistics, convolutions' biases, and VGG's small linear layers off their neutral
    initial values, which would hide an error."""
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm2d, nn.LayerNorm)):
            nn.init.uniform_(module.weight, 0.6, 1.4)
            nn.init.normal_(module.bias, 0, 0.2)
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
        if isinstance(module, nn.Conv2d) and module.bias is not None:
            nn.init.normal_(module.bias, 0, 0.1)
        if isinstance(module, nn.Linear) and module.weight.std() < 0.02:
            module.reset_parameters()
