"""A largest assignment of a square matrix with scipy."""

import numpy as np
from measure import parser, report
from scipy.optimize import linear_sum_assignment

options = parser(__doc__, warmup=1, repetitions=5)
options.add_argument("--size", type=int, default=1024)
options.add_argument("--kind", choices=["gaussian", "planted", "low-rank"], default="gaussian")
arguments = options.parse_args()


def uniform(index: np.ndarray) -> np.ndarray:
    """SplitMix64's `index`th numbers, 53 bits: what our side draws."""
    z = (index + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(rows: int, columns: int, stream: int) -> np.ndarray:
    """Sums of four uniform numbers, of deviation 1."""
    start = np.arange(rows * columns, dtype=np.uint64) * np.uint64(4) + np.uint64(stream << 40)
    total = uniform(start) + uniform(start + np.uint64(1)) + uniform(start + np.uint64(2)) + uniform(start + np.uint64(3))
    return ((total - 2) * 3**0.5).reshape(rows, columns)


n = arguments.size
if arguments.kind == "gaussian":
    matrix = normal(n, n, 0)
elif arguments.kind == "planted":
    units = normal(n, 256, 1)
    matrix = units @ (units + normal(n, 256, 2))[::-1].T
else:
    matrix = normal(n, 8, 3) @ normal(n, 8, 4).T
matrix = np.ascontiguousarray(matrix)
rows, columns = linear_sum_assignment(matrix, maximize=True)
report(
    "assignment",
    lambda: linear_sum_assignment(matrix, maximize=True),
    arguments,
    objective=float(matrix[rows, columns].sum()),
)
