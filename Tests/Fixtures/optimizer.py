"""SGD with coupled and decoupled weight decay on a quadratic."""

import torch

from oracle import deviation, save


def quadratic() -> None:
    """Trajectories on f(w) = ½ wᵀ diag(h) w − cᵀ w. Coupled decay is torch.optim.SGD. Decoupled decay (Loshchilov and
    Hutter's SGDW, as torch.optim.AdamW scales it): w ← (1 − η λ) w − η u, u the momentum update without decay."""
    torch.manual_seed(9)
    h, c, start = torch.linspace(0.1, 2, 8).double(), torch.randn(8).double(), torch.randn(8).double()
    rates = [0.1] * 10 + [
        0.1 * (1 - t / 10) for t in range(10)
    ]  # a constant phase, then linear decay to just above zero
    tensors = {"curvature": h, "linear": c, "start": start, "learningRates": torch.tensor(rates, dtype=torch.float64)}
    decay = 0.05
    for momentum in (0.0, 0.9):
        for nesterov in (False, True) if momentum else (False,):
            label = f"momentum.{momentum}" + (".nesterov" if nesterov else "")
            w = start.clone().requires_grad_()
            optimizer = torch.optim.SGD([w], lr=rates[0], momentum=momentum, weight_decay=decay, nesterov=nesterov)
            rows = []
            for rate in rates:
                optimizer.param_groups[0]["lr"] = rate
                w.grad = h * w.detach() - c
                optimizer.step()
                rows.append(w.detach().clone())
            tensors[f"coupled/{label}"] = torch.stack(rows)

            w, buffer, rows = start.clone(), torch.zeros_like(start), []
            for rate in rates:
                gradient = h * w - c
                buffer = momentum * buffer + gradient
                w = (1 - rate * decay) * w - rate * (gradient + momentum * buffer if nesterov else buffer)
                rows.append(w.clone())
            tensors[f"decoupled/{label}"] = torch.stack(rows)
            assert deviation(tensors[f"decoupled/{label}"], tensors[f"coupled/{label}"]) > (1e-3 if momentum else -1)
    # Without momentum the two are one method when the decay is the same number.
    assert torch.allclose(tensors["coupled/momentum.0.0"], tensors["decoupled/momentum.0.0"])
    save("sgd", tensors, weightDecay=decay, steps=len(rates))
