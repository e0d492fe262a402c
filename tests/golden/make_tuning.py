#!/usr/bin/env python3
"""Writes tuning.json: Sobol's sequence by SciPy, Gaussian processes by scikit-learn (the kernel's values as given, nothing
fitted), and the logarithm of the expected improvement by mpmath with 60 digits."""

import json
from pathlib import Path

import mpmath
import numpy as np
import scipy
import sklearn
from scipy.stats import qmc
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

random = np.random.default_rng(15)

sequence = qmc.Sobol(d=64, scramble=False, bits=32).random(1024)
sobol = [{"index": n, "point": sequence[n].tolist()} for n in (0, 1, 2, 3, 7, 100, 511, 1000)]

processes = []
for n, dimensions, noise in ((1, 1, 0.1), (6, 1, 1e-6), (12, 2, 0.01), (25, 6, 0.3), (40, 3, 1e-4)):
    points = np.round(random.uniform(0, 1, (n, dimensions)), 6)
    values = np.round(np.sin(5 * points).sum(1) + np.sqrt(noise) * random.normal(size=n), 6)
    asked = np.round(random.uniform(0, 1, (4, dimensions)), 6)
    asked[0] = points[0]
    variance, scales = round(random.uniform(0.5, 3), 3), np.round(random.uniform(0.1, 2, dimensions), 3)
    kernel = ConstantKernel(variance) * Matern(length_scale=scales, nu=2.5)
    process = GaussianProcessRegressor(kernel, alpha=noise, optimizer=None).fit(points, values)
    mean, deviation = process.predict(asked, return_std=True)
    noisy = GaussianProcessRegressor(kernel + WhiteKernel(noise), alpha=0, optimizer=None).fit(points, values)
    likelihood, gradient = noisy.log_marginal_likelihood(noisy.kernel_.theta, eval_gradient=True)
    processes.append({"points": points.tolist(), "values": values.tolist(), "variance": variance, "length_scales": scales.tolist(), "noise": noise,
                      "asked": asked.tolist(), "mean": mean.tolist(), "deviation": deviation.tolist(), "log_marginal_likelihood": likelihood,
                      "gradient": gradient.tolist()})

mpmath.mp.dps = 60
improvement = []
for mean, deviation, best in ((0, 1, 0), (1, 0.5, 0.2), (-3, 0.01, 2), (0.4, 0.2, -0.5), (0, 0.1, -1.5), (0, 0.05, -1.2), (2, 0.01, -3)):
    z = (mpmath.mpf(best) - mean) / mpmath.mpf(deviation)
    improvement.append({"mean": mean, "deviation": deviation, "best": best, "logarithm": float(mpmath.log(deviation * (mpmath.npdf(z) + z * mpmath.ncdf(z))))})

document = {"source": f"scipy {scipy.__version__}, scikit-learn {sklearn.__version__}, mpmath {mpmath.__version__}", "sobol": sobol, "processes": processes,
            "improvement": improvement}
Path(__file__).with_name("tuning.json").write_text(json.dumps(document, indent=1) + "\n")
