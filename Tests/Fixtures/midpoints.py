"""What makes a midpoint of two networks work: REPAIR (arXiv 2211.08403) and straight-through matching (arXiv 2209.04836)."""

import copy
import json

import torch
import torch.nn.functional as F
from alignment import Axes, mlp, permuted, resnet, weight_matching
from architectures import VGG
from safetensors.torch import load_file
from torch import nn
from torchvision.models.resnet import BasicBlock

from oracle import FOLDER, MLP, ResNet, deviation, perturb, save

ALPHA = 0.25


def units(model: nn.Module) -> list[str]:
    """The layers that make units, in the order in which they are run: all but the classifier."""
    return [name for name, module in model.named_modules() if isinstance(module, (nn.Linear, nn.Conv2d))][:-1]


@torch.no_grad()
def activations(model: nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """[observations, units] before the activation function, by layer."""
    seen: dict[str, torch.Tensor] = {}
    hooks = [
        model.get_submodule(name).register_forward_hook(
            lambda _, __, y, name=name: seen.update({name: y.movedim(1, -1).flatten(0, -2).clone()})
        )
        for name in units(model)
    ]
    model(x)
    for hook in hooks:
        hook.remove()
    return seen


def goals(a: nn.Module, b: nn.Module, x: torch.Tensor) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    seen = zip(activations(a, x).items(), activations(b, x).values())
    return {
        name: tuple((1 - ALPHA) * of(ours) + ALPHA * of(theirs) for of in (lambda y: y.mean(0), lambda y: y.std(0, correction=0)))
        for (name, ours), theirs in seen
    }


def mixed(a: nn.Module, b: nn.Module) -> nn.Module:
    model = copy.deepcopy(a)
    model.load_state_dict({key: torch.lerp(value, b.state_dict()[key], ALPHA) for key, value in a.state_dict().items()})
    return model


@torch.no_grad()
def rescale(layer: nn.Module, scale: torch.Tensor, shift: torch.Tensor) -> None:
    layer.weight *= scale.view(-1, *[1] * (layer.weight.dim() - 1))
    layer.bias.mul_(scale).add_(shift)


def repaired(a: nn.Module, b: nn.Module, x: torch.Tensor) -> nn.Module:
    """Layer by layer: what each gives behind the ones before it, repaired, is measured and rescaled."""
    model, wanted = mixed(a, b), goals(a, b, x)
    for name, (mean, std) in wanted.items():
        y = activations(model, x)[name]
        scale = std / y.std(0, correction=0)
        rescale(model.get_submodule(name), scale, mean - scale * y.mean(0))
    return model


def wrapped(a: nn.Module, b: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Logits of the authors' way: BatchNorm behind every layer, its weight and bias set to what is wanted."""
    model = mixed(a, b)
    for name, (mean, std) in goals(a, b, x).items():
        layer = model.get_submodule(name)
        norm = (nn.BatchNorm2d if isinstance(layer, nn.Conv2d) else nn.BatchNorm1d)(len(mean), eps=1e-30).to(x)
        norm.load_state_dict({**norm.state_dict(), "weight": std, "bias": mean})
        model.set_submodule(name, nn.Sequential(layer, norm))
    return model.train()(x)


def closed(a: nn.Module, b: nn.Module, x: torch.Tensor) -> nn.Module:
    """As if every layer read the mix of what it reads in both: nothing is measured at the merged weights."""
    model = mixed(a, b)
    seen = zip(goals(a, b, x).items(), activations(a, x).values(), activations(b, x).values())
    for (name, (mean, std)), ours, theirs in seen:
        y = (1 - ALPHA) * ours + ALPHA * theirs
        scale = std / y.std(0, correction=0)
        rescale(model.get_submodule(name), scale, mean - scale * y.mean(0))
    return model


def straight_through(
    a: nn.Module, b: nn.Module, axes: Axes, groups: dict[str, int], batches: list[tuple[torch.Tensor, torch.Tensor]],
    rate: float, compared: int,
) -> dict[str, object]:
    """Algorithm 3 of Git Re-Basin; of the permutations on the way those with the lowest loss of the midpoint are kept."""
    first = {key: value.detach().clone() for key, value in a.state_dict().items()}
    second = {key: value.numpy() for key, value in b.state_dict().items()}
    free = {key: nn.Parameter(value.detach().clone()) for key, value in a.named_parameters()}
    optimizer = torch.optim.SGD(free.values(), lr=rate, momentum=0.9)

    def matched(reference: dict[str, torch.Tensor], order=None):
        trained = {key: value.detach().numpy() for key, value in reference.items()}
        return weight_matching(trained, second, axes, groups, 0, order)[0]

    def midpoint(order) -> nn.Module:
        model = copy.deepcopy(a).train()
        moved = {key: torch.tensor(permuted(value, axes.get(key, ()), order)) for key, value in second.items()}
        model.load_state_dict({key: (value + moved[key]) / 2 for key, value in first.items()})
        return model

    @torch.no_grad()
    def loss(order) -> float:
        model = midpoint(order)
        return sum(float(F.cross_entropy(model(x), y)) for x, y in batches[:compared]) / compared

    order = matched({key: first[key] for key in axes})
    best = former = loss(order)
    result, when, lowest = order, 0, []
    for step, (x, y) in enumerate(batches):
        model = midpoint(order)
        optimizer.zero_grad()
        # Straight through: θ's gradient is that of the midpoint, half of which is πB, as if πB were θ.
        F.cross_entropy(model(x), y).backward()
        for key, parameter in model.named_parameters():
            free[key].grad = parameter.grad / 2
        optimizer.step()
        order = matched(free, order)
        if (found := loss(order)) < best - 1e-6:
            best, result, when = found, order, step + 1
        lowest.append(best)
    return {
        "former": former, "losses": lowest, "step": when,
        "permutations": [columns.tolist() for columns in result.values()],
    }


def midpoints() -> None:
    tensors: dict[str, torch.Tensor] = {}
    metadata: dict[str, object] = {"alpha": ALPHA}
    torch.manual_seed(31)

    # Pictures take more room than networks: they are those of another fixture.
    pictures = load_file(FOLDER / "vgg11.safetensors")["input"]
    tensors["mlp/input"] = torch.randn(32, 12)
    for name, make, inputs in (
        ("mlp", lambda: MLP([12, 8, 6, 4]), tensors["mlp/input"]),
        ("vgg", lambda: VGG("vgg11", False, 1, classes=4), pictures),
    ):
        a, b = make(), make()
        for side, model in (("a", a), ("b", b)):
            perturb(model)
            tensors |= {f"{name}/{side}/{key}": value.clone() for key, value in model.state_dict().items()}
        a, b, inputs = a.double(), b.double(), inputs.double()
        measured = repaired(a, b, inputs)
        with torch.no_grad():
            difference = deviation(measured(inputs), wrapped(a, b, inputs))
        assert difference < 1e-9, f"{name}: layer by layer and by BatchNorm differ by {difference}"
        for form, model in (("measured", measured), ("closed", closed(a, b, inputs))):
            tensors |= {f"{name}/{form}/{key}": value.float() for key, value in model.state_dict().items()}

    steps, size = 6, 8
    for name, make, (axes, groups), shape in (
        ("through-mlp", lambda: MLP([12, 8, 6, 4]), mlp([12, 8, 6, 4]), (12,)),
        ("through-resnet", lambda: ResNet(BasicBlock, [1, 1], 4, 4), resnet([1, 1], 4)[:2], (3, 4, 4)),
    ):
        # A seed with which the best permutations are found late, after others that were the best so far.
        for seed in range(1000):
            torch.manual_seed(seed)
            a, b = make(), make()
            for model in (a, b):
                perturb(model)
            inputs, labels = torch.randn(steps * size, *shape), torch.randint(4, (steps * size,))
            batches = list(zip(inputs.split(size), labels.split(size)))
            found = straight_through(a, b, axes, groups, batches, rate=0.5, compared=2)
            if found["step"] >= 4 and len({found["former"], *found["losses"]}) >= 4:
                break
        else:
            raise AssertionError(f"{name}: no seed will do")
        tensors |= {f"{name}/inputs": inputs, f"{name}/labels": labels}
        for side, model in (("a", a), ("b", b)):
            tensors |= {f"{name}/{side}/{key}": value.clone() for key, value in model.state_dict().items()}
        metadata[name] = json.dumps({"rate": 0.5, "compared": 2, "batch": size, "seed": seed} | found)
    save("midpoints", {key: value.detach() for key, value in tensors.items()}, **metadata)
