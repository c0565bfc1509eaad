"""One training step of a multilayer perceptron in float32: forward, cross-entropy, backward, SGD with momentum."""

import torch
import torch.nn.functional as F
from measure import parser, report
from models import MLP

options = parser(__doc__, warmup=20, repetitions=200)
options.add_argument("--sizes", type=int, nargs="+", default=[3072, 512, 512, 10])
options.add_argument("--batch", type=int, default=128)
arguments = options.parse_args()

torch.manual_seed(0)
torch.set_num_threads(arguments.threads)
model = MLP(arguments.sizes).train()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
images = torch.randn(arguments.batch, arguments.sizes[0])
labels = torch.randint(arguments.sizes[-1], (arguments.batch,))


def step() -> float:
    optimizer.zero_grad(set_to_none=True)
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


report("mlp-step", step, arguments)
