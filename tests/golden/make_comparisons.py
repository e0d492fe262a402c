#!/usr/bin/env python3
"""Writes comparisons.json: Holm's correction and power by statsmodels, effect sizes and Hedges' factor by NumPy and
SciPy, bootstrap intervals by going through all n^n resamples."""

import itertools
import json
from pathlib import Path

import numpy as np
import scipy
import scipy.special
import statsmodels
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

random = np.random.default_rng(3)

holm = []
for p in [[0.04], [0.01, 0.04, 0.03, 0.005], [0.5, 0.5, 0.001], [1.0, 0.0, 0.2], list(np.round(random.uniform(0, 0.2, 12), 6)), [0.02, 0.02, 0.02]]:
    holm.append({"p": p, "corrected": multipletests(p, method="holm")[1].tolist()})

effects = []
for n in (2, 3, 5, 12):
    first, second = np.round(random.normal(0.8, 0.02, n), 6), np.round(random.normal(0.79, 0.02, n), 6)
    change = first - second
    effects.append({"first": first.tolist(), "second": second.tolist(), "d": change.mean() / change.std(ddof=1)})

hedges = [{"f": f, "factor": float(np.exp(scipy.special.gammaln(f / 2) - scipy.special.gammaln((f - 1) / 2)) / np.sqrt(f / 2))} for f in (2, 3, 4, 9, 50, 500)]

power = []
for effect in (0.1, 0.3, 0.5, 0.8, 1.2):
    for level in (0.95, 0.99):
        for chance in (0.8, 0.9):
            n = TTestPower().solve_power(effect_size=effect, alpha=1 - level, power=chance, alternative="two-sided")
            power.append({"effect": effect, "level": level, "power": chance, "pairs": float(n)})

# The exact percentile interval: the distribution of the mean over all resamples of n values.
bootstrap = []
for n in (6, 7):
    values = np.round(random.normal(0.0, 1.0, n), 6)
    means = np.sort([np.mean(values[list(places)]) for places in itertools.product(range(n), repeat=n)])
    bootstrap.append({"values": values.tolist(), "interval95": np.quantile(means, [0.025, 0.975]).tolist(), "interval80": np.quantile(means, [0.1, 0.9]).tolist(),
                      "spread": float(means.std())})

document = {"source": f"statsmodels {statsmodels.__version__}, scipy {scipy.__version__}", "holm": holm, "effects": effects, "hedges": hedges, "power": power, "bootstrap": bootstrap}
Path(__file__).with_name("comparisons.json").write_text(json.dumps(document, indent=1) + "\n")
