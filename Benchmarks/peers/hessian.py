"""The largest eigenvalues of the loss's Hessian by PyHessian (power iteration with deflation), and by how much they miss."""

import importlib
import json
import time

import torch
from measure import parser
from models import resnet
from pyhessian import hessian
from safetensors.torch import load_file

options = parser(__doc__, warmup=0, repetitions=1)
options.add_argument(
    "--weights", required=True, help="weights, images and labels as `valley-bench curvature --write` leaves them"
)
options.add_argument("--width", type=int, default=16)
options.add_argument("--top", type=int, default=8)
options.add_argument("--tolerance", type=float, default=1e-3, help="PyHessian's: relative change of an eigenvalue")
options.add_argument("--iterations", type=int, default=100, help="PyHessian's: at most so many for each eigenvalue")
options.add_argument("--batch", type=int, default=1000, help="examples at a time; all at once keeps the graph")
arguments = options.parse_args()

torch.set_num_threads(arguments.threads)
tensors = load_file(arguments.weights)
images, labels = tensors.pop("images"), tensors.pop("labels")
model = resnet("resnet18", arguments.width)
model.load_state_dict(tensors)
model.eval()

start = time.perf_counter()
if arguments.batch >= len(labels):
    computer = hessian(model, torch.nn.CrossEntropyLoss(), data=(images, labels), cuda=False)
else:
    loader = list(zip(images.split(arguments.batch), labels.split(arguments.batch)))
    computer = hessian(model, torch.nn.CrossEntropyLoss(), dataloader=loader, cuda=False)
products = 0
if arguments.batch >= len(labels):
    # `import … as` would give the class of that name.
    module = importlib.import_module("pyhessian.hessian")
    plain = module.hessian_vector_product

    def counted(*given):
        global products
        products += 1
        return plain(*given)

    module.hessian_vector_product = counted
values, vectors = computer.eigenvalues(maxIter=arguments.iterations, tol=arguments.tolerance, top_n=arguments.top)
seconds = time.perf_counter() - start

residuals = []
for value, vector in zip(values, vectors):
    if arguments.batch >= len(labels):
        image = plain(computer.gradsH, computer.params, vector)
    else:
        _, image = computer.dataloader_hv_product(vector)
    residuals.append(sum(((h - value * v) ** 2).sum().item() for h, v in zip(image, vector)) ** 0.5)
print(
    json.dumps(
        {
            "job": "curvature",
            "seconds": [seconds],
            "median": seconds,
            "torch": torch.__version__,
            "eigenvalues": values,
            "residuals": residuals,
            "products": products,
        }
    )
)
