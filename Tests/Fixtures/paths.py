"""What lies between weights: loss and accuracy along lines and on a plane."""

import copy

import torch
import torch.nn.functional as F
from torchvision.models.resnet import BasicBlock

from oracle import MLP, ResNet, save

COUNT, POINTS, SIDE = 64, 9, 5


def trained(model, images, labels, seed: int, steps: int = 40):
    """The model after some steps of SGD on batches of its own order, so that its statistics and gains are its own, too."""
    model = copy.deepcopy(model).train()
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for _ in range(steps):
        batch = torch.randperm(COUNT, generator=generator)[:16]
        optimizer.zero_grad()
        F.cross_entropy(model(images[batch]), labels[batch]).backward()
        optimizer.step()
    return model.eval()


def score(model, images, labels) -> tuple[float, float]:
    with torch.no_grad():
        logits = model(images)
    return float(F.cross_entropy(logits, labels)), float((logits.argmax(1) == labels).float().mean())


def reset(model, batches) -> None:
    """BatchNorm statistics as the plain average over training-mode passes: `momentum=None`."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None
    model.train()
    with torch.no_grad():
        for images in batches:
            model(images)
    model.eval()


def paths() -> None:
    tensors: dict[str, torch.Tensor] = {}
    for prefix, seed, make, shape in (
        ("mlp", 11, lambda: MLP([48, 8, 5]), (3, 4, 4)),
        ("resnet", 12, lambda: ResNet(BasicBlock, [1, 1, 1], 4, 5), (3, 8, 8)),
    ):
        torch.manual_seed(seed)
        images, labels = torch.randn(COUNT, *shape), torch.randint(5, (COUNT,))
        images += torch.randn(5, *shape)[labels]
        models = [trained(make(), images, labels, seed + index) for index in range(3)]
        states = [model.state_dict() for model in models]
        tensors |= {f"{prefix}/input": images, f"{prefix}/labels": labels}
        for name, state in zip("abc", states):
            tensors |= {f"{prefix}/{name}/{key}": value.clone() for key, value in state.items()}

        def at(combine):
            model = copy.deepcopy(models[0])
            model.load_state_dict(
                {
                    key: combine(*(state[key].double() for state in states)).to(value.dtype)
                    if value.is_floating_point()
                    else value
                    for key, value in states[0].items()
                }
            )
            return model

        lambdas = torch.linspace(0, 1, POINTS, dtype=torch.float64)
        rows, anew = [], []
        for t in lambdas.tolist():
            model = at(lambda a, b, c, t=t: (1 - t) * a + t * b)
            rows.append(score(model, images, labels))
            reset(model, images.split(16))
            anew.append(score(model, images, labels))
        tensors[f"{prefix}/line"] = torch.tensor(rows, dtype=torch.float64)
        if prefix == "resnet":
            tensors[f"{prefix}/line.reestimated"] = torch.tensor(anew, dtype=torch.float64)
            continue

        # Garipov et al.: unit vectors u and v, coordinates in units of their lengths.
        def flat(state):
            return torch.cat([value.double().flatten() for value in state.values()])

        a, b, c = map(flat, states)
        u, v = b - a, c - a
        width = u.norm()
        u = u / width
        v = v - (u @ v) * u
        height = v.norm()
        v = v / height
        grid = torch.linspace(-0.2, 1.2, SIDE, dtype=torch.float64)
        values = []
        for beta in grid:
            for alpha in grid:
                point = a + alpha * width * u + beta * height * v
                model = copy.deepcopy(models[0])
                torch.nn.utils.vector_to_parameters(point.float(), model.parameters())
                values.append(score(model, images, labels))
        tensors[f"{prefix}/plane"] = torch.tensor(values, dtype=torch.float64).view(SIDE, SIDE, 2)
        tensors[f"{prefix}/plane.lengths"] = torch.stack([width, height, (c - a) @ u / width])
    save("paths", tensors, points=POINTS, side=SIDE, grid="-0.2 to 1.2", widths="mlp 48-8-5; resnet 1,1,1 of width 4")
