#!/usr/bin/env python3
"""The searches of mtl::evaluate beside scikit-optimize's gp_minimize: Branin and Hartmann-6 with noise, the same budget.

    pip install scikit-optimize
    benchmarks/tuning.py build/release/benchmarks/mtl_benchmark_tuning [--runs 20] [--trials 50] [--json FILE]

Prints the medians over the runs of regrets, all without noise: of the lowest point tried, of the one whose score was lowest
(what gp_minimize returns), and of the one that expected_best names. Start points, noise and seeds are each side's own. One thread a side.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import warnings
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"
import numpy as np

WIDTH = np.array([[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]])
CENTRE = 1e-4 * np.array([[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991], [2348, 1451, 3522, 2883, 3047, 6650],
                          [4047, 8828, 8732, 5743, 1091, 381]])


def branin(x):
    bend = x[1] - 5.1 / (4 * np.pi**2) * x[0] ** 2 + 5 / np.pi * x[0] - 6
    return bend**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x[0]) + 10


def hartmann6(x):
    return -float(np.array([1, 1.2, 3, 3.2]) @ np.exp(-(WIDTH * (np.array(x) - CENTRE) ** 2).sum(1)))


# Function, bounds, minimum, standard deviation of the noise: as in tuning.cpp.
PROBLEMS = {"branin": (branin, [(-5.0, 10.0), (0.0, 15.0)], 0.39788735772973816, 1.0), "hartmann6": (hartmann6, [(0.0, 1.0)] * 6, -3.32236801141551, 0.1)}


def peers(runs, trials):
    from skopt import gp_minimize

    warnings.filterwarnings("ignore")
    for seed in range(runs):
        for function, (value_at, bounds, minimum, noise) in PROBLEMS.items():
            for acquisition in ("gp_hedge", "EI"):
                random, lowest = np.random.default_rng(1000 + seed), []

                def score(x):
                    lowest.append(value_at(x))
                    return lowest[-1] + noise * random.normal()

                found = gp_minimize(score, bounds, n_calls=trials, random_state=seed, acq_func=acquisition)
                yield {"search": f"scikit-optimize {acquisition}", "function": function, "seed": seed, "chosen": value_at(found.x) - minimum,
                       "lowest": min(lowest) - minimum}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--json", help="all runs, to look at")
    options = parser.parse_args()
    ours = subprocess.run([options.program, str(options.runs), str(options.trials)], check=True, stdout=subprocess.PIPE, text=True).stdout
    rows = [json.loads(line) for line in ours.splitlines()]
    for row in peers(options.runs, options.trials):
        rows.append(row)
        print(f"{row['search']}, {row['function']}, seed {row['seed']}", file=sys.stderr)
    if options.json:
        Path(options.json).write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    print("| function | search | lowest tried | lowest score | expected_best |\n|---|---|---:|---:|---:|")
    for function in PROBLEMS:
        for search in dict.fromkeys(row["search"] for row in rows):
            of_search = [row for row in rows if row["search"] == search and row["function"] == function]
            medians = [f"{statistics.median(row[key] for row in of_search):.4f}" if key in of_search[0] else "" for key in ("lowest", "chosen", "expected")]
            print(f"| {function} | {search} | {' | '.join(medians)} |")


if __name__ == "__main__":
    main()
