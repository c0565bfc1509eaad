"""CKA between every two layers of two ResNet18s over random pictures, by torch-cka."""

import json
import time

import torch
from measure import parser
from models import resnet
from torch.utils.data import DataLoader, TensorDataset
from torch_cka import CKA

options = parser(__doc__, warmup=0, repetitions=1)
options.add_argument("--width", type=int, default=16)
options.add_argument("--images", type=int, default=10_000)
options.add_argument("--batch", type=int, default=250)
arguments = options.parse_args()

torch.set_num_threads(arguments.threads)
torch.manual_seed(0)
first, second = (resnet("resnet18", arguments.width).eval() for _ in range(2))
images = torch.randn(arguments.images, 3, 32, 32)
loader = DataLoader(TensorDataset(images, torch.zeros(len(images))), batch_size=arguments.batch)
# Convolutions, norms, blocks and the classifier: the layers that ours compares.
layers = [
    name
    for name, module in first.named_modules()
    if name and any(True for _ in module.parameters(recurse=False)) or type(module).__name__ == "BasicBlock"
]
start = time.perf_counter()
with torch.no_grad():
    cka = CKA(first, second, model1_layers=list(layers), model2_layers=list(layers), device="cpu")
    cka.compare(loader)
seconds = time.perf_counter() - start
values = cka.export()["CKA"].diagonal()
print(
    json.dumps(
        {"job": "cka", "seconds": [seconds], "median": seconds, "layers": len(layers), "mean": values.mean().item()}
    )
)
