#!/usr/bin/env python3
"""Training steps of mtl, plain PyTorch, TorchJD and (with $LIBMTL, a checkout) LibMTL side by side.

    cmake --preset release -DMTL_TORCH_DIR=<folder of a pip-installed torch> && cmake --build --preset release
    benchmarks/compare.py --python <an interpreter with torch, torchjd> --output docs/performance

Both sides must use one LibTorch. In each round every method runs one sample in turn, so that all see the same noise;
the table holds medians over rounds of the ratio to T calls of backward() from C++ in the same round. Then the solvers
alone, and memory. Writes OUTPUT.md's tables (between its markers), OUTPUT.svg and OUTPUT.json.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CELLS = [("mlp", 2), ("mlp", 8), ("mlp", 32), ("mlp_64", 8), ("wide", 8), ("lstm", 3), ("cnn", 4), ("mlp_small", 2), ("mlp_small", 8)]
OURS = ["raw_forward", "raw_sum", "raw_backwards", "engine", "engine_rows", "sum", "kendall", "dwa", "rlw", "imtl_l", "famo", "upgrad", "mgda", "cagrad", "nash", "imtl_g", "fairgrad",
        "aligned", "pcgrad"]
TORCHJD = ["UPGrad", "MGDA", "CAGrad", "NashMTL", "IMTLG", "FairGrad"]
LIBMTL = ["UPGrad", "MGDA", "CAGrad", "Nash_MTL", "IMTL", "FairGrad"]
SOLVER_TASKS = [2, 4, 8, 16, 32, 64, 128]
SOLVERS = {"upgrad": "UPGrad", "mgda": "MGDA", "cagrad": "CAGrad", "nash": ("NashMTL", "Nash_MTL"), "fairgrad": "FairGrad", "imtl_g": ("IMTLG", "IMTL"),
           "dualproj": ("DualProj", None)}
# By cell: a step of ours at most this many times T backward() calls, and this many times TorchJD's step.
GOALS = {("mlp", 8): (0.83, 0.70), ("mlp", 32): (0.83, 0.55), ("mlp_64", 8): (0.55, 0.45), ("wide", 8): (0.33, 0.22), ("lstm", 3): (1.02, 0.95),
         ("cnn", 4): (1.02, 0.85), ("mlp_small", 8): (0.75, None), ("mlp_small", 2): (1.05, 0.30)}
PAIRS = dict(zip(["upgrad", "mgda", "cagrad", "nash", "imtl_g", "fairgrad"], TORCHJD))
FLOOR, SUM = "mtl/raw_backwards", "mtl/raw_sum"
# On a GPU: batches so many times as large that it has work, but mlp_small as it is, which shows what a step costs at least.
CUDA_CELLS = [("mlp@16", 2), ("mlp@16", 8), ("mlp@16", 32), ("mlp_64@4", 8), ("wide", 8), ("wide@4", 8), ("lstm@16", 3), ("cnn@8", 4), ("mlp_small", 2), ("mlp_small", 8)]
CUDA_OURS = ["raw_forward", "raw_sum", "raw_backwards", "engine", "engine_rows", "sum", "kendall", "dwa", "famo", "upgrad", "mgda", "cagrad", "nash", "imtl_g",
             "fairgrad", "pcgrad", "graddrop"]
CUDA_TORCHJD = ["UPGrad", "MGDA", "IMTLG", "FairGrad"]  # the others' solvers want cvxpy
CUDA_GOALS = {(w, t): (0.5 if w.startswith("wide") else 1.02, 0.9) for w, t in CUDA_CELLS}


class Worker:
    """A process that measures on request: one line in, one line out."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer:
            raise RuntimeError(f"a worker ended while it was asked: {line}")
        return answer


def measure(workers, methods, workload, tasks, threads, options):
    """Seconds a step, by method and round; None where a method fails."""
    for worker in workers.values():
        worker.ask("reset")
        worker.ask(f"threads {threads}")

    for worker in workers.values():
        worker.ask(f"device {options.device}")

    def run(method, steps):
        side, _, name = method.partition("/")
        if side in ("torch", "torchjd", "libmtl"):
            side, name = "peers", method
        answer = workers[side].ask(f"run {workload} {tasks} {name} {steps}")
        return None if answer.startswith("error") else [float(word) for word in answer.split()]

    steps, rounds, seconds, failed = {}, {}, {}, {}
    for method in methods:
        if run(method, 2) is None:
            failed[method] = True
            continue
        once = run(method, 1)[0]
        steps[method] = max(1, min(200, int(options.sample / once)))
        rounds[method] = options.rounds if once < 1 else 1
        seconds[method] = []
    for r in range(options.rounds):
        for method in seconds:
            if r < rounds[method]:
                seconds[method].append(run(method, steps[method])[0])
    return {"workload": workload, "tasks": tasks, "threads": threads, "device": options.device, "seconds": seconds, "failed": sorted(failed)}


def ratio(cell, method, floor):
    if method not in cell["seconds"] or floor not in cell["seconds"]:
        return None
    return statistics.median(a / b for a, b in zip(cell["seconds"][method], cell["seconds"][floor]))


def solve(workers, with_libmtl):
    """Processor microseconds a call, by method and T. A peer that takes over a second is not asked for more tasks."""
    for worker in workers.values():
        worker.ask("threads 1")
    rows = {}
    for ours, theirs in SOLVERS.items():
        torchjd, libmtl = (theirs, theirs) if isinstance(theirs, str) else theirs
        for tasks in SOLVER_TASKS:
            for side, name in [("mtl", ours), ("peers", f"torchjd/{torchjd}")] + [("peers", f"libmtl/{libmtl}")] * bool(with_libmtl and libmtl):
                row = rows.setdefault(name if side == "peers" else f"mtl/{name}", {})
                if row and (list(row.values())[-1] or 1e9) > 1e6:
                    continue
                answer = workers[side].ask(f"solve {name} {tasks}")
                row[str(tasks)] = None if answer.startswith("error") else float(answer) * 1e6
    return rows


def memory(commands, methods):
    """MiB over a step of the summed loss, `wide` with 8 tasks; the sum is measured whether it was asked for or not."""
    floor_of = {m: SUM if m.startswith("mtl/") else "torch/sum" for m in methods}
    peaks = {}
    for method in dict.fromkeys([*floor_of.values(), *methods]):
        side, _, name = method.partition("/")
        command = commands["peers"] + ["--memory", "wide", "8", method] if side != "mtl" else commands["mtl"] + ["--memory", "wide", "8", name]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode == 0:
            peaks[method] = float(done.stdout.split()[-1])
    return {m: peaks[m] - peaks[floor] for m, floor in floor_of.items() if m != floor and m in peaks and floor in peaks}


def number(value):
    return "" if value is None else f"{value:.2f}"


def on_gpu(cell):
    return cell.get("device", "cpu").startswith("cuda")


def milliseconds(cells):
    """What T calls of backward() take: by it the ratios become times."""
    return ["| " + " | ".join(f"`{c['workload']}` T={c['tasks']}" for c in cells) + " |", "|" + "---:|" * len(cells),
            "| " + " | ".join(f"{statistics.median(c['seconds'][FLOOR]) * 1e3:.3g}" if c["seconds"].get(FLOOR) else "" for c in cells) + " |"]


def goal_table(cells):
    """Ours over T backward() calls / over TorchJD's step of the same method, beside what we aim at."""
    text = ["| | goal | " + " | ".join(PAIRS) + " |", "|---|---:|" + "---:|" * len(PAIRS)]
    for c in cells:
        goals = (CUDA_GOALS if on_gpu(c) else GOALS).get((c["workload"], c["tasks"]))
        if not goals:
            continue
        entries = [f"{number(ratio(c, 'mtl/' + m, FLOOR))} / {number(ratio(c, 'mtl/' + m, 'torchjd/' + peer))}" for m, peer in PAIRS.items()]
        text.append(f"| `{c['workload']}` T={c['tasks']} | {number(goals[0])} / {number(goals[1])} | " + " | ".join(entries) + " |")
    return text


def tables(results):
    text = []
    for threads in sorted({c["threads"] for c in results["cells"]}):
        cells = [c for c in results["cells"] if c["threads"] == threads]
        names = [f"`{c['workload']}` T={c['tasks']}" for c in cells]
        methods = list(dict.fromkeys(m for c in cells for m in c["seconds"]))
        where = "on the GPU" if all(on_gpu(c) for c in cells) else f"with {threads} thread{'s' if threads > 1 else ''}"
        if "GPU" in where:
            text += ["A step of T calls of backward(), milliseconds:", "", *milliseconds(cells), ""]
        text += [f"Ours over T calls of backward() / over TorchJD's step, {where}:", "", *goal_table(cells), ""]
        text += [f"Whole steps {where}, as a multiple of T calls of backward():", "",
                 "| method | " + " | ".join(names) + " |", "|---|" + "---:|" * len(cells)]
        text += [f"| {m} | " + " | ".join(number(ratio(c, m, FLOOR)) for c in cells) + " |" for m in methods]
        text += ["", "The same as a multiple of one step of the summed loss:", "",
                 "| method | " + " | ".join(names) + " |", "|---|" + "---:|" * len(cells)]
        text += [f"| {m} | " + " | ".join(number(ratio(c, m, SUM)) for c in cells) + " |" for m in methods]
        text.append("")
    if results.get("solvers"):
        text += ["Solvers alone, double precision, processor microseconds a call:", "",
                 "| solver | " + " | ".join(f"T={t}" for t in SOLVER_TASKS) + " |", "|---|" + "---:|" * len(SOLVER_TASKS)]
        text += [f"| {name} | " + " | ".join("" if row.get(str(t)) is None else f"{row[str(t)]:.3g}" if row[str(t)] < 1000 else f"{row[str(t)]:,.0f}"
                                             for t in SOLVER_TASKS) + " |" for name, row in results["solvers"].items()] + [""]
    if results.get("memory"):
        text += ["Largest resident set of two steps of `wide`, T=8, over that of the summed loss:", "", "| method | MiB |", "|---|---:|"]
        text += [f"| {m} | {value:.0f} |" for m, value in results["memory"].items()] + [""]
    return "\n".join(text)


def draw(results, path):
    """Bars by workload: T backwards = 1, ours, the peers'. Needs gnuplot."""
    cells = [c for c in results["cells"] if c["threads"] == 1]
    series = [m for m in ("mtl/upgrad", "mtl/engine", "torchjd/UPGrad", "libmtl/UPGrad") if any(m in c["seconds"] for c in cells)]
    rows = ["\t".join([f"{c['workload']} T={c['tasks']}"] + [number(ratio(c, m, FLOOR)) or "NaN" for m in series]) for c in cells]
    data = "\n".join(["\t".join(["cell"] + series)] + rows)
    script = f"""set terminal svg size 900,380 font 'sans,11' noenhanced
set output '{path}'
set datafile separator tab
set style data histograms
set style fill solid 0.8 noborder
set boxwidth 0.9
set xtics rotate by -25 nomirror
set ylabel 'step time / T backward() calls'
set yrange [0:*]
set grid ytics
set key top left
$data << EOD
{data}
EOD
plot 1 title 'T calls of backward()' with lines lw 2 lc rgb '#555555', for [i=2:{len(series) + 1}] $data using i:xtic(1) title columnheader(i)
"""
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", default=str(HERE.parent / "build/release/benchmarks/mtl_benchmark_worker"))
    parser.add_argument("--python", default=sys.executable, help="interpreter with torch and torchjd")
    parser.add_argument("--cells", help="such as mlp/8,wide/8 (default: all)")
    parser.add_argument("--methods", help="such as mtl/sum,mtl/backwards,torchjd/UPGrad (default: all)")
    parser.add_argument("--device", default="cpu", help="such as cuda: steps run there, with cells and methods of its own; no solvers, no memory")
    parser.add_argument("--threads", help="such as 1,2 (default; on a GPU: 1)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sample", type=float, default=0.05, help="seconds a sample, at least one step")
    parser.add_argument("--no-solvers", action="store_true")
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--tables-only", action="store_true", help="write again from OUTPUT.json")
    parser.add_argument("--output", type=Path, default=HERE.parent / "docs/performance")
    options = parser.parse_args()
    gpu = options.device.startswith("cuda")
    options.threads = options.threads or ("1" if gpu else "1,2")
    if gpu:
        options.no_solvers = options.no_memory = True

    store = options.output.with_suffix(".json")
    if options.tables_only:
        results = json.loads(store.read_text())
    else:
        methods = [f"mtl/{m}" for m in (CUDA_OURS if gpu else OURS)] + ["torch/sum", "torch/backwards"]
        methods += [f"torchjd/{m}" for m in (CUDA_TORCHJD if gpu else TORCHJD)]
        methods += [f"libmtl/{m}" for m in LIBMTL] if "LIBMTL" in os.environ and not gpu else []
        options.memory = [SUM, FLOOR, "mtl/engine", "mtl/engine_rows", "mtl/upgrad", "torch/sum"] + [f"torchjd/{m}" for m in TORCHJD[:1]]
        options.memory += [f"libmtl/{LIBMTL[0]}"] if "LIBMTL" in os.environ else []
        if options.methods:
            methods = options.methods.split(",")
            options.memory = [m for m in options.memory if m in methods]
        cells = [(c.split("/")[0], int(c.split("/")[1])) for c in options.cells.split(",")] if options.cells else CUDA_CELLS if gpu else CELLS
        commands = {"mtl": [options.ours], "peers": [options.python, str(HERE / "peers.py")]}
        workers = {side: Worker(command) for side, command in commands.items()
                   if side == "mtl" or any(not m.startswith("mtl/") for m in methods)}
        results = {"cells": []}
        for threads in map(int, options.threads.split(",")):
            for workload, tasks in cells:
                cell = measure(workers, methods, workload, tasks, threads, options)
                results["cells"].append(cell)
                store.write_text(json.dumps(results))  # what is measured stays, whatever comes after
                print(f"{workload} T={tasks} threads {threads}: "
                      + ", ".join(f"{m} {number(ratio(cell, m, FLOOR))}" for m in cell["seconds"]), flush=True)
        if not options.no_solvers:
            results["solvers"] = solve(workers, "LIBMTL" in os.environ)
            store.write_text(json.dumps(results))
        if not options.no_memory:
            results["memory"] = memory(commands, options.memory)
        store.write_text(json.dumps(results))
    page = options.output.with_suffix(".md")
    begin, end = "<!-- measured: begin -->", "<!-- measured: end -->"
    text = page.read_text() if page.exists() else f"{begin}\n{end}\n"
    page.write_text(re.sub(f"{begin}.*{end}", lambda _: f"{begin}\n\n{tables(results)}\n{end}", text, flags=re.S))
    if any(not on_gpu(c) for c in results["cells"]) and shutil.which("gnuplot"):
        draw(results, options.output.with_suffix(".svg"))


if __name__ == "__main__":
    main()
