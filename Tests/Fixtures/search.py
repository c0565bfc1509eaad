"""Writes Tests/SearchTests/Fixtures/gaussian-process.json: what scikit-learn's Gaussian process says after a few observations.

    pip install scikit-learn==1.9.1 scipy==1.17.1 && python Tests/Fixtures/search.py
"""

import json
import pathlib

import numpy
import scipy.stats
import sklearn
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

OUT = pathlib.Path(__file__).parent.parent / "SearchTests" / "Fixtures" / "gaussian-process.json"


def process(seed: int, count: int, lengths: list[float], signal: float, noise: float) -> dict:
    random = numpy.random.default_rng(seed)
    points = random.random((count, len(lengths)))
    values = numpy.sin(5 * points[:, 0]) + points.sum(1) + 0.1 * random.standard_normal(count)
    values = (values - values.mean()) / values.std()
    kernel = ConstantKernel(signal) * Matern(lengths, nu=2.5) + WhiteKernel(noise)
    model = GaussianProcessRegressor(kernel, alpha=0, optimizer=None).fit(points, values)
    places = random.random((7, len(lengths)))
    mean, deviation = model.predict(places, return_std=True)
    # theta: log signal, log lengths, log noise
    evidence, gradient = model.log_marginal_likelihood(model.kernel_.theta, eval_gradient=True)
    best = values.min()
    latent = numpy.sqrt(numpy.maximum(deviation**2 - noise, 0))
    u = (best - mean) / latent
    improvement = latent * (scipy.stats.norm.pdf(u) + u * scipy.stats.norm.cdf(u))
    return {
        "points": points.tolist(),
        "values": values.tolist(),
        "lengths": lengths,
        "signal": signal,
        "noise": noise,
        "places": places.tolist(),
        "means": mean.tolist(),
        "deviations": latent.tolist(),
        "evidence": evidence,
        "gradient": [*gradient[1 : 1 + len(lengths)], gradient[0], gradient[-1]],
        "improvements": improvement.tolist(),
    }


OUT.parent.mkdir(exist_ok=True)
OUT.write_text(
    json.dumps(
        {
            "versions": {"scikit-learn": sklearn.__version__, "numpy": numpy.__version__, "scipy": scipy.__version__},
            "processes": [
                process(1, 9, [0.3], 1.0, 1e-4),
                process(2, 15, [0.5, 1.5], 2.0, 1e-2),
                process(3, 25, [0.4, 0.9, 2.0, 0.7], 0.7, 1e-6),
            ],
        },
        indent=1,
    )
    + "\n"
)
