#!/usr/bin/env python3
"""An ensemble of regressor chains (Spyromitros-Xioufis et al., Machine Learning 104, 2016) on multi-target data sets as
Mulan has them, beside which scripts/mulan.sh stands: ARFF files (also .gz) whose last attributes are the targets. Prints
the average relative RMSE after each of the ten folds, which are those of `mtl_example_table train --folds 10`. Needs
scikit-learn.
    scripts/regressor_chains.py slump.arff.gz 3
    scripts/regressor_chains.py scm20d.arff.gz 16 --only 2      the first two of the ten folds: hours are saved
"""
import argparse
import gzip
import itertools
import math
import time

import numpy as np
from sklearn.ensemble import BaggingRegressor
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.tree import DecisionTreeRegressor


def read(file):
    """The cells of an ARFF file of numbers; a missing one is NaN."""
    with (gzip.open if file.endswith(".gz") else open)(file, "rt", encoding="latin-1") as lines:
        for line in lines:
            if line.strip().lower() == "@data":
                break
        rows = [line.split(",") for line in lines if line.strip() and not line.startswith("%")]
    return np.array([[math.nan if cell.strip() == "?" else float(cell) for cell in row] for row in rows])


def random_order(count, seed=0):
    """The rows 0..count-1 in the order of mtl::shuffled_order: std::mt19937_64 from a std::seed_seq, even choices."""
    m32, m64, n = 2**32 - 1, 2**64 - 1, 624
    words, given = [0x8B8B8B8B] * n, [seed & m32, seed >> 32, 0, 0]
    p, q = (n - 11) // 2, (n - 11) // 2 + 11

    def mixed(value):
        return (value ^ (value >> 27)) & m32

    for k in range(n):
        first = 1664525 * mixed(words[k] ^ words[(k + p) % n] ^ words[(k - 1) % n]) & m32
        second = (first + (len(given) if k == 0 else k + given[k - 1] if k <= len(given) else k)) & m32
        words[(k + p) % n] = (words[(k + p) % n] + first) & m32
        words[(k + q) % n] = (words[(k + q) % n] + second) & m32
        words[k] = second
    for k in range(n, 2 * n):
        third = 1566083941 * mixed((words[k % n] + words[(k + p) % n] + words[(k - 1) % n]) & m32) & m32
        fourth = (third - k % n) & m32
        words[(k + p) % n] ^= third
        words[(k + q) % n] ^= fourth
        words[k % n] = fourth
    state = [words[2 * i] | words[2 * i + 1] << 32 for i in range(312)]

    def drawn():
        while True:
            for i in range(312):
                x = (state[i] & 0xFFFFFFFF80000000) | (state[(i + 1) % 312] & 0x7FFFFFFF)
                state[i] = state[(i + 156) % 312] ^ (x >> 1) ^ (0xB5026F5AA96619E9 if x & 1 else 0)
            for x in state:
                x ^= (x >> 29) & 0x5555555555555555
                x ^= (x << 17) & 0x71D67FFFEDA60000
                x ^= (x << 37) & 0xFFF7EEE000000000
                yield (x ^ (x >> 43)) & m64

    numbers, order = drawn(), list(range(count))
    for i in range(count - 1, 0, -1):
        number = next(numbers)
        while number < 2**64 % (i + 1):
            number = next(numbers)
        order[i], order[number % (i + 1)] = order[number % (i + 1)], order[i]
    return np.array(order)


def folds_of(rows):
    """Ten, as mtl::k_folds makes them: row numbers to learn from and to ask for."""
    order, ends = random_order(rows), [int(rows * (k + 1) / 10 + 1e-6) for k in range(10)]
    for begin, end in zip([0] + ends[:-1], ends):
        yield np.concatenate([order[:begin], order[end:]]), order[begin:end]


def bagged_trees(seed, trees):
    return BaggingRegressor(DecisionTreeRegressor(), trees, random_state=seed)


def chain(order, x, y, unseen, seed, trees):
    """What one chain says of the rows `unseen`: each target from the inputs and the targets before it, which are estimates
    of trees that have not seen the row where one learns, and the chain's own where it is asked."""
    said = np.empty((len(unseen), len(order)))
    for place, target in enumerate(order):
        said[:, target] = bagged_trees(seed + place, trees).fit(x, y[:, target]).predict(unseen)
        if place + 1 < len(order):
            parts = KFold(3, shuffle=True, random_state=seed + place)
            estimates = cross_val_predict(bagged_trees(seed + place, trees), x, y[:, target], cv=parts)
            x = np.column_stack([x, estimates])
            unseen = np.column_stack([unseen, said[:, target]])
    return said


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("file")
    options.add_argument("targets", type=int)
    options.add_argument("--chains", type=int, default=6)
    options.add_argument("--trees", type=int, default=30, help="in a bag")
    options.add_argument("--only", type=int, default=10, help="so many of the ten folds")
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    cells = read(chosen.file)
    x, y = cells[:, : -chosen.targets], cells[:, -chosen.targets :]
    random = np.random.default_rng(chosen.seed)
    if math.factorial(chosen.targets) <= chosen.chains:
        orders = list(itertools.permutations(range(chosen.targets)))
    else:
        orders = [random.permutation(chosen.targets) for _ in range(chosen.chains)]
    relative = []
    for train, test in itertools.islice(folds_of(len(x)), chosen.only):
        said = [chain(order, x[train], y[train], x[test], 1000 * k, chosen.trees) for k, order in enumerate(orders)]
        error = ((np.mean(said, axis=0) - y[test]) ** 2).sum(axis=0)
        relative.append(np.sqrt(error / ((y[train].mean(axis=0) - y[test]) ** 2).sum(axis=0)))
        print(f"fold {len(relative)}: average relative RMSE so far {np.nanmean(relative):.4f}, "
              f"{time.process_time():.0f} s of one processor", flush=True)


if __name__ == "__main__":
    main()
