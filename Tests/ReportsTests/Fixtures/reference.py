"""Reference values of Student's t distribution, of Welch's test, and of Pearson's correlation, from SciPy.
Run: python reference.py > reference.json"""
import json

import numpy as np
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
pearson = []
for x, y in [
    ([1e-6, 3e-6, 1e-5, 3e-5, 1e-4], [0.41, 0.44, 0.61, 1.13, 2.55]),
    ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], [0.3, -0.2, 0.5, 0.1, -0.4, 0.6, -0.1]),
    ([0.0, 1.0, 2.0, 3.0], [3.0, 2.5, 1.0, 1.2]),
    ([1.0, 2.0, 4.0], [1.0, 5.0, 2.0]),
]:
    result, line = stats.pearsonr(x, y), stats.linregress(x, y)
    low, high = result.confidence_interval(0.95)
    pearson.append({
        "x": x, "y": y, "r": float(result.statistic), "p": float(result.pvalue), "lower": float(low), "upper": float(high),
        "slope": float(line.slope), "intercept": float(line.intercept)})

# Leaving out each of three endpoints, of pairs; and of singles, where it is the standard error of the mean.
pairs = {(0, 1): 0.4, (0, 2): 0.7, (1, 2): 0.1}
left = np.array([np.mean([v for pair, v in pairs.items() if end not in pair]) for end in range(3)])
jackknife = {
    "pairs": [[*pair, value] for pair, value in pairs.items()],
    "error": float(np.sqrt(2 / 3 * np.sum((left - left.mean()) ** 2))),
    "singles": [0.2, 0.5, 0.9, 0.4],
    "singles_error": float(stats.sem([0.2, 0.5, 0.9, 0.4])),
}
json.dump(
    {
        "scipy": scipy.__version__, "quantiles": quantiles, "tails": tails, "welch": welch, "intervals": intervals,
        "pearson": pearson, "jackknife": jackknife},
    __import__("sys").stdout, indent=1)
