"""Networks: logits, loss, gradients, and the weights after five steps of SGD."""

import copy
import json

import torch
import torch.nn.functional as F
import torchvision
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from architectures import ARCHITECTURES, check_architectures
from oracle import MLP, ResNet, deviation, perturb, save

STEPS, LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 5, 0.05, 0.9, 5e-4
ATTEMPTS = 24  # seeds tried for a network
TOLERANCE = 1e-5  # relative, per tensor: what the tests ask of Valley, so float32 itself has to stay below it
# Networks without steps: a looser tolerance, and a smaller tensor than the floor is compared absolutely, since the gradient
# of a bias before BatchNorm is nothing but rounding.
LOOSE, FLOOR = 1e-4, 1e-2


def trace(model: nn.Module, images, labels, batches, nesterov: bool) -> dict[str, torch.Tensor]:
    """One evaluation, one train-mode forward and backward, then (from the initial weights) a step of SGD for each batch."""
    images, batches = (
        images.to(next(model.parameters()).dtype),
        [(x.to(next(model.parameters()).dtype), y) for x, y in batches],
    )
    result = {}
    with torch.no_grad():
        result["logits_eval"] = copy.deepcopy(model).eval()(images)
    once = copy.deepcopy(model).train()
    result["logits_train"] = once(images)
    result["loss"] = F.cross_entropy(result["logits_train"], labels)
    result["loss"].backward()
    for name, parameter in once.named_parameters():
        result[f"gradients/{name}"] = parameter.grad
    for name, buffer in once.named_buffers():
        if name in once.state_dict():  # the others are constants
            result[f"buffers/{name}"] = buffer
    if not batches:
        return {key: value.detach().clone() for key, value in result.items()}
    trained = copy.deepcopy(model).train()
    optimizer = torch.optim.SGD(
        trained.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY, nesterov=nesterov
    )
    losses = []
    for x, y in batches:
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(trained(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    suffix = "_nesterov" if nesterov else ""
    result[f"losses{suffix}"] = torch.stack(losses)
    for name, value in trained.state_dict().items():
        result[f"after{suffix}/{name}"] = value
    return {key: value.detach().clone() for key, value in result.items()}


def network(name: str, first_seed: int, make, shape: tuple[int, ...], batch: int, step_batch: int, **settings) -> None:
    """One network's fixture, with steps of SGD unless `step_batch` is 0. A pre-activation that happens to lie on ReLU's kink lets rounding decide a gradient: of a
    few seeds the one is taken with which float64 and another memory layout agree best with the stored float32 values,
    so that a disagreement of another implementation is that implementation's."""
    tolerance, floor = (TOLERANCE, 1e-12) if step_batch else (LOOSE, FLOOR)
    best = (tolerance,)
    for seed in range(first_seed, first_seed + 10 * ATTEMPTS, 10):
        torch.manual_seed(seed)
        model = make()
        perturb(model)
        images, labels = torch.randn(batch, *shape), torch.randint(10, (batch,))
        batches = [
            (torch.randn(step_batch, *shape), torch.randint(10, (step_batch,))) for _ in range(STEPS * (step_batch > 0))
        ]
        tensors = {f"weights/{key}": value.clone() for key, value in model.state_dict().items()} | {
            "input": images,
            "labels": labels,
        }
        for k, (x, y) in enumerate(batches):
            tensors |= {f"batch.{k}.input": x, f"batch.{k}.labels": y}
        result = trace(model, images, labels, batches, False) | trace(model, images, labels, batches, True)
        worst = {}
        twins = [
            ("float64", torch.float64, torch.contiguous_format, 1),
            ("channels_last", torch.float32, torch.channels_last, 1),
        ]
        if not step_batch:
            twins.append(("two_threads", torch.float32, torch.channels_last, 2))  # rounds otherwise again
        for other, dtype, layout, threads in twins:
            torch.set_num_threads(threads)
            moved = [(x.to(dtype, memory_format=layout), y) for x, y in batches]
            twin = copy.deepcopy(model).to(dtype, memory_format=layout)
            values = {}
            for nesterov in (False, True):
                values |= trace(twin, images.to(dtype, memory_format=layout), labels, moved, nesterov)
            worst[other] = max((deviation(values[key], result[key], floor), key) for key in values)
        torch.set_num_threads(1)
        if max(worst.values())[0] < best[0]:
            best = (max(worst.values())[0], seed, tensors | result, worst)
        if best[0] < tolerance / 3:
            break
    if len(best) == 1:
        raise SystemExit(f"{name}: no seed agrees with float64 and channels_last to {tolerance}")
    _, seed, tensors, worst = best
    if step_batch:
        sgd = {"learningRate": LEARNING_RATE, "momentum": MOMENTUM, "weightDecay": WEIGHT_DECAY, "steps": STEPS}
        settings["sgd"] = json.dumps(sgd)
    save(
        name,
        tensors,
        seed=seed,
        **settings,
        **{f"worst_deviation_of_{key}": "%.1e %s" % value for key, value in worst.items()},
    )
    print("    " + "; ".join(f"{key} {value[0]:.1e} at {value[1]}" for key, value in worst.items()) + f"; seed {seed}")


def networks() -> None:
    for name, block, blocks in (("resnet18", BasicBlock, [2, 2, 2, 2]), ("resnet50", Bottleneck, [3, 4, 6, 3])):
        theirs = torchvision.models.get_model(name).eval()
        ours = ResNet(block, blocks, 64, 1000, "imagenet").eval()
        ours.load_state_dict(theirs.state_dict())
        x = torch.randn(2, 3, 64, 64)
        assert list(ours.state_dict()) == list(theirs.state_dict()) and torch.equal(ours(x), theirs(x)), name

    network("mlp", 1, lambda: MLP([192, 32, 24, 10]), (3, 8, 8), 16, 16, sizes=[192, 32, 24, 10])
    network(
        "resnet18-cifar",
        2,
        lambda: ResNet(BasicBlock, [2, 2, 2, 2], 4),
        (3, 16, 16),
        16,
        8,
        blocks=[2, 2, 2, 2],
        width=4,
        stem="cifar",
        block="basic",
    )
    network(
        "resnet18-imagenet",
        3,
        lambda: ResNet(BasicBlock, [2, 2, 2, 2], 3, stem="imagenet"),
        (3, 20, 20),
        16,
        16,
        blocks=[2, 2, 2, 2],
        width=3,
        stem="imagenet",
        block="basic",
    )
    network(
        "resnet50",
        4,
        lambda: ResNet(Bottleneck, [1, 1, 1, 1], 4),
        (3, 16, 16),
        16,
        8,
        blocks=[1, 1, 1, 1],
        width=4,
        stem="cifar",
        block="bottleneck",
    )
    network(
        "resnet-111",
        5,
        lambda: ResNet(BasicBlock, [1, 1, 1], 8),
        (3, 16, 16),
        16,
        16,
        blocks=[1, 1, 1],
        width=8,
        stem="cifar",
        block="basic",
    )

    check_architectures()
    for number, (name, (make, shape)) in enumerate(ARCHITECTURES.items(), 6):
        network(name, number, make, shape, 8, 0)
