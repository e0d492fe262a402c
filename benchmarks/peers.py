"""One training step of PyTorch, TorchJD and LibMTL on the problems of benchmarks/work/workloads.cpp, and their solvers.

A worker that compare.py drives: a line in, a line out (see serve). TorchJD is called as its documentation shows,
LibMTL's weightings as its trainer does, with their defaults; LibMTL is read from the checkout in $LIBMTL.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # NumPy's own threads, read when it is imported

import importlib
import statistics
import sys
import time
import types

import torch
from torch import nn
from torch.nn import functional as F

BATCHES = 8
DEVICE = torch.device("cpu")  # `device NAME` changes it


class LastStep(nn.LSTM):
    def forward(self, x):
        return super().forward(x)[0][:, -1]


class Workload:
    """Data drawn first, then the encoder, then the heads, after manual_seed(0). "mlp@16": batches 16 times as large."""

    def __init__(self, name, tasks):
        torch.manual_seed(0)
        name, _, scale = name.partition("@")
        scale = int(scale or 1)
        self.step, self.adam = 0, name in ("lstm", "cnn")
        squared = lambda p, y: F.mse_loss(p.squeeze(1), y)
        if name == "lstm":
            rows = 256 * scale
            x = torch.randn(rows, 14, 10)
            y = [torch.randn(rows), torch.randn(rows), torch.randint(0, 9, (rows,))]
            self.encoder = LastStep(10, 256, 3, batch_first=True, dropout=0.3)
            width, outputs, self.losses = 256, (1, 1, 9), [squared, squared, F.cross_entropy]
        elif name == "cnn":
            rows = 256 * scale
            x = torch.randn(rows, 3, 64, 64)
            y = [torch.randint(0, 37, (rows,))] + [torch.randint(0, 2, (rows, k)).float() for k in (5, 4, 3)]
            layers, channels = [], 3
            for width, stride in [(32, 2), (64, 2), (128, 2), (128, 1), (256, 2), (256, 1)]:
                layers += [nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
                channels = width
            self.encoder = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
            outputs, self.losses = (37, 5, 4, 3), [F.cross_entropy] + 3 * [F.binary_cross_entropy_with_logits]
        else:
            widths, batch = {"mlp": ([64, 512, 512, 512], 256), "mlp_64": ([64, 512, 512, 512], 64),
                             "mlp_small": ([16, 64, 64], 32), "wide": ([1024, 2048, 4096, 2048], 64)}[name]
            batch *= scale
            x, rows = torch.randn(BATCHES * batch, widths[0]), torch.randn(BATCHES * batch, tasks)
            y = [column.contiguous() for column in rows.unbind(1)]
            layers = [m for a, b in zip(widths, widths[1:]) for m in (nn.Linear(a, b), nn.ReLU())]
            self.encoder = nn.Sequential(*layers)
            width, outputs, self.losses = widths[-1], [1] * tasks, [squared] * tasks
        self.heads = nn.ModuleList(nn.Linear(width, k) for k in outputs)
        self.encoder, self.heads = self.encoder.to(DEVICE), self.heads.to(DEVICE)
        self.inputs = x.to(DEVICE).split(len(x) // BATCHES)
        self.targets = list(zip(*(t.to(DEVICE).split(len(t) // BATCHES) for t in y)))

    @property
    def tasks(self):
        return len(self.losses)

    def next_batch(self):
        i, self.step = self.step % BATCHES, self.step + 1
        return self.inputs[i], self.targets[i]

    def forward(self, x, y):
        z = self.encoder(x)
        return z, [loss(head(z), t) for loss, head, t in zip(self.losses, self.heads, y)]

    def optimizer(self, parameters):
        return torch.optim.Adam(parameters, 1e-3) if self.adam else torch.optim.SGD(parameters, 1e-3)

    def parameters(self):
        return [*self.encoder.parameters(), *self.heads.parameters()]


def plain(name, w):
    optimizer = w.optimizer(w.parameters())

    def run():
        x, y = w.next_batch()
        optimizer.zero_grad()
        _, losses = w.forward(x, y)
        if name == "sum":
            torch.stack(losses).sum().backward()
        else:
            for t, loss in enumerate(losses):
                loss.backward(retain_graph=t + 1 < len(losses))
        optimizer.step()
        return torch.stack(losses).detach().sum()

    return run


def torchjd_options(name, tasks):
    return {"CAGrad": dict(c=0.5), "NashMTL": dict(n_tasks=tasks), "FairGrad": dict(alpha=1.0)}.get(name, {})


def torchjd(name, w):
    from torchjd import aggregation
    from torchjd.autojac import jac_to_grad, mtl_backward

    aggregator = getattr(aggregation, name)(**torchjd_options(name, w.tasks))
    optimizer, shared = w.optimizer(w.parameters()), list(w.encoder.parameters())

    def run():
        x, y = w.next_batch()
        optimizer.zero_grad()
        z, losses = w.forward(x, y)
        mtl_backward(losses, features=z)
        jac_to_grad(shared, aggregator)
        optimizer.step()
        return torch.stack(losses).detach().sum()

    return run


LIBMTL_OPTIONS = dict(T=2.0, mgda_gn="none", GradVac_beta=0.5, GradVac_group_type=0, calpha=0.5, rescale=1,
                      update_weights_every=1, optim_niter=20, max_norm=1.0, FairGrad_alpha=1.0,
                      UPGrad_norm_eps=1e-4, UPGrad_reg_eps=1e-4, FAMO_w_lr=0.025, FAMO_w_gamma=1e-3)


def libmtl_weighting(name):
    if "LibMTL" not in sys.modules:  # its top package wants libraries that the weightings do not need
        for package, folder in [("LibMTL", "LibMTL"), ("LibMTL.architecture", "LibMTL/architecture")]:
            sys.modules[package] = types.ModuleType(package)
            sys.modules[package].__path__ = [os.path.join(os.environ["LIBMTL"], folder)]
    return getattr(importlib.import_module("LibMTL.weighting"), name)


def libmtl(name, w):
    weighting = libmtl_weighting(name)
    sharing = importlib.import_module("LibMTL.architecture.HPS").HPS
    names = [str(t) for t in range(w.tasks)]
    model_type = type("Model", (sharing, weighting), {})
    heads = nn.ModuleDict(dict(zip(names, w.heads)))
    model = model_type(names, lambda: w.encoder, heads, False, False, torch.device("cpu"))
    model.init_param()
    optimizer = w.optimizer(model.parameters())

    def losses_of(x, y):
        predictions, losses = model(x), torch.zeros(w.tasks)
        for t, task in enumerate(names):
            losses[t] = w.losses[t](predictions[task], y[t])
            losses[t].item()
        return losses

    def run():
        x, y = w.next_batch()
        losses = losses_of(x, y)
        optimizer.zero_grad(set_to_none=False)
        model.backward(losses, **LIBMTL_OPTIONS)
        optimizer.step()
        if name == "FAMO":
            with torch.no_grad():
                model.update_w(losses_of(x, y))
        return losses.detach().sum()

    return run


def make_step(method, workload):
    library, _, name = method.partition("/")
    return {"torch": plain, "torchjd": torchjd, "libmtl": libmtl}[library](name, workload)


def torchjd_solver(name, tasks):
    from torchjd import aggregation

    if name == "NashMTL":  # has no weighting of the Gramian
        weighting = aggregation.NashMTL(**torchjd_options(name, tasks)).weighting
        return lambda jacobian, gramian: weighting(jacobian)
    weighting = getattr(aggregation, name + "Weighting")(**torchjd_options(name, tasks))
    return lambda jacobian, gramian: weighting(gramian)


def libmtl_solver(name, tasks):
    """Its `backward` on a given Jacobian: no backpropagation, nothing written back."""

    class Solver(libmtl_weighting(name)):
        task_num, rep_grad, device = tasks, False, torch.device("cpu")

        def _compute_grad_dim(self): pass
        def _reset_grad(self, grad): pass
        def get_share_params(self): return []
        def _compute_grad(self, losses, mode, rep_grad=False): return self.jacobian
        def _get_grads(self, losses, mode="backward"): return self.jacobian

    solver = Solver()
    solver.init_param()

    def solve(jacobian, gramian):
        solver.jacobian = jacobian
        return solver.backward(torch.ones(tasks, requires_grad=True), **LIBMTL_OPTIONS)

    return solve


def solver_seconds(method, tasks):
    """Processor seconds a call in double precision, median over five matrices; the first call compiles and is not counted."""
    library, _, name = method.partition("/")
    solve = {"torchjd": torchjd_solver, "libmtl": libmtl_solver}[library](name, tasks)
    torch.manual_seed(tasks)
    jacobians = [10 ** (torch.rand(tasks, 1) - 0.5) * torch.randn(tasks, 2 * tasks) for _ in range(5)]

    def seconds(jacobian, gramian, calls):
        start = time.process_time()
        for _ in range(calls):
            solve(jacobian, gramian)
        return (time.process_time() - start) / calls

    solve(jacobians[0], jacobians[0] @ jacobians[0].T)
    by_matrix = []
    for jacobian in jacobians:
        gramian = jacobian @ jacobian.T
        once = seconds(jacobian, gramian, 1)
        calls = max(1, min(200, int(0.02 / once)))
        by_matrix.append(once if calls == 1 else statistics.median(seconds(jacobian, gramian, calls) for _ in range(3)))
        if once > 1:
            break
    return statistics.median(by_matrix)


def failure(error):
    return "error " + f"{type(error).__name__}: {error}".replace("\n", " ")[:160]


def wait():
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()


def serve():
    """The protocol of benchmarks/worker.cpp."""
    global DEVICE
    steps = {}
    for line in sys.stdin:
        command, *words = line.split()
        if command == "threads":
            torch.set_num_threads(int(words[0]))
            answer = "ok"
        elif command == "device":
            DEVICE = torch.device(words[0])
            answer = "ok"
        elif command == "reset":
            steps.clear()
            answer = "ok"
        elif command == "solve":
            torch.set_default_dtype(torch.float64)
            try:
                answer = f"{solver_seconds(words[0], int(words[1])):.9g}"
            except Exception as error:
                answer = failure(error)
            torch.set_default_dtype(torch.float32)
        else:
            name, tasks, method, count = words[0], int(words[1]), words[2], int(words[3])
            try:
                key = (name, tasks, method)
                if key not in steps:
                    steps[key] = make_step(method, Workload(name, tasks))
                wait()
                start = time.perf_counter()
                for _ in range(count):
                    loss = steps[key]()
                wait()
                answer = f"{(time.perf_counter() - start) / count:.9g} {loss.item():.9g}"
            except Exception as error:  # a peer that fails is a line in the table
                answer = failure(error)
        print(answer, flush=True)


def peak_memory(name, tasks, method):
    """Two steps in this process; its largest resident set in MiB."""
    torch.set_num_threads(1)
    step = make_step(method, Workload(name, tasks))
    step(), step()
    with open("/proc/self/status") as status:
        print(next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024)


if __name__ == "__main__":
    if len(sys.argv) == 5 and sys.argv[1] == "--memory":
        peak_memory(sys.argv[2], int(sys.argv[3]), sys.argv[4])
    else:
        serve()
