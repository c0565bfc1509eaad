"""Gradient noise: the trace of the per-sample gradient covariance."""

import torch
import torch.nn.functional as F
from torchvision.models.resnet import BasicBlock

from oracle import MLP, ResNet, perturb, save


def noise() -> None:
    """The trace of the gradient covariance from K microbatches of b samples, by a loop over samples in float64."""
    tensors: dict[str, torch.Tensor] = {}
    count, size = 8, 16
    for prefix, seed, make, shape in (
        ("mlp", 7, lambda: MLP([48, 8, 5]), (3, 4, 4)),
        ("resnet", 8, lambda: ResNet(BasicBlock, [1, 1, 1], 4, 5), (3, 8, 8)),
    ):
        torch.manual_seed(seed)
        model = make()
        perturb(model)
        tensors |= {f"{prefix}/weights/{key}": value.clone() for key, value in model.state_dict().items()}
        images, labels = torch.randn(count * size, *shape), torch.randint(5, (count * size,))
        # Some agreement between the samples, so that |G|² is well above its error.
        images += 2 * torch.randn(5, *shape)[labels]
        model = model.double().eval()
        rows = []
        for x, y in zip(images.double(), labels):
            found = torch.autograd.grad(F.cross_entropy(model(x[None]), y[None]), list(model.parameters()))
            rows.append(torch.cat([g.flatten() for g in found]))
        samples = torch.stack(rows)

        def estimate(k: int, b: int) -> dict[str, torch.Tensor]:
            batches = samples.view(k, b, -1).mean(1)
            mean = batches.mean(0)
            trace = b / (k - 1) * ((batches - mean) ** 2).sum()
            total = k * b
            square = (total * (mean @ mean) - b * (batches**2).sum(1).mean()) / (total - b)
            big, small = mean @ mean, (batches**2).sum(1).mean()
            # McCandlish's two-batch estimator with B_big = K b is the same number.
            assert torch.allclose((small - big) / (1 / b - 1 / total), trace)
            return {
                "traceCovariance": trace,
                "gradientNormSquared": square,
                "simpleNoiseScale": trace / square,
                "meanGradientNormSquared": big,
                "microbatchNormsSquared": (batches**2).sum(1),
            }

        tensors |= {f"{prefix}/input": images.view(count, size, *shape), f"{prefix}/labels": labels.view(count, size)}
        tensors |= {f"{prefix}/{key}": value for key, value in estimate(count, size).items()}
        tensors |= {
            f"{prefix}/sample.{key}": value
            for key, value in estimate(count * size, 1).items()
            if "microbatch" not in key
        }
        assert tensors[f"{prefix}/sample.gradientNormSquared"] > 0.1
        tensors[f"{prefix}/meanGradient"] = samples.mean(0)
        centred = samples - samples.mean(0)
        covariance = (centred**2).sum() / (len(samples) - 1)
        assert torch.allclose(covariance, tensors[f"{prefix}/sample.traceCovariance"])
    save("noise", tensors, microbatches=count, microbatchSize=size, mode="eval")
