"""Operators: inputs, results and derivatives; a Hessian-vector product."""

import copy
import json

import numpy
import scipy.special
import scipy.stats
import torch
import torch.nn.functional as F

from oracle import MLP, deviation, save


def operators() -> None:
    torch.manual_seed(6)
    tensors: dict[str, torch.Tensor] = {}
    arguments: dict[str, str] = {}

    def case(name: str, call, note: str = "", results=("expected",), gradients=(), **inputs):
        """One row: stores the inputs and what `call(**inputs)` gives. For each name in `gradients`, also the gradient
        of sum(output · cotangent) with respect to that input."""
        for key in gradients:
            inputs[key] = inputs[key].clone().requires_grad_()
        output = call(**inputs)
        outputs = output if isinstance(output, (tuple, list)) else (output,)
        assert len(outputs) == len(results), name
        for key, value in {**inputs, **dict(zip(results, outputs))}.items():
            tensors[f"{name}/{key}"] = value.detach().clone()
        if gradients:
            cotangent = torch.randn_like(outputs[0])
            tensors[f"{name}/cotangent"] = cotangent
            found = torch.autograd.grad(outputs[0], [inputs[key] for key in gradients], cotangent)
            for key, value in zip(gradients, found):
                tensors[f"{name}/gradient.{key}"] = value.clone()
        arguments[name] = note

    randn = torch.randn
    x = randn(4, 6)
    images = randn(2, 4, 7, 7)
    spd = randn(5, 5, dtype=torch.float64)
    spd = (spd @ spd.T + 0.5 * torch.eye(5, dtype=torch.float64)).float()

    # Arithmetic, reductions
    case("add_broadcast", lambda a, b: a + b, "a + b", a=randn(3, 1, 5), b=randn(4, 1))
    case("div", lambda a, b: a / b, "a / b", ("expected",), ("a", "b"), a=randn(3, 4), b=randn(4).abs() + 0.5)
    case("sum", lambda input: input.sum((0, 2)), "dims [0, 2]", input=randn(3, 4, 5))
    case("mean", lambda input: input.mean(1, keepdim=True), "dims [1], keepdim", input=randn(3, 4, 5))
    case("var", lambda input: input.var(1), "dim 1, correction 1", input=x)
    case("var_biased", lambda input: input.var(1, correction=0), "dim 1, correction 0", input=x)
    case("norm", lambda input: torch.linalg.vector_norm(input), "2-norm of all elements", input=x)
    case("logsumexp", lambda input: input.logsumexp(1), "dims [1]", input=x * 20)
    case("cumsum", lambda input: input.cumsum(1), "dim 1", input=x)
    case("sort", lambda input: input.sort(1, descending=True), "dim 1, descending", ("expected", "indices"), input=x)
    case("topk", lambda input: input.topk(3, 1), "k 3, dim 1, largest, sorted", ("expected", "indices"), input=x)
    case("argmax", lambda input: input.argmax(1), "dim 1", input=x)
    case("amax", lambda input: input.amax(0), "dims [0]", input=x)
    case(
        "index_select",
        lambda input, index: input.index_select(1, index),
        "dim 1",
        input=x,
        index=torch.tensor([5, 0, 0, 3]),
    )
    case("gather", lambda input, index: input.gather(1, index), "dim 1", input=x, index=torch.randint(6, (4, 3)))
    case("where", lambda condition, a, b: torch.where(condition, a, b), "", condition=x > 0, a=x, b=-2 * x)
    case("flip", lambda input: input.flip([3]), "dims [3]", input=images)
    case("pad", lambda input: F.pad(input, (2, 2, 1, 1)), "zeros: width 2 and 2, height 1 and 1", input=images)
    case("tril", lambda input: input.tril(-1), "diagonal -1", input=spd)

    # Activations
    for name, call in {
        "relu": F.relu,
        "gelu": F.gelu,
        "gelu_tanh": lambda v: F.gelu(v, approximate="tanh"),
        "silu": F.silu,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "erf": torch.erf,
    }.items():
        case(name, lambda input, call=call: call(input), "", ("expected",), ("input",), input=3 * x)
    case("softmax", lambda input: input.softmax(1), "dim 1", ("expected",), ("input",), input=3 * x)
    case("log_softmax", lambda input: input.log_softmax(1), "dim 1", ("expected",), ("input",), input=3 * x)

    # Linear algebra
    case("matmul", torch.matmul, "", ("expected",), ("input", "other"), input=randn(4, 6), other=randn(6, 3))
    case(
        "matmul_batched",
        torch.matmul,
        "batch dimensions broadcast",
        ("expected",),
        ("input", "other"),
        input=randn(2, 1, 4, 6),
        other=randn(3, 6, 5),
    )
    case(
        "linear",
        F.linear,
        "",
        ("expected",),
        ("input", "weight", "bias"),
        input=randn(7, 6),
        weight=randn(5, 6),
        bias=randn(5),
    )
    case("einsum", lambda a, b: torch.einsum("bij,bkj->bik", a, b), "bij,bkj->bik", a=randn(2, 3, 4), b=randn(2, 5, 4))
    case("svd", lambda input: torch.linalg.svdvals(input), "singular values, descending", input=randn(6, 4))
    case("cholesky", lambda input: torch.linalg.cholesky(input), "lower factor", input=spd)
    case("qr", lambda input: torch.linalg.qr(input).R.diagonal().abs(), "|diagonal of R|, reduced", input=randn(6, 4))
    case("eigh", lambda input: torch.linalg.eigvalsh(input), "eigenvalues, ascending", input=spd)
    case(
        "solve",
        lambda input, other: torch.linalg.solve(input, other),
        "input · expected = other",
        input=spd,
        other=randn(5, 2),
    )
    case("slogdet", lambda input: torch.linalg.slogdet(input)[1], "log |determinant|", input=spd)

    # Convolution, pooling
    case(
        "conv2d",
        lambda input, weight, bias: F.conv2d(input, weight, bias, stride=2, padding=1),
        "stride 2, padding 1",
        ("expected",),
        ("input", "weight", "bias"),
        input=images,
        weight=randn(5, 4, 3, 3),
        bias=randn(5),
    )
    case(
        "conv2d_grouped",
        lambda input, weight: F.conv2d(input, weight, padding=2, dilation=2, groups=2),
        "no bias, stride 1, padding 2, dilation 2, groups 2",
        ("expected",),
        ("input", "weight"),
        input=images,
        weight=randn(6, 2, 3, 3),
    )
    case(
        "max_pool2d",
        lambda input: F.max_pool2d(input, 3, 2, 1),
        "kernel 3, stride 2, padding 1",
        ("expected",),
        ("input",),
        input=images,
    )
    case(
        "avg_pool2d",
        lambda input: F.avg_pool2d(input, 2, 2),
        "kernel 2, stride 2",
        ("expected",),
        ("input",),
        input=images,
    )
    case(
        "adaptive_avg_pool2d",
        lambda input: F.adaptive_avg_pool2d(input, 1),
        "output 1x1",
        ("expected",),
        ("input",),
        input=images,
    )

    # Normalisation
    gamma, beta = torch.rand(4) + 0.5, randn(4)
    mean, variance = randn(4), torch.rand(4) + 0.5
    for name, training in (("batch_norm_train", True), ("batch_norm_eval", False)):

        def batch_norm(input, weight, bias, running_mean, running_var, training=training):
            running_mean, running_var = running_mean.clone(), running_var.clone()
            output = F.batch_norm(input, running_mean, running_var, weight, bias, training, 0.1, 1e-5)
            return output, running_mean, running_var

        case(
            name,
            batch_norm,
            f"training {training}, momentum 0.1, eps 1e-5; running_*_after: the statistics afterwards",
            ("expected", "running_mean_after", "running_var_after"),
            ("input", "weight", "bias"),
            input=images,
            weight=gamma,
            bias=beta,
            running_mean=mean,
            running_var=variance,
        )
    case(
        "layer_norm",
        lambda input, weight, bias: F.layer_norm(input, (6,), weight, bias, 1e-5),
        "normalised shape [6], eps 1e-5",
        ("expected",),
        ("input", "weight", "bias"),
        input=randn(3, 5, 6),
        weight=torch.rand(6) + 0.5,
        bias=randn(6),
    )
    case(
        "group_norm",
        lambda input, weight, bias: F.group_norm(input, 2, weight, bias, 1e-5),
        "groups 2, eps 1e-5",
        ("expected",),
        ("input", "weight", "bias"),
        input=images,
        weight=gamma,
        bias=beta,
    )

    # Attention
    for name, causal in (("attention", False), ("attention_causal", True)):
        case(
            name,
            lambda query, key, value, causal=causal: F.scaled_dot_product_attention(
                query, key, value, is_causal=causal
            ),
            f"[batch, heads, tokens, channels], scale 1/sqrt(channels), causal {causal}",
            ("expected",),
            ("query", "key", "value"),
            query=randn(2, 3, 5, 8),
            key=randn(2, 3, 5, 8),
            value=randn(2, 3, 5, 8),
        )

    # Losses
    target = torch.randint(6, (9,))
    logits = 2 * randn(9, 6)
    case(
        "cross_entropy",
        lambda input, target: F.cross_entropy(input, target),
        "mean",
        ("expected",),
        ("input",),
        input=logits,
        target=target,
    )
    case(
        "cross_entropy_smoothing",
        lambda input, target: F.cross_entropy(input, target, label_smoothing=0.1),
        "mean, label smoothing 0.1",
        ("expected",),
        ("input",),
        input=logits,
        target=target,
    )
    case(
        "cross_entropy_none",
        lambda input, target: F.cross_entropy(input, target, reduction="none"),
        "one value per sample",
        input=logits,
        target=target,
    )
    case(
        "mse_loss",
        lambda input, target: F.mse_loss(input, target),
        "mean",
        ("expected",),
        ("input",),
        input=logits,
        target=randn(9, 6),
    )

    # A second implementation's word on the ones that have one.
    close = lambda name, value: numpy.testing.assert_allclose(
        tensors[f"{name}/expected"].numpy(), value, 2e-5, 2e-6, err_msg=name
    )
    array = lambda name, key="input": tensors[f"{name}/{key}"].double().numpy()  # noqa: E731
    close("log_softmax", scipy.special.log_softmax(array("log_softmax"), 1))
    close("logsumexp", scipy.special.logsumexp(array("logsumexp"), 1))
    close("gelu", array("gelu") * scipy.stats.norm.cdf(array("gelu")))
    close("svd", scipy.linalg.svdvals(array("svd")))
    close("cholesky", scipy.linalg.cholesky(array("cholesky"), lower=True))
    close("eigh", scipy.linalg.eigvalsh(array("eigh")))
    close("solve", scipy.linalg.solve(array("solve"), array("solve", "other")))

    hessian_vector_product(tensors)

    # Transformers' pieces
    case(
        "embedding",
        lambda weight, input: F.embedding(input, weight),
        "indices of shape [3, 4]",
        ("expected",),
        ("weight",),
        weight=randn(7, 5),
        input=torch.randint(7, (3, 4)),
    )
    case("chunk", lambda input: input.chunk(3, 1)[1], "the second of 3, dim 1", ("expected",), ("input",), input=x)
    case("unbind", lambda input: input.unbind(1)[2], "the third, dim 1", ("expected",), ("input",), input=x)
    for name, size in (("resize_bicubic_smaller", (3, 4)), ("resize_bicubic_larger", (9, 12))):
        case(
            name,
            lambda input, size=size: F.interpolate(input, size, mode="bicubic", antialias=True),
            f"antialias, to {size}",
            ("expected",),
            ("input",),
            input=images,
        )
    arguments["hvp"] = "MLP 6-5-4-3 with ReLU, mean cross-entropy; Hv/* = Hessian · v/*, gradients/* = first derivative"
    save("ops", tensors, seed=6, arguments=json.dumps(arguments, ensure_ascii=False))


def hessian_vector_product(tensors: dict[str, torch.Tensor]) -> None:
    """By double backward, checked against the dense Hessian of torch.func in float64."""
    model = MLP([6, 5, 4, 3])
    x, y = torch.randn(12, 6), torch.randint(3, (12,))
    parameters = dict(model.named_parameters())
    v = {name: torch.randn_like(value) for name, value in parameters.items()}
    loss = F.cross_entropy(model(x), y)
    gradients = torch.autograd.grad(loss, list(parameters.values()), create_graph=True)
    product = torch.autograd.grad(
        sum((g * v[name]).sum() for g, name in zip(gradients, parameters)), list(parameters.values())
    )

    exact = copy.deepcopy(model).double()

    def flat(weights: torch.Tensor) -> torch.Tensor:
        parts = weights.split([value.numel() for value in parameters.values()])
        state = {name: part.view_as(value) for part, (name, value) in zip(parts, parameters.items())}
        return F.cross_entropy(torch.func.functional_call(exact, state, x.double()), y)

    join = lambda values: torch.cat([value.detach().double().flatten() for value in values])  # noqa: E731
    dense = torch.func.hessian(flat)(join(parameters.values()))
    assert deviation(join(product), dense @ join(v.values())) < 1e-5
    tensors |= {"hvp/input": x, "hvp/labels": y, "hvp/loss": loss.detach()}
    for g, h, (name, value) in zip(gradients, product, parameters.items()):
        tensors |= {f"hvp/weights/{name}": value.detach().clone(), f"hvp/v/{name}": v[name]}
        tensors |= {f"hvp/gradients/{name}": g.detach(), f"hvp/Hv/{name}": h}
