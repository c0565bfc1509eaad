"""Weight matching written plainly in numpy and scipy: Tests/Fixtures/alignment.py, what the tests compare with. --make writes the weights."""

import pathlib
import sys

import numpy as np
from measure import parser, report
from safetensors.numpy import load_file, save_file

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Tests" / "Fixtures"))
import alignment  # noqa: E402

options = parser(__doc__, warmup=0, repetitions=1)
options.add_argument("--model", choices=["mlp", "resnet20"], default="mlp")
options.add_argument("--weights", type=pathlib.Path, required=True)
options.add_argument("--make", choices=["strange", "planted"], help="write weights that share nothing, or but for noise all")
arguments = options.parse_args()

if arguments.model == "mlp":
    widths = [3072, *[512] * 6, 10]
    axes, groups = alignment.mlp(widths)
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        shapes |= {f"layers.{layer}.weight": (outputs, inputs), f"layers.{layer}.bias": (outputs,)}
else:
    axes, groups, shapes = alignment.resnet([3, 3, 3], 64)

if arguments.make:
    random = np.random.default_rng(0)
    a = {name: random.standard_normal(shape, np.float32) for name, shape in shapes.items()}
    b = {name: random.standard_normal(shape, np.float32) for name, shape in shapes.items()}
    if arguments.make == "planted":
        order = {group: random.permutation(count) for group, count in groups.items()}
        b = {name: alignment.permuted(a[name] + b[name], axes[name], order) for name in a}
    both = {f"a/{name}": w for name, w in a.items()} | {f"b/{name}": np.ascontiguousarray(w) for name, w in b.items()}
    save_file(both, arguments.weights)
else:
    both = load_file(arguments.weights)
    a, b = ({name: both[f"{side}/{name}"] for name in shapes} for side in "ab")
    result = {}

    def work() -> None:
        result["order"], result["sweeps"] = alignment.weight_matching(a, b, axes, groups, seed=0)

    report(
        "matching", work, arguments,
        objective=lambda: alignment.objective(a, b, axes, result["order"]), sweeps=lambda: result["sweeps"],
    )
