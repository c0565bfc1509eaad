"""What plain numpy and scipy align: alignment.safetensors. Written with the versions its header names.

    python3 -m venv .venv && .venv/bin/pip install numpy==2.4.6 scipy==1.17.1 safetensors==0.8.0 && .venv/bin/python Tests/Fixtures/alignment.py
"""

import json
import pathlib

import numpy as np
import scipy
from safetensors.numpy import save_file
from scipy.optimize import linear_sum_assignment

Weights = dict[str, np.ndarray]
# parameter: by dimension, the group that moves it
Axes = dict[str, tuple[str | None, ...]]
MASK = (1 << 64) - 1


class SplitMix64:
    """Valley's generator, so that both sides go through the groups in one order."""

    def __init__(self, *key: int) -> None:
        self.state = 0x5EED0F7A11E75000
        for part in key:
            self.state = self.mix(self.state + 0x9E3779B97F4A7C15) ^ self.mix(part + 0x632BE59BD9B4E019)

    @staticmethod
    def mix(value: int) -> int:
        z = value & MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, bound: int) -> int:
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        return ((self.mix(self.state) >> 32) * bound) >> 32

    def permutation(self, count: int) -> list[int]:
        result = list(range(count))
        for place in range(count - 1, 0, -1):
            other = self.below(place + 1)
            result[place], result[other] = result[other], result[place]
        return result


def permuted(w: np.ndarray, axes: tuple[str | None, ...], order: dict[str, np.ndarray], but: int | None = None) -> np.ndarray:
    for axis, group in enumerate(axes):
        if group is not None and axis != but:
            w = np.take(w, order[group], axis=axis)
    return w


def weight_matching(a: Weights, b: Weights, axes: Axes, groups: dict[str, int], seed: int,
                    start: dict[str, np.ndarray] | None = None) -> tuple[dict[str, np.ndarray], int]:
    """Algorithm 1 of Git Re-Basin (arXiv 2209.04836), in float64. Running statistics take no part."""
    a, b = ({name: w.astype(np.float64) for name, w in side.items()} for side in (a, b))
    order = dict(start or {group: np.arange(count) for group, count in groups.items()})
    users = {group: [(name, axis) for name, names in axes.items() if "running" not in name
                     for axis, other in enumerate(names) if other == group] for group in groups}
    random, names = SplitMix64(seed, 0), list(groups)
    for sweep in range(1, 101):
        progress = False
        for index in random.permutation(len(names)):
            group = names[index]
            count = groups[group]
            gains = np.zeros((count, count))
            for name, axis in users[group]:
                left = np.moveaxis(a[name], axis, 0).reshape(count, -1)
                right = np.moveaxis(permuted(b[name], axes[name], order, but=axis), axis, 0).reshape(count, -1)
                gains += left @ right.T
            rows, columns = linear_sum_assignment(gains, maximize=True)
            former = gains[rows, order[group]].sum()
            if gains[rows, columns].sum() > former + 1e-12 * abs(former):
                order[group], progress = columns, True
        if not progress:
            break
    return order, sweep


def objective(a: Weights, b: Weights, axes: Axes, order: dict[str, np.ndarray]) -> float:
    return sum(float(np.vdot(a[name].astype(np.float64), permuted(b[name], axes.get(name, ()), order).astype(np.float64)))
               for name in a if "running" not in name)


def mlp(widths: list[int]) -> tuple[Axes, dict[str, int]]:
    groups = {f"P{i}": width for i, width in enumerate(widths[1:-1])}
    axes: Axes = {}
    for layer in range(len(widths) - 1):
        output, source = f"P{layer}" if layer < len(widths) - 2 else None, f"P{layer - 1}" if layer else None
        axes[f"layers.{layer}.weight"], axes[f"layers.{layer}.bias"] = (output, source), (output,)
    return axes, groups


def resnet(blocks: list[int], width: int) -> tuple[Axes, dict[str, int], dict[str, tuple[int, ...]]]:
    axes: Axes = {}
    shapes: dict[str, tuple[int, ...]] = {}
    groups: dict[str, int] = {}

    def conv(name: str, norm: str, source: str | None, output: str, kernel: int = 3) -> None:
        axes[f"{name}.weight"] = (output, source, None, None)
        shapes[f"{name}.weight"] = (groups[output], groups[source] if source else 3, kernel, kernel)
        for kind in ("weight", "bias", "running_mean", "running_var"):
            axes[f"{norm}.{kind}"], shapes[f"{norm}.{kind}"] = (output,), (groups[output],)

    groups["stem"] = width
    conv("conv1", "bn1", None, "stem")
    stage = "stem"
    for i, count in enumerate(blocks):
        for j in range(count):
            name, source = f"layer{i + 1}.{j}", stage
            if i > 0 and j == 0:
                stage = f"stage{i}"
                groups[stage] = width << i
                conv(f"{name}.downsample.0", f"{name}.downsample.1", source, stage, kernel=1)
            groups[name] = width << i
            conv(f"{name}.conv1", f"{name}.bn1", source, name)
            conv(f"{name}.conv2", f"{name}.bn2", name, stage)
    axes["fc.weight"], axes["fc.bias"] = (None, stage), (None,)
    shapes["fc.weight"], shapes["fc.bias"] = (10, groups[stage]), (10,)
    return axes, groups, shapes


def main() -> None:
    random = np.random.default_rng(7)
    tensors: Weights = {}
    metadata: dict[str, str] = {}
    widths = [20, 24, 24, 16, 10]
    problems = {"mlp": (*mlp(widths), {})}
    for layer, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        problems["mlp"][2].update({f"layers.{layer}.weight": (outputs, inputs), f"layers.{layer}.bias": (outputs,)})
    problems["resnet"] = resnet([2, 1, 1], 6)
    for name, (axes, groups, shapes) in problems.items():
        a = {key: random.standard_normal(shape).astype(np.float32) for key, shape in shapes.items()}
        # Two networks that have nothing in common, and one that is the other's, permuted, with noise.
        planted = {group: random.permutation(count) for group, count in groups.items()}
        noisy = {key: (w + 0.5 * random.standard_normal(w.shape)).astype(np.float32) for key, w in a.items()}
        others = {
            "strange": {key: random.standard_normal(shape).astype(np.float32) for key, shape in shapes.items()},
            "planted": {key: permuted(w, axes[key], planted) for key, w in noisy.items()},
        }
        tensors |= {f"{name}/a/{key}": w for key, w in a.items()}
        for kind, b in others.items():
            tensors |= {f"{name}/{kind}/{key}": w for key, w in b.items()}
            for seed in range(3):
                order, sweeps = weight_matching(a, b, axes, groups, seed)
                metadata[f"{name}/{kind}/{seed}"] = json.dumps(
                    {"objective": objective(a, b, axes, order), "sweeps": sweeps,
                     "permutations": [columns.tolist() for columns in order.values()]})
    for size in (1, 2, 7, 8, 9, 33, 40):
        factors = random.standard_normal((size, 3)), random.standard_normal((3, size))
        for kind, cost in {
            "normal": random.standard_normal((size, size)), "ties": random.integers(0, 4, (size, size)).astype(float),
            "rank3": factors[0] @ factors[1], "wide": np.exp(8 * random.standard_normal((size, size))),
        }.items():
            tensors[f"assignment/{kind}-{size}"] = cost
            totals = [float(cost[linear_sum_assignment(cost, maximize=largest)].sum()) for largest in (False, True)]
            metadata[f"assignment/{kind}-{size}"] = json.dumps(totals)
    metadata |= {"numpy": np.__version__, "scipy": scipy.__version__}
    path = pathlib.Path(__file__).with_name("alignment.safetensors")
    save_file({key: np.ascontiguousarray(w) for key, w in tensors.items()}, path, metadata=metadata)
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
