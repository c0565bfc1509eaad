"""What mergekit 0.1.5 merges: merging.safetensors. Written with the versions its header names.

    python3 -m venv .venv && .venv/bin/pip install torch==2.13.0 mergekit==0.1.5 && .venv/bin/python Tests/Fixtures/merging.py
"""

import importlib.metadata
import json
import pathlib

import torch
from mergekit.merge_methods import merge_tensors
from safetensors.torch import save_file

DRAWS = 3000
WEIGHTS = [0.5, 0.25, 0.75]
DENSITY = [0.5, 0.3, 0.7]
# name: (method, parameters, models, whether the base stands beside them). A list is one value a model.
CASES: dict[str, tuple[str, dict[str, object], int, bool]] = {
    "linear": ("linear", {"weight": WEIGHTS}, 3, False),
    "linear-sum": ("linear", {"weight": WEIGHTS, "normalize": False}, 3, False),
    "task_arithmetic": ("task_arithmetic", {"weight": WEIGHTS, "lambda": 0.7}, 3, True),
    "task_arithmetic-mean": ("task_arithmetic", {"weight": [0.5, -0.25, 1.0], "normalize": True}, 3, True),
    "slerp": ("slerp", {"t": 0.3}, 2, False),
    "slerp-outside": ("slerp", {"t": 1.25}, 2, False),
    "ties": ("ties", {"weight": WEIGHTS, "density": DENSITY}, 3, True),
    "ties-sum": ("ties", {"weight": [0.5, -0.25, 1.0], "density": DENSITY, "normalize": False, "lambda": 0.5}, 3, True),
    "ties-rescale": ("ties", {"weight": 1.0, "density": 0.4, "rescale": True}, 3, True),
    "ties-least": ("ties", {"weight": 1.0, "density": 0.001}, 3, True),
    "dare_linear": ("dare_linear", {"weight": WEIGHTS}, 3, True),
    "dare_ties": ("dare_ties", {"weight": WEIGHTS}, 3, True),
    "della": ("della", {"weight": WEIGHTS}, 3, True),
    "della_linear": ("della_linear", {"weight": WEIGHTS}, 3, True),
    "breadcrumbs": ("breadcrumbs", {"weight": WEIGHTS, "density": DENSITY, "gamma": [0.1, 0.2, 0.05]}, 3, True),
    "breadcrumbs-narrow": ("breadcrumbs", {"weight": 1.0, "density": 0.9, "gamma": 0.3, "rescale": True}, 3, True),
    "breadcrumbs_ties": ("breadcrumbs_ties", {"weight": WEIGHTS, "density": DENSITY, "gamma": 0.1}, 3, True),
    "model_stock": ("model_stock", {}, 3, True),
    "model_stock-rows": ("model_stock", {"filter_wise": True}, 3, True),
    "nuslerp": ("nuslerp", {"weight": [0.5, 0.25]}, 2, False),
    "nuslerp-base": ("nuslerp", {"weight": [0.5, 0.25]}, 2, True),
    "nuslerp-rows": ("nuslerp", {"weight": [0.5, 0.25], "nuslerp_flatten": False}, 2, False),
    "nuslerp-columns": (
        "nuslerp", {"weight": [0.5, 0.25], "nuslerp_flatten": False, "nuslerp_row_wise": True}, 2, True,
    ),
    "karcher": ("karcher", {}, 3, False),
    "karcher-short": ("karcher", {"max_iter": 1}, 3, False),
    "sce": ("sce", {}, 3, True),
    "sce-half": ("sce", {"select_topk": 0.5}, 3, True),
    "multislerp": ("multislerp", {"weight": WEIGHTS}, 3, False),
    "multislerp-base": ("multislerp", {"weight": WEIGHTS, "normalize_weights": False, "eps": 1e-6}, 3, True),
    "ram": ("ram", {}, 3, True),
    "ram-wide": ("ram", {"epsilon": 0.25}, 3, True),
    "ramplus_tl": ("ramplus_tl", {"epsilon": 0.2, "r": 0.5, "alpha": 0.4}, 3, True),
    "nearswap": ("nearswap", {"t": 0.1}, 1, True),
    "arcee_fusion": ("arcee_fusion", {}, 1, True),
    "passthrough": ("passthrough", {"scale": 0.75}, 1, False),
}
RANDOM = {
    "dare_linear": {"weight": WEIGHTS, "density": 0.5},
    "dare_ties": {"weight": WEIGHTS, "density": 0.5, "normalize": True},
    "della": {"weight": WEIGHTS, "density": 0.5, "epsilon": 0.3},
    "della_linear": {"weight": WEIGHTS, "density": 0.4, "epsilon": 0.2},
}


_sort, _argsort = torch.sort, torch.argsort


def stable_top(values: torch.Tensor, k: int, largest: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
    indices = _argsort(values, descending=largest, stable=True)[:k]
    return values[indices], indices


def stable() -> None:
    """Which of equal magnitudes mergekit keeps is left to torch's unstable sort, and with it to the processor. Here it is the
    first in the order of the sort; without equals nothing changes."""
    torch.sort = lambda values, **options: _sort(values, stable=True, **options)
    torch.argsort = lambda values, **options: _argsort(values, stable=True, **options)
    torch.topk = stable_top


def network(generator: torch.Generator, base: dict[str, torch.Tensor] | None) -> dict[str, torch.Tensor]:
    """Odd shapes; `ties` has few distinct magnitudes, exact in binary, zeros among them."""
    shapes = {"bias": (7,), "weight": (5, 9), "conv": (3, 4, 3, 3), "one": (1,)}
    tensors = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    tensors["ties"] = torch.randint(-2, 3, (6, 5), generator=generator) / 4
    if base is not None:
        tensors = {name: base[name] + (1.0 if name == "ties" else 0.3) * value for name, value in tensors.items()}
    return tensors


def merge(
    method: str, parameters: dict[str, object], models: list[torch.Tensor], base: torch.Tensor | None
) -> torch.Tensor:
    ids: list[object] = list(range(len(models)))
    values = {
        key: dict(zip(ids, value)) if isinstance(value, list) else value for key, value in parameters.items()
    }
    tensors = list(models)
    if base is not None:
        ids.append("base")
        tensors.append(base)
    index = len(tensors) - 1 if base is not None else 0 if method == "slerp" else None
    if method == "passthrough":
        values = {key: {0: value} for key, value in values.items()}
    if method == "arcee_fusion":  # in float32 its divergence is mostly rounding error
        tensors = [tensor.double() for tensor in tensors]
    return merge_tensors(tensors, method, parameters=values, ids=ids, base_index=index).float()


def main() -> None:
    stable()
    generator = torch.Generator().manual_seed(5)
    base = network(generator, None)
    models = [network(generator, base) for _ in range(3)]
    models[1]["conv"] = base["conv"].clone()  # a task vector of zeros
    tensors = {f"base/{name}": value for name, value in base.items()}
    for index, model in enumerate(models):
        tensors |= {f"model.{index}/{name}": value for name, value in model.items()}
    for dtype in (torch.float32, torch.bfloat16):
        for case, (method, parameters, count, has_base) in CASES.items():
            for name in base:
                # bfloat16 inputs, float32 arithmetic, one rounding: kept as float32 before it.
                inputs = [model[name].to(dtype).float() for model in models[:count]]
                start = base[name].to(dtype).float() if has_base else None
                merged = merge(method, parameters, inputs, start)
                assert merged.dtype == torch.float32 and merged.isfinite().all(), (case, name)
                tensors[f"{'f32' if dtype == torch.float32 else 'bf16'}/{case}/{name}"] = merged
    for method, parameters in RANDOM.items():
        torch.manual_seed(0)
        inputs = [model["weight"] for model in models]
        draws = torch.stack([merge(method, parameters, inputs, base["weight"]) for _ in range(DRAWS)]).double()
        tensors[f"random/{method}/mean"] = draws.mean(0)
        tensors[f"random/{method}/variance"] = draws.var(0)
    cases = {case: {"method": m, "parameters": p, "models": n, "base": b} for case, (m, p, n, b) in CASES.items()}
    path = pathlib.Path(__file__).with_name("merging.safetensors")
    metadata = {
        "generator": "Tests/Fixtures/merging.py",
        "mergekit": importlib.metadata.version("mergekit"),
        "torch": torch.__version__,
        "cases": json.dumps(cases),
        "random": json.dumps(RANDOM),
        "draws": str(DRAWS),
    }
    save_file({key: value.contiguous() for key, value in tensors.items()}, path, metadata)
    print(f"{path.name}: {len(tensors)} tensors, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
