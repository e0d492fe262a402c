"""Training steps of mtl, plain PyTorch, TorchJD and (with $LIBMTL, a checkout) LibMTL side by side.

    cmake --preset release -DMTL_TORCH_DIR=<folder of a pip-installed torch> && cmake --build --preset release
    benchmarks/compare.py --python <an interpreter with torch, torchjd> --output docs/performance

Both sides must use one LibTorch. In each round every method runs one sample in turn, so that all see the same noise;
the table holds medians over rounds of the ratio to T calls of backward() from C++ in the same round. Writes
OUTPUT.md's table (between its markers), OUTPUT.svg and OUTPUT.json.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CELLS = [("mlp", 2), ("mlp", 8), ("mlp", 32), ("mlp_64", 8), ("wide", 8), ("lstm", 3), ("cnn", 4), ("mlp_small", 2), ("mlp_small", 8)]
OURS = ["raw_sum", "raw_backwards", "engine", "engine_rows", "fixed", "kendall", "famo", "upgrad", "mgda", "cagrad", "nash", "imtl_g", "fairgrad",
        "aligned", "pcgrad"]
TORCHJD = ["UPGrad", "MGDA", "CAGrad", "NashMTL", "IMTLG", "FairGrad"]
LIBMTL = ["UPGrad", "MGDA", "CAGrad", "Nash_MTL", "IMTL", "FairGrad"]
FLOOR, SUM = "mtl/raw_backwards", "mtl/raw_sum"


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

    def run(method, steps):
        side, _, name = method.partition("/")
        if side in ("torch", "torchjd", "libmtl"):
            side, name = "peers", method
        answer = workers[side].ask(f"run {workload} {tasks} {name} {steps}")
        return None if answer.startswith("error") else [float(word) for word in answer.split()]

    steps, seconds, failed = {}, {}, {}
    for method in methods:
        if run(method, 2) is None:
            failed[method] = True
            continue
        once = run(method, 1)[0]
        steps[method] = max(1, min(200, int(options.sample / once)))
        seconds[method] = []
    for _ in range(options.rounds):
        for method in seconds:
            if steps[method] > 1 or len(seconds[method]) < options.rounds:
                seconds[method].append(run(method, steps[method])[0])
    return {"workload": workload, "tasks": tasks, "threads": threads, "seconds": seconds, "failed": sorted(failed)}


def ratio(cell, method, floor):
    if method not in cell["seconds"] or floor not in cell["seconds"]:
        return None
    return statistics.median(a / b for a, b in zip(cell["seconds"][method], cell["seconds"][floor]))


def memory(commands, options):
    """MiB over a step of the summed loss, `wide` with 8 tasks."""
    peaks = {}
    for method in options.memory:
        side, _, name = method.partition("/")
        command = commands["peers"] + ["--memory", "wide", "8", method] if side != "mtl" else commands["mtl"] + ["--memory", "wide", "8", name]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode == 0:
            peaks[method] = float(done.stdout.split()[-1])
    floors = {"mtl": peaks.get(SUM), "torch": peaks.get("torch/sum")}
    return {m: p - floors["mtl" if m.startswith("mtl/") else "torch"] for m, p in peaks.items() if not m in (SUM, "torch/sum")}


def number(value):
    return "" if value is None else f"{value:.2f}"


def tables(results):
    text = []
    for threads in sorted({c["threads"] for c in results["cells"]}):
        cells = [c for c in results["cells"] if c["threads"] == threads]
        names = [f"`{c['workload']}` T={c['tasks']}" for c in cells]
        methods = list(dict.fromkeys(m for c in cells for m in c["seconds"]))
        text += [f"Whole steps with {threads} thread{'s' if threads > 1 else ''}, as a multiple of T calls of backward():", "",
                 "| method | " + " | ".join(names) + " |", "|---|" + "---:|" * len(cells)]
        text += [f"| {m} | " + " | ".join(number(ratio(c, m, FLOOR)) for c in cells) + " |" for m in methods]
        text += ["", "The same as a multiple of one step of the summed loss:", "",
                 "| method | " + " | ".join(names) + " |", "|---|" + "---:|" * len(cells)]
        text += [f"| {m} | " + " | ".join(number(ratio(c, m, SUM)) for c in cells) + " |" for m in methods]
        text.append("")
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
    script = f"""set terminal svg size 900,380 font 'sans,11'
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
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sample", type=float, default=0.05, help="seconds a sample, at least one step")
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--tables-only", action="store_true", help="write again from OUTPUT.json")
    parser.add_argument("--output", type=Path, default=HERE.parent / "docs/performance")
    options = parser.parse_args()

    store = options.output.with_suffix(".json")
    if options.tables_only:
        results = json.loads(store.read_text())
    else:
        import os
        methods = [f"mtl/{m}" for m in OURS] + ["torch/sum", "torch/backwards"] + [f"torchjd/{m}" for m in TORCHJD]
        methods += [f"libmtl/{m}" for m in LIBMTL] if "LIBMTL" in os.environ else []
        options.memory = [SUM, FLOOR, "mtl/engine", "mtl/engine_rows", "mtl/upgrad", "torch/sum"] + [f"torchjd/{m}" for m in TORCHJD[:1]]
        if options.methods:
            methods = options.methods.split(",")
            options.memory = [m for m in options.memory if m in methods]
        cells = [(c.split("/")[0], int(c.split("/")[1])) for c in options.cells.split(",")] if options.cells else CELLS
        commands = {"mtl": [options.ours], "peers": [options.python, str(HERE / "peers.py")]}
        workers = {side: Worker(command) for side, command in commands.items()
                   if side == "mtl" or any(not m.startswith("mtl/") for m in methods)}
        results = {"cells": []}
        for threads in map(int, options.threads.split(",")):
            for workload, tasks in cells:
                cell = measure(workers, methods, workload, tasks, threads, options)
                results["cells"].append(cell)
                print(f"{workload} T={tasks} threads {threads}: "
                      + ", ".join(f"{m} {number(ratio(cell, m, FLOOR))}" for m in cell["seconds"]), flush=True)
        if not options.no_memory:
            results["memory"] = memory(commands, options)
        store.write_text(json.dumps(results))
    page = options.output.with_suffix(".md")
    begin, end = "<!-- measured: begin -->", "<!-- measured: end -->"
    text = page.read_text() if page.exists() else f"{begin}\n{end}\n"
    page.write_text(re.sub(f"{begin}.*{end}", lambda _: f"{begin}\n\n{tables(results)}\n{end}", text, flags=re.S))
    draw(results, options.output.with_suffix(".svg"))


if __name__ == "__main__":
    main()
