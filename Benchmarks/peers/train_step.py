"""One training step of a network: forward, cross-entropy, backward, update."""

import argparse

import torch
import torch.nn.functional as F
from measure import parser, report
from models import resnet, torchvision_or_timm

options = parser(__doc__, warmup=3, repetitions=10)
options.add_argument("--model", default="resnet18")
options.add_argument("--width", type=int, default=64)
options.add_argument("--size", type=int, default=32)
options.add_argument("--optimizer", choices=["sgd", "adamw"], default="sgd")
options.add_argument("--batch", type=int, default=128)
options.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
options.add_argument("--device", default="cpu")
options.add_argument("--channels-last", action=argparse.BooleanOptionalAction, default=False)
arguments = options.parse_args()

torch.manual_seed(0)
torch.set_num_threads(arguments.threads)
layout = torch.channels_last if arguments.channels_last else torch.contiguous_format
model = (
    resnet(arguments.model, arguments.width)
    if arguments.model.startswith("resnet")
    else torchvision_or_timm(arguments.model, arguments.size)
)
device = torch.device(arguments.device)
model = model.to(device, memory_format=layout).train()
if arguments.optimizer == "sgd":
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
else:
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
images = torch.randn(arguments.batch, 3, arguments.size, arguments.size).to(device, memory_format=layout)
labels = torch.randint(10, (arguments.batch,)).to(device)


def step() -> float:
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast(device.type, torch.bfloat16, enabled=arguments.dtype == "bfloat16"):
        loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    value = loss.item()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return value


report("train-step", step, arguments)
