"""Writes sharing.json: predictions, gradients and penalties of the ways of sharing, from the papers' formulas.

Needs numpy and autograd (github.com/HIPS/autograd). Each case is a network of three tasks (or one) with heads of one output on
inputs [3, 2]; an encoder, expert or stage is tanh(x W' + b). All values come from rules that the tests apply, too: the k-th
parameter in the order of the names holds .6 sin((.9 + .1 k) i + 1.3 k + .2), x holds sin(.7 i + .5). Gradients are those of
sum_t (t + 1) sum(prediction_t^2) / 2, or of the penalty.
"""

import json
import pathlib

import autograd.numpy as np
from autograd import value_and_grad

N, IN = 3, 2
X = np.sin(0.7 * np.arange(N * IN) + 0.5).reshape(N, IN)
cases = []


class Net:
    """Asks for parameters by name; what has been asked for is what the case has."""

    def __init__(self, values):
        self.values, self.shapes = values, {}

    def p(self, name, *shape):
        self.shapes[name] = list(shape)
        return self.values[name] if name in self.values else np.zeros(shape)

    def linear(self, name, x, out):
        return x @ self.p(f"{name}.weight", out, x.shape[1]).T + self.p(f"{name}.bias", out)

    def layer(self, name, x, out):
        return np.tanh(self.linear(f"{name}.layers.0", x, out))

    def head(self, task, h):
        return self.linear(f"heads.{task}", h, 1)


def softmax(z):
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def case(name, tasks, forward, penalty=None):
    probe = Net({})
    forward(probe, X, tasks)
    names = sorted(probe.shapes)
    values = {}
    for k, key in enumerate(names):
        size = int(np.prod(probe.shapes[key]))
        values[key] = (0.6 * np.sin((0.9 + 0.1 * k) * np.arange(size) + 1.3 * k + 0.2)).reshape(probe.shapes[key])

    def loss(v):
        out = forward(Net(v), X, tasks)
        return sum((t + 1) * np.sum(out[task] ** 2) / 2 for t, task in enumerate(tasks))

    entry = {"name": name, "tasks": tasks, "shapes": {key: probe.shapes[key] for key in names}}
    out = forward(Net(values), X, tasks)
    entry["predictions"] = {task: out[task].flatten().tolist() for task in tasks}
    _, gradient = value_and_grad(loss)(values)
    entry["gradients"] = {key: np.array(gradient[key]).flatten().tolist() for key in names}
    if penalty is not None:
        value, gradient = value_and_grad(lambda v: penalty(Net(v), tasks))(values)
        entry["penalty"] = float(value)
        entry["penalty_gradients"] = {key: np.array(gradient[key]).flatten().tolist() for key in names}
    cases.append(entry)


# Soft sharing: one layer of width 4 a task.
def soft(net, x, tasks):
    return {t: net.head(t, net.layer(f"encoders.{t}", x, 4)) for t in tasks}


def soft_rows(net, tasks):
    for name, shape in [("layers.0.weight", (4, IN)), ("layers.0.bias", (4,))]:
        yield [net.p(f"encoders.{t}.{name}", *shape) for t in tasks]


def soft_l2(net, tasks):
    return 0.3 * sum(np.sum((r[t] - r[u]) ** 2) for r in soft_rows(net, tasks) for u in range(len(r)) for t in range(u))


def soft_l1(net, tasks):
    return 0.3 * sum(np.sum(np.abs(r[t] - r[u])) for r in soft_rows(net, tasks) for u in range(len(r)) for t in range(u))


def soft_trace(net, tasks):
    return 0.3 * sum(np.sum(np.linalg.svd(np.stack([p.flatten() for p in r]), full_matrices=False)[1])
                     for r in soft_rows(net, tasks))


case("soft_l2", ["a", "b", "c"], soft, soft_l2)
case("soft_l1", ["a", "b", "c"], soft, soft_l1)
case("soft_trace_norm", ["a", "b", "c"], soft, soft_trace)


# Cross-stitch: two stages of width 4; a number a task, or a number a task and channel.
def cross_stitch(channels):
    def forward(net, x, tasks):
        h = {t: x for t in tasks}
        for k in range(2):
            out = np.stack([net.layer(f"columns.{t}.{k}", h[t], 4) for t in tasks])
            for t in tasks:
                if len(tasks) == 1:
                    h[t] = out[0]
                elif channels:
                    h[t] = np.einsum("uc,unc->nc", net.p(f"stitches.{k}.{t}", len(tasks), 4), out)
                else:
                    h[t] = np.einsum("u,unc->nc", net.p(f"stitches.{k}.{t}", len(tasks)), out)
        return {t: net.head(t, h[t]) for t in tasks}
    return forward


case("cross_stitch", ["a", "b", "c"], cross_stitch(False))
case("cross_stitch_channels", ["a", "b", "c"], cross_stitch(True))
case("cross_stitch", ["a"], cross_stitch(False))


# MMoE: experts of width 4.
def mmoe(experts):
    def forward(net, x, tasks):
        f = np.stack([net.layer(f"experts.{e}", x, 4) for e in range(experts)], 1)
        return {t: net.head(t, np.einsum("ne,nec->nc", softmax(x @ net.p(f"gates.{t}.weight", experts, IN).T), f))
                for t in tasks}
    return forward


case("mixture_of_experts", ["a", "b", "c"], mmoe(3))
case("mixture_of_experts", ["a"], mmoe(3))


# PLE: `own` experts a task and `common` shared ones a level, of width 4; the shared gate sees all experts.
def ple(levels, own, common):
    def forward(net, x, tasks):
        by_task, shared = {t: x for t in tasks}, x
        for l in range(levels):
            at = f"levels.{l}"
            mine = {t: [net.layer(f"{at}.tasks.{t}.{e}", by_task[t], 4) for e in range(own)] for t in tasks}
            ours = [net.layer(f"{at}.shared.{e}", shared, 4) for e in range(common)]

            def mix(gate, sees, experts):
                w = softmax(sees @ net.p(f"{at}.{gate}.weight", len(experts), sees.shape[1]).T)
                return np.einsum("ne,nec->nc", w, np.stack(experts, 1))

            after = {t: mix(f"gates.{t}", by_task[t], mine[t] + ours) for t in tasks}
            if l + 1 < levels:
                shared = mix("shared_gate", shared, [f for t in tasks for f in mine[t]] + ours)
            by_task = after
        return {t: net.head(t, by_task[t]) for t in tasks}
    return forward


case("cgc", ["a", "b", "c"], ple(1, 2, 1))
case("ple", ["a", "b", "c"], ple(2, 2, 1))
case("ple_three_levels", ["a", "b", "c"], ple(3, 1, 2))
case("ple", ["a"], ple(2, 2, 1))


# MTAN: two stages; u of width 3, p of width 4, masks of one hidden layer of 2, a carry of width 5 after the first stage.
def mtan(net, x, tasks):
    p, c = x, {t: None for t in tasks}
    for k in range(2):
        u = net.layer(f"stages.{k}.first", p, 3)
        p = net.layer(f"stages.{k}.second", u, 4)
        for t in tasks:
            seen = u if c[t] is None else np.concatenate([u, c[t]], 1)
            scores = net.linear(f"masks.{t}.{k}.layers.1", net.layer(f"masks.{t}.{k}", seen, 2), 4)
            a = sigmoid(scores) * p
            c[t] = net.layer(f"stages.{k}.carry", a, 5) if k == 0 else a
    return {t: net.head(t, c[t]) for t in tasks}


case("multi_task_attention", ["a", "b", "c"], mtan)
case("multi_task_attention", ["a"], mtan)


# Sluice: two stages of width 4, two subspaces.
def sluice(net, x, tasks):
    h, answers = {t: x for t in tasks}, {t: 0 for t in tasks}
    for k in range(2):
        out = np.concatenate([net.layer(f"columns.{t}.{k}", h[t], 4) for t in tasks], 1)  # [N, T * 4]
        parts = np.stack([out[:, 2 * j:2 * j + 2] for j in range(2 * len(tasks))])  # [T G, N, 2]
        for t in tasks:
            alpha = net.p(f"alphas.{k}.{t}", 2, 2 * len(tasks))
            h[t] = np.concatenate([np.einsum("j,jnc->nc", alpha[g], parts) for g in range(2)], 1)
            answers[t] = answers[t] + net.p(f"betas.{t}", 2)[k] * h[t]
    return {t: net.head(t, answers[t]) for t in tasks}


def sluice_penalty(net, tasks):
    total = 0
    for t in tasks:
        for k, width in [(0, IN), (1, 4)]:
            w = net.p(f"columns.{t}.{k}.layers.0.weight", 4, width)
            total = total + np.sum((w[:2] @ w[2:].T) ** 2)
    return 0.3 * total


case("sluice", ["a", "b", "c"], sluice, sluice_penalty)
case("sluice", ["a"], sluice, sluice_penalty)


# DSelect-k: gates of two choices; by task over four experts, by sample over three.
def smooth_step(z, gamma):
    inner = -2 / gamma ** 3 * z ** 3 + 3 / (2 * gamma) * z + 0.5
    return np.where(z <= -gamma / 2, 0.0, np.where(z >= gamma / 2, 1.0, inner))


def dselect_gate(net, x, task, experts, by_sample, gamma):
    if by_sample:
        select = x @ net.p(f"gates.{task}.select", 2, IN).T  # [N, 2]
        code = np.einsum("kbi,ni->nkb", net.p(f"gates.{task}.code", 2, 2, IN), x)
    else:
        select, code = net.p(f"gates.{task}.select", 2), net.p(f"gates.{task}.code", 2, 2)
    s = smooth_step(code, gamma)
    r = []
    for e in range(experts):
        low, high = (s[..., 0] if e % 2 else 1 - s[..., 0]), (s[..., 1] if e // 2 else 1 - s[..., 1])
        r.append(low * high)
    return softmax(select), np.stack(r, -1)  # [..., choices], [..., choices, experts]


def dselect(experts, by_sample, gamma):
    def forward(net, x, tasks):
        f = np.stack([net.layer(f"experts.{e}", x, 4) for e in range(experts)], 1)
        out = {}
        for t in tasks:
            shares, r = dselect_gate(net, x, t, experts, by_sample, gamma)
            q = np.sum(shares[..., None] * r, -2) * np.ones((len(x), 1))
            out[t] = net.head(t, np.einsum("ne,nec->nc", q, f))
        return out

    def penalty(net, tasks):
        total = 0
        for t in tasks:
            _, r = dselect_gate(net, X, t, experts, by_sample, gamma)
            value = -0.3 * np.sum(r * np.log(r + 1e-6), -1)
            if experts == 3:
                value = value + 1 / np.sum(r, -1)
            total = total + np.mean(np.sum(value, -1))
        return total
    return forward, penalty


case("dselect_k_by_task", ["a", "b", "c"], *dselect(4, False, 0.8))
case("dselect_k_by_sample", ["a", "b", "c"], *dselect(3, True, 2.5))
case("dselect_k_by_task", ["a"], *dselect(4, False, 0.8))


# FiLM, adapters and low-rank updates: three stages, of which the first is common to all tasks.
def film(net, x, tasks):
    first = net.layer("stages.0", x, 3)
    out = {}
    for t in tasks:
        h = first
        for k, width in [(1, 5), (2, 4)]:
            name = f"modulations.{t}.{k}"
            h = net.layer(f"stages.{k}", h, width) * net.p(f"{name}.scale", width) + net.p(f"{name}.shift", width)
        out[t] = net.head(t, h)
    return out


def adapters(net, x, tasks):
    first = net.layer("stages.0", x, 3)
    out = {}
    for t in tasks:
        h = first
        for k, width in [(1, 5), (2, 4)]:
            h = net.layer(f"stages.{k}", h, width)
            h = h + net.linear(f"adapters.{t}.{k}.up", np.tanh(net.linear(f"adapters.{t}.{k}.down", h, 2)), width)
        out[t] = net.head(t, h)
    return out


def low_rank(net, x, tasks):
    def updated(name, h, rank, width):
        return h @ net.p(f"{name}.a", rank, h.shape[1]).T @ net.p(f"{name}.b", width, rank).T

    out = {}
    for t in tasks:
        h = x
        for k, width in enumerate([3, 5, 4]):
            y = net.linear(f"layers.{k}", h, width) + 0.5 * updated(f"shared_updates.{k}", h, 2, width)
            if k > 0:
                y = y + 2.0 * updated(f"task_updates.{t}.{k}", h, 1, width)
            h = np.tanh(y)
        out[t] = net.head(t, h)
    return out


for tasks in (["a", "b", "c"], ["a"]):
    case("film", tasks, film)
    case("task_adapters", tasks, adapters)
    case("low_rank_updates", tasks, low_rank)


# Learning to branch in evaluation mode: levels of two and three nodes, each reading what its largest logit says.
def learned_branching(net, x, tasks):
    v = [net.layer(f"nodes.0.{i}", x, 4) for i in range(2)]
    v = [net.layer(f"nodes.1.{i}", v[int(np.argmax(value_of(net.p(f"choices.1.{i}", 2))))], 4) for i in range(3)]
    return {t: net.head(t, v[int(np.argmax(value_of(net.p(f"task_choices.{t}", 3))))]) for t in tasks}


def value_of(x):
    return getattr(x, "_value", x)


case("learned_branching", ["a", "b", "c"], learned_branching)

path = pathlib.Path(__file__).with_name("sharing.json")
path.write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
