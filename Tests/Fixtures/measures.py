"""Curvature, CKA and disagreement of tiny networks, from dense Hessians and plain numpy in float64."""

import numpy as np
import scipy.linalg
import scipy.sparse.linalg
import scipy.stats
import torch
import torch.nn.functional as F
from torch.func import functional_call, hessian
from torchvision.models.resnet import BasicBlock

from oracle import MLP, ResNet, perturb, save


def dense(model: torch.nn.Module, point: dict, images: torch.Tensor, labels: torch.Tensor) -> dict:
    """The loss, its gradient and its Hessian with respect to all parameters, one after the other."""
    names = [name for name, _ in model.named_parameters()]
    shapes = [point[name].shape for name in names]
    sizes = [shape.numel() for shape in shapes]
    fixed = {name: value for name, value in point.items() if name not in names}

    def loss(vector: torch.Tensor) -> torch.Tensor:
        parts = {name: part.view(shape) for name, part, shape in zip(names, vector.split(sizes), shapes)}
        return F.cross_entropy(functional_call(model, parts | fixed, (images,)), labels)

    vector = torch.cat([point[name].flatten() for name in names])
    return {
        "vector": vector,
        "loss": loss(vector),
        "gradient": torch.func.grad(loss)(vector),
        "hessian": hessian(loss)(vector),
    }


def hsic(x: np.ndarray, y: np.ndarray) -> float:
    """HSIC₁ of Song et al. from Gram matrices."""
    n = len(x)
    k, l = x @ x.T, y @ y.T
    np.fill_diagonal(k, 0)
    np.fill_diagonal(l, 0)
    one = np.ones(n)
    value = (
        np.trace(k @ l) + (one @ k @ one) * (one @ l @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * (one @ k @ l @ one)
    )
    return value / (n * (n - 3))


def cka(x: np.ndarray, y: np.ndarray, size: int) -> float:
    parts = [(x[i : i + size], y[i : i + size]) for i in range(0, len(x), size)]
    cross, own, other = (
        sum(hsic(*pair) for pair in map(choose, parts))
        for choose in (lambda p: p, lambda p: (p[0], p[0]), lambda p: (p[1], p[1]))
    )
    return cross / np.sqrt(own * other)


def biased_average(x: np.ndarray, y: np.ndarray, size: int) -> float:
    """The trap: the usual centred CKA, averaged over batches."""
    values = []
    for i in range(0, len(x), size):
        a, b = x[i : i + size], y[i : i + size]
        a, b = a - a.mean(0), b - b.mean(0)
        norm = lambda m: np.linalg.norm(m)
        values.append(norm(a.T @ b) ** 2 / (norm(a.T @ a) * norm(b.T @ b)))
    return float(np.mean(values))


def measures() -> None:
    tensors: dict[str, torch.Tensor] = {}
    for prefix, seed, make, shape, distance in (
        ("mlp", 31, lambda: MLP([12, 8, 4]), (3, 2, 2), 0.7),
        ("resnet", 32, lambda: ResNet(BasicBlock, [1, 1], 2, 4), (3, 6, 6), 0.2),
    ):
        torch.manual_seed(seed)
        models = {name: make() for name in "abc"}
        images, labels = torch.randn(24, *shape), torch.randint(4, (24,))
        points = {}
        for name, model in models.items():
            perturb(model)
            # Not too far from one another, that the second order says something.
            state = model.state_dict()
            if name != "a":
                first = points["a"]
                state = {
                    k: first[k] + distance * (v - first[k]) if v.is_floating_point() else v for k, v in state.items()
                }
            points[name] = {k: v.clone() for k, v in state.items()}
            tensors |= {f"{prefix}/{name}/{k}": v.clone() for k, v in state.items()}
        tensors |= {f"{prefix}/input": images, f"{prefix}/labels": labels}
        model = models["a"].double().eval()
        wide = lambda p: {k: v.double() if v.is_floating_point() else v for k, v in p.items()}
        a, b = wide(points["a"]), wide(points["b"])
        middle = {k: (v + b[k]) / 2 if v.is_floating_point() else v for k, v in a.items()}
        found = {name: dense(model, p, images.double(), labels) for name, p in (("a", a), ("m", middle), ("b", b))}
        matrix = found["a"]["hessian"]
        assert torch.allclose(matrix, matrix.T, atol=1e-10)
        values = scipy.linalg.eigvalsh(matrix.numpy())
        ends = scipy.sparse.linalg.eigsh(matrix.numpy(), 6, which="LA", return_eigenvectors=False)
        assert np.allclose(np.sort(ends), values[-6:])
        v = torch.randn(len(matrix), dtype=torch.float64)
        d = found["b"]["vector"] - found["a"]["vector"]
        tensors |= {
            f"{prefix}/gradient": found["a"]["gradient"],
            f"{prefix}/loss": found["a"]["loss"],
            f"{prefix}/v": v.float(),
            f"{prefix}/product": matrix @ v.float().double(),
            f"{prefix}/eigenvalues": torch.tensor(values),
            f"{prefix}/trace": matrix.trace(),
            f"{prefix}/curvatures": torch.stack([d @ found[k]["hessian"] @ d / (d @ d) for k in "amb"]),
            f"{prefix}/losses": torch.stack([found[k]["loss"] for k in "amb"]),
            f"{prefix}/distance": d.norm(),
        }

        # Predictions of the three networks and of their mean probability.
        with torch.no_grad():
            logits = {k: functional_call(model, wide(points[k]), (images.double(),)) for k in "abc"}
        chances = {k: value.softmax(1).numpy() for k, value in logits.items()}
        chances["ensemble"] = np.mean([chances[k] for k in "abc"], 0)
        y = labels.numpy()
        wrong = {k: (p.argmax(1) != y).astype(float) for k, p in chances.items()}
        nats = {k: -np.log(p[np.arange(len(y)), y]) for k, p in chances.items()}
        tensors[f"{prefix}/accuracies"] = torch.tensor([1 - wrong[k].mean() for k in ("a", "b", "c", "ensemble")])
        tensors[f"{prefix}/cross"] = torch.tensor([nats[k].mean() for k in ("a", "b", "c", "ensemble")])
        pairs = [("a", "b"), ("a", "c"), ("b", "c")]
        tensors[f"{prefix}/agreements"] = torch.tensor(
            [(chances[i].argmax(1) == chances[j].argmax(1)).mean() for i, j in pairs]
        )
        tensors[f"{prefix}/correlations"] = torch.tensor([np.corrcoef(wrong[i], wrong[j])[0, 1] for i, j in pairs])
        rest = nats["ensemble"] - np.mean([nats[k] for k in "abc"], 0)
        tensors[f"{prefix}/lossDifference"] = torch.tensor(
            [rest.mean(), rest.std(ddof=1) / np.sqrt(len(rest)) * scipy.stats.norm.ppf(0.975)]
        )

        # CKA of what the classifier is given, in batches of 8.
        rows = {}
        for k in "ab":
            seen = []
            head = model.layers[-1] if prefix == "mlp" else model.fc
            hook = head.register_forward_hook(lambda _, given, __, seen=seen: seen.append(given[0].detach().numpy()))
            functional_call(model, wide(points[k]), (images.double(),))
            hook.remove()
            rows[k] = seen[0]
        tensors[f"{prefix}/cka"] = torch.tensor(cka(rows["a"], rows["b"], 8))

    # Related representations of other sizes: 160 examples of 6 and of 40 numbers.
    random = np.random.default_rng(5)
    base = random.standard_normal((160, 6))
    x = base + 0.3 * random.standard_normal((160, 6)) + 2
    y = base @ random.standard_normal((6, 40)) + 1.5 * random.standard_normal((160, 40)) - 1
    tensors |= {
        "cka/x": torch.tensor(x).float(),
        "cka/y": torch.tensor(y).float(),
        "cka/batches": torch.tensor(cka(x.astype("f4").astype("f8"), y.astype("f4").astype("f8"), 8)),
        "cka/whole": torch.tensor(cka(x, y, 160)),
        "cka/biased": torch.tensor(biased_average(x, y, 8)),
        "cka/hsic": torch.tensor(hsic(x[:8].astype("f4").astype("f8"), y[:8].astype("f4").astype("f8"))),
    }
    save("measures", tensors, batch=8, mode="eval")
