#!/usr/bin/env python3
"""Lets Optuna choose the weights of the weather example's three losses: tune_with_optuna.py PROGRAM [TRIALS] [OPTION...]

PROGRAM is the built example; further options go to it ("--epochs 5 --data mine.csv")."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

TASKS = ["temp", "rh", "weather"]


def run(program, weights, options=()):
    """Trains with these weights; the mean of two errors relative to their range and of the share of wrong weather."""
    with tempfile.TemporaryDirectory() as out:
        combiner = "fixed:weights=" + "/".join(str(weight) for weight in weights)
        subprocess.run([program, "--combiner", combiner, "--out", out, *options], check=True, stdout=subprocess.DEVNULL)
        tasks = json.loads(Path(out, "metrics.json").read_text())["tasks"]
    return (tasks["temp"]["nmae"] + tasks["rh"]["nmae"] + 1 - tasks["weather"]["accuracy"]) / 3


def main(program, trials=20, *options):
    import optuna

    study = optuna.create_study(storage="sqlite:///weights.db", study_name="weather", load_if_exists=True)
    study.optimize(lambda trial: run(program, [trial.suggest_float(task, 0, 2) for task in TASKS], options), n_trials=int(trials))
    print(study.best_params, study.best_value)


if __name__ == "__main__":
    main(*sys.argv[1:])
