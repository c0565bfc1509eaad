"""Reference values of Student's t distribution and of Welch's test, from SciPy. Run: python student_t.py > student_t.json"""
import json
import scipy
from scipy import stats

quantiles = [
    [nu, q, float(stats.t.ppf(q, nu))]
    for nu in (1, 2, 3, 4, 7.5, 30, 1000)
    for q in (0.025, 0.5, 0.9, 0.975, 0.999, 0.999999)
]
tails = [
    [nu, t, float(stats.t.sf(t, nu))]
    for nu in (0.7, 1, 2, 3.3, 10, 200)
    for t in (-40, -2.5, -0.1, 0, 0.3, 1, 4, 25, 1000)
]
samples = [
    ([0.42, 0.31, 0.55], [0.10, 0.02, 0.21]),
    ([1.0, 2.0, 3.0, 4.0], [2.0, 9.0, 4.0]),
    ([0.1, 0.1001], [5.0, -3.0, 2.0, 1.0, 0.5]),
    ([3.0, 3.0, 3.0], [1.0, 2.0]),
]
welch = [
    [a, b, float(stats.ttest_ind(a, b, equal_var=False, alternative="greater").pvalue)] for a, b in samples
]
intervals = [
    [a, *map(float, stats.t.interval(0.95, len(a) - 1, loc=sum(a) / len(a), scale=stats.sem(a)))]
    for a, _ in samples[:3]
]
json.dump(
    {"scipy": scipy.__version__, "quantiles": quantiles, "tails": tails, "welch": welch, "intervals": intervals},
    __import__("sys").stdout, indent=1)
