"""What FusionBench 0.2.33 merges: fusion.safetensors. Written with the versions its header names.

    python3 -m venv .venv && .venv/bin/pip install torch==2.11.0 fusion-bench==0.2.33 && .venv/bin/python Tests/Fixtures/fusion.py

Its functions work on float64 here, so that the decompositions' rounding does not count. Where a class wants a pool of models and a
trainer around it, its formula stands here plainly (DOGE's loop, AdaMerging's loop, RegMean++'s order of layers).
"""

import importlib.metadata
import json
import pathlib

import torch
from fusion_bench.method.adamerging.entropy_loss import entropy_loss
from fusion_bench.method.doge_ta.doge_ta import DOGE_TA_Algorithm
from fusion_bench.method.fisher_merging.fisher_merging import merging_with_fisher_weights
from fusion_bench.method.isotropic_merging.iso_utils import iso_c, iso_cts
from fusion_bench.method.magmax.magmax import _magmax_select
from fusion_bench.method.regmean.regmean import merging_with_regmean_weights, reduce_non_diagonal_elements
from fusion_bench.method.task_singular_vector.utils.TSVM_utils import compute_and_sum_svd_mem_reduction
from fusion_bench.method.ties_merging.ties_merging_utils import ties_merging
from fusion_bench.method.wudi.wudi import wudi_merging
from safetensors.torch import save_file
from torch.func import functional_call

State = dict[str, torch.Tensor]
SHAPES = {"bias": (7,), "weight": (5, 9), "tall": (14, 7), "conv": (4, 3, 3, 3), "one": (1,)}
# name: (method, parameters)
CASES: dict[str, tuple[str, dict[str, object]]] = {
    "tsv_m": ("tsv_m", {}),
    "tsv_m-scaled": ("tsv_m", {"lambda": 0.7, "convolutions": False}),
    "iso_c": ("iso_c", {}),
    "iso_c-scaled": ("iso_c", {"lambda": 0.4, "convolutions": False}),
    "iso_cts": ("iso_cts", {}),
    "iso_cts-half": ("iso_cts", {"common_space_fraction": 0.5, "lambda": 0.7}),
    "wudi": ("wudi", {"steps": 60}),
    "wudi-long": ("wudi", {"steps": 300, "convolutions": False}),
    "doge": ("doge", {"steps": 60}),
    "doge-wide": ("doge", {"steps": 20, "scale": 0.3, "density": 0.6, "subspace": 3}),
    "magmax": ("magmax", {"lambda": 0.5}),
    "expo": ("expo", {"alpha": 0.3}),
    "ties-model": ("ties", {"density": 0.2, "lambda": 0.3, "normalize": False, "scope": 1}),
    "ties-model-mean": ("ties", {"density": 0.55, "scope": 1}),
}


def as_matrices(deltas: list[State], convolutions: bool) -> list[State]:
    if not convolutions:
        return deltas
    return [{name: value.flatten(1) if value.dim() > 2 else value for name, value in delta.items()} for delta in deltas]


def ties(deltas: list[State], density: float, merge: str) -> State:
    """Over the flattened model. FusionBench keeps one element more than the part says; ours keeps ⌊part · n⌋."""
    flat = torch.stack([torch.cat([delta[name].flatten() for name in SHAPES]) for delta in deltas])
    count = flat.shape[1]
    merged = ties_merging(flat, reset_thresh=(int(density * count) - 0.5) / count, merge_func=merge)
    parts = merged.split([deltas[0][name].numel() for name in SHAPES])
    return {name: part.reshape(SHAPES[name]) for name, part in zip(SHAPES, parts)}


def doge(deltas: list[State], steps: int, scale: float, density: float, subspace: int) -> State:
    names = [name for name, value in deltas[0].items() if value.dim() == 2]
    algorithm = object.__new__(DOGE_TA_Algorithm)
    factors, changes = {}, {}
    for name in names:
        vectors = torch.stack([delta[name] for delta in deltas])
        factors[name] = torch.stack([scale / vector.norm() for vector in vectors])
        rank = min(vectors.shape[1:])
        leading = torch.cat([torch.linalg.svd(v, full_matrices=False)[0][:, : rank // len(deltas)] for v in vectors], 1)
        basis = torch.linalg.svd(leading, full_matrices=False)[0][:, : rank // subspace]
        change = torch.nn.Parameter(torch.zeros_like(vectors[0]))
        optimizer = torch.optim.Adam([change], lr=1e-4)
        for _ in range(steps):
            optimizer.zero_grad()
            algorithm.taskvector_loss(vectors, change, factors[name]).backward()
            change.grad -= basis @ basis.T @ change.grad
            optimizer.step()
        changes[name] = change.detach()
    merged = {name: torch.zeros_like(value) for name, value in deltas[0].items()}
    for index, delta in enumerate(deltas):
        flat = torch.cat([delta[name].flatten() for name in names])
        mask = algorithm.topk_values_mask(flat, K=(int(density * len(flat)) - 0.5) / len(flat))
        least = flat[mask].abs().min()
        for name in names:
            kept = (delta[name] + changes[name]) * (delta[name].abs() >= least)
            merged[name] += factors[name][index] * kept
    return merged


def merge(method: str, parameters: dict[str, object], models: list[State], base: State) -> State:
    deltas = [{name: model[name] - base[name] for name in base} for model in models]
    matrices = as_matrices(deltas, bool(parameters.get("convolutions", True)))
    scale = float(parameters.get("lambda", 1))
    if method == "tsv_m":
        merged = compute_and_sum_svd_mem_reduction(matrices, accelerator="cpu")
    elif method == "iso_c":
        merged = iso_c(matrices, accelerator="cpu")
    elif method == "iso_cts":
        merged = iso_cts(matrices, float(parameters.get("common_space_fraction", 0.8)), accelerator="cpu")
    elif method == "wudi":
        merged = wudi_merging(matrices, accelerator="cpu", iter_num=int(parameters["steps"]))
    elif method == "doge":
        merged = doge(
            matrices, int(parameters["steps"]), float(parameters.get("scale", 0.07)),
            float(parameters.get("density", 0.3)), int(parameters.get("subspace", 6)),
        )
    elif method == "magmax":
        merged = _magmax_select(deltas)
    elif method == "expo":
        mean = {name: torch.stack([delta[name] for delta in deltas]).mean(0) for name in base}
        merged = {name: value * (1 + float(parameters["alpha"])) for name, value in mean.items()}
    else:
        merged = ties(deltas, float(parameters["density"]), "sum" if "normalize" in parameters else "mean")
    return {name: base[name] + scale * merged[name].detach().reshape(base[name].shape) for name in base}


# MARK: With data

SIZES = (6, 9, 5, 4)
EXAMPLES = 12


def mlp() -> torch.nn.Sequential:
    layers: list[torch.nn.Module] = []
    for inputs, outputs in zip(SIZES, SIZES[1:]):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1]).double()


def named(state: State) -> State:
    """Valley's names: layers.0, layers.1, layers.2."""
    return {f"layers.{int(name.split('.')[0]) // 2}.{name.split('.')[1]}": value for name, value in state.items()}


def fisher(network: torch.nn.Module, state: State, inputs: torch.Tensor, labels: torch.Tensor | None) -> State:
    """E over examples of (∂ log p(y))² by parameter: over all y by their probability, or for the labels."""
    leaves = {name: value.clone().requires_grad_() for name, value in state.items()}
    total = {name: torch.zeros_like(value) for name, value in state.items()}
    for place, example in enumerate(inputs):
        scores = functional_call(network, leaves, example[None]).log_softmax(-1)[0]
        chosen = range(len(scores)) if labels is None else [int(labels[place])]
        for label in chosen:
            weight = scores[label].exp().detach() if labels is None else 1.0
            gradients = torch.autograd.grad(scores[label], list(leaves.values()), retain_graph=True)
            for name, gradient in zip(leaves, gradients):
                total[name] += weight * gradient**2 / len(inputs)
    return total


def grams(network: torch.nn.Sequential, state: State, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = {}
    x = inputs
    for index, layer in enumerate(network):
        if isinstance(layer, torch.nn.Linear):
            found[str(index)] = x.T @ x / len(x)
            x = torch.nn.functional.linear(x, state[f"{index}.weight"], state[f"{index}.bias"])
        else:
            x = layer(x)
    return found


def lists(states: list[State]) -> dict[str, list[torch.Tensor]]:
    return {name: [state[name] for state in states] for name in states[0]}


def regmean_plus(network: torch.nn.Sequential, states: list[State], data: list[torch.Tensor], ratio: float) -> State:
    """Each layer's Grams are of what the merged layers before it give."""
    merged = {name: torch.stack(values).mean(0) for name, values in lists(states).items()}
    for index, layer in enumerate(network):
        if isinstance(layer, torch.nn.Linear):
            name = f"{index}.weight"
            found = [{str(index): grams(network, merged, inputs)[str(index)]} for inputs in data]
            part = merging_with_regmean_weights({name: [state[name] for state in states]}, found, ratio)
            merged[name] = part[name]
    return merged


def adamerging(
    network: torch.nn.Module, base: State, states: list[State], data: list[torch.Tensor], layerwise: bool
) -> tuple[State, torch.Tensor]:
    """Five of Adam's steps at 0.05 from 0.3, each on every example of every task."""
    names = list(base)
    factors = torch.full((len(states), len(names) if layerwise else 1), 0.3, dtype=torch.float64, requires_grad=True)

    def point() -> State:
        return {
            name: base[name]
            + sum(factors[i, k if layerwise else 0] * (state[name] - base[name]) for i, state in enumerate(states))
            for k, name in enumerate(names)
        }

    optimizer = torch.optim.Adam([factors], lr=0.05)
    for _ in range(5):
        optimizer.zero_grad()
        for inputs in data:
            entropy_loss(functional_call(network, point(), inputs)).backward()
        optimizer.step()
    return {name: value.detach() for name, value in point().items()}, factors.detach()


def with_data(generator: torch.Generator) -> dict[str, torch.Tensor]:
    network = mlp()
    draw = lambda shape: torch.randn(shape, generator=generator, dtype=torch.float64).float().double()  # noqa: E731
    base = {name: draw(value.shape) * 0.5 for name, value in network.state_dict().items()}
    states = [{name: value + 0.3 * draw(value.shape) for name, value in base.items()} for _ in range(3)]
    data = [draw((EXAMPLES, SIZES[0])) for _ in range(3)]
    labels = [torch.randint(0, SIZES[-1], (EXAMPLES,), generator=generator) for _ in range(3)]
    out: dict[str, torch.Tensor] = {}

    def keep(prefix: str, state: State) -> None:
        out.update({f"{prefix}/{name}": value for name, value in named(state).items()})

    keep("data/base", base)
    for index in range(3):
        keep(f"data/model.{index}", states[index])
        out[f"data/inputs.{index}"], out[f"data/labels.{index}"] = data[index], labels[index]
    expected = [fisher(network, state, inputs, None) for state, inputs in zip(states, data)]
    keep("data/fisher.0", expected[0])
    keep("data/fisher-labels.0", fisher(network, states[0], data[0], labels[0]))
    parts = torch.tensor([0.5, 0.25, 0.75], dtype=torch.float64)
    keep("data/fisher", merging_with_fisher_weights(lists(states), expected, torch.ones(3).double() / 3, True, 1e-6))
    keep("data/fisher-weighted", merging_with_fisher_weights(lists(states), expected, parts, False, 1e-6))
    factors = [0.3, 0.5, 0.8]
    scaled = [{name: base[name] + f * (s[name] - base[name]) for name in base} for f, s in zip(factors, states)]
    at_scaled = [fisher(network, state, inputs, None) for state, inputs in zip(scaled, data)]
    keep("data/df_merge", merging_with_fisher_weights(lists(scaled), at_scaled, torch.ones(3).double() / 3, True, 1e-6))
    found = [grams(network, state, inputs) for state, inputs in zip(states, data)]
    for name, gram in found[1].items():
        out[f"data/gram.1/layers.{int(name) // 2}"] = reduce_non_diagonal_elements(gram, 1.0).double()
    keep("data/regmean", merging_with_regmean_weights(lists(states), found, 0.1))
    keep("data/regmean-full", merging_with_regmean_weights(lists(states), found, 0.95))
    keep("data/regmean_plus", regmean_plus(network, states, data, 0.1))
    for kind in ("layer", "task"):
        state, lambdas = adamerging(network, base, states, data, kind == "layer")
        keep(f"data/adamerging-{kind}", state)
        out[f"data/adamerging-{kind}-factors"] = lambdas
    return out


def main() -> None:
    generator = torch.Generator().manual_seed(11)
    draw = lambda shape: torch.randn(shape, generator=generator)  # noqa: E731
    base = {name: draw(shape) for name, shape in SHAPES.items()}
    models = [{name: value + 0.3 * draw(value.shape) for name, value in base.items()} for _ in range(3)]
    tensors = {f"base/{name}": value for name, value in base.items()}
    for index, model in enumerate(models):
        tensors |= {f"model.{index}/{name}": value for name, value in model.items()}
    for dtype in (torch.float32, torch.bfloat16):
        inputs = [{name: value.to(dtype).double() for name, value in state.items()} for state in [*models, base]]
        for case, (method, parameters) in CASES.items():
            for name, value in merge(method, parameters, inputs[:3], inputs[3]).items():
                assert value.isfinite().all(), (case, name)
                tensors[f"{'f32' if dtype == torch.float32 else 'bf16'}/{case}/{name}"] = value.float()
    tensors |= {name: value.float() if value.is_floating_point() else value for name, value in with_data(generator).items()}
    metadata = {
        "generator": "Tests/Fixtures/fusion.py",
        "fusion-bench": importlib.metadata.version("fusion-bench"),
        "torch": torch.__version__,
        "cases": json.dumps({case: {"method": m, "parameters": p} for case, (m, p) in CASES.items()}),
        "sizes": json.dumps(SIZES),
    }
    path = pathlib.Path(__file__).with_name("fusion.safetensors")
    save_file({key: value.detach().contiguous() for key, value in tensors.items()}, path, metadata)
    print(f"{path.name}: {len(tensors)} tensors, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
