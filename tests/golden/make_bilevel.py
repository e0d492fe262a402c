"""Writes bilevel.json: paths of Auto-Lambda, MOML and FORUM over three quadratic tasks, from the papers' formulas.

Losses are .5 (x - c)'A(x - c), so every product with a Hessian is exact. Quadratic programs are solved by trying all
supports. Step 3 has no training label of task 1, step 5 no validation label of task 0; FORUM's epoch has three steps.
"""
import itertools
import json

import numpy as np

T, P, STEPS, RATE = 3, 4, 8, 0.05
rng = np.random.default_rng(7)


def quadratics():
    roots = rng.normal(size=(T, P, P))
    return np.einsum("tij,tkj->tik", roots, roots) / P, rng.normal(size=(T, P))


TRAIN, VALID = quadratics(), quadratics()
PRESENT = [[0, 2] if k == 2 else [0, 1, 2] for k in range(STEPS)]
VALIDATED = [[1, 2] if k == 4 else [0, 1, 2] for k in range(STEPS)]


def losses(problem, tasks, x):
    return np.array([0.5 * (x - problem[1][t]) @ problem[0][t] @ (x - problem[1][t]) for t in tasks])


def rows(problem, tasks, x):
    return np.array([problem[0][t] @ (x - problem[1][t]) for t in tasks])


def softmax(a):
    e = np.exp(a - a.max())
    return e / e.sum()


def quadratic_program(h, b, simplex):
    """argmin .5 y'Hy - b'y over y >= 0 whose first `simplex` entries sum to 1."""
    n, best = len(b), (np.inf, None)
    for chosen in itertools.product([0, 1], repeat=n):
        s = [i for i in range(n) if chosen[i]]
        one = np.array([1.0 if i < simplex else 0.0 for i in s])
        if not one.any():
            continue
        m = np.block([[h[np.ix_(s, s)], one[:, None]], [one[None, :], np.zeros((1, 1))]])
        y = np.zeros(n)
        y[s] = np.linalg.lstsq(m, np.append(b[s], 1.0), rcond=None)[0][:-1]
        value = 0.5 * y @ h @ y - b @ y
        if y.min() > -1e-12 and abs(y[:simplex].sum() - 1) < 1e-9 and value < best[0]:
            best = (value, y)
    return best[1]


class Adam:
    def __init__(self, start, lr):
        self.values, self.lr = np.full(T, start), lr
        self.mean, self.square, self.steps = np.zeros(T), np.zeros(T), np.zeros(T)

    def descend(self, tasks, gradient):
        self.steps[tasks] += 1
        self.mean[tasks] = 0.9 * self.mean[tasks] + 0.1 * gradient
        self.square[tasks] = 0.999 * self.square[tasks] + 0.001 * gradient**2
        mean = self.mean[tasks] / (1 - 0.9 ** self.steps[tasks])
        square = self.square[tasks] / (1 - 0.999 ** self.steps[tasks])
        self.values[tasks] -= self.lr * mean / (np.sqrt(square) + 1e-8)


def auto_lambda(lr, inner_lr, primary):
    weights = Adam(0.1, lr)

    def step(k, x):
        a, b = PRESENT[k], VALIDATED[k]
        g, w = rows(TRAIN, a, x), weights.values[a]
        v = np.array(primary)[b] @ rows(VALID, b, x - inner_lr * w @ g)
        weights.descend(a, -inner_lr * g @ v)
        weights.values = np.maximum(weights.values, 0)
        return weights.values[a] @ g, weights.values

    return step


def moml(lr, inner_lr, scale):
    logits = Adam(0.0, lr)

    def step(k, x):
        a, b = PRESENT[k], VALIDATED[k]
        g, p = rows(TRAIN, a, x), softmax(logits.values[a])
        slopes = -inner_lr * rows(VALID, b, x - inner_lr * p @ g) @ g.T @ (np.diag(p) - np.outer(p, p))
        if scale == "l2":
            slopes /= np.linalg.norm(slopes, axis=1, keepdims=True)
        shares = quadratic_program(slopes @ slopes.T, np.zeros(len(b)), len(b))
        logits.descend(a, shares @ slopes)
        return softmax(logits.values[a]) @ g, logits.values

    return step


def forum(lr, inner_lr, inner_steps, rho, scale):
    logits, smooth = Adam(0.0, lr), np.full(T, 1 / T)

    def step(k, x):
        a, b, n = PRESENT[k], VALIDATED[k], len(VALIDATED[k])
        p, inner = softmax(logits.values[a]), x.copy()
        for _ in range(inner_steps):
            inner = inner - inner_lr * p @ rows(TRAIN, a, inner)
        jacobian = np.diag(p) - np.outer(p, p)
        gained = losses(TRAIN, a, x) - losses(TRAIN, a, inner)
        q = np.concatenate([jacobian @ gained, p @ rows(TRAIN, a, x)])
        upper = rows(VALID, b, x)
        if scale == "l2":
            upper /= np.linalg.norm(upper, axis=1, keepdims=True)
        f = np.hstack([np.zeros((n, len(a))), upper])
        both = np.vstack([f, q])
        demand = np.append(np.zeros(n), rho * q @ q)
        found = quadratic_program(both @ both.T, demand, n)[:n]
        epoch, part = k // 3 + 1, smooth[b].sum()
        share = smooth[b] / part
        share = share + (found - share) / epoch**0.75
        smooth[b] = part * share
        nu = max(0.0, share @ (rho - f @ q / (q @ q)))
        d = share @ f + nu * q
        logits.descend(a, d[: len(a)])
        return d[len(a) :], logits.values

    return step


def path(step):
    x, taken = np.full(P, 0.3), []
    for k in range(STEPS):
        direction, weights = step(k, x)
        taken.append({"gradient": direction.tolist(), "weights": weights.tolist()})
        x = x - RATE * direction
    return taken


CASES = {
    "auto_lambda:lr=0.03,inner_lr=0.2": auto_lambda(0.03, 0.2, [1, 1, 1]),
    "auto_lambda:lr=0.01,inner_lr=0.2,primary=1/0/0.5": auto_lambda(0.01, 0.2, [1, 0, 0.5]),
    "moml:lr=0.05,inner_lr=0.2": moml(0.05, 0.2, "l2"),
    "moml:lr=0.05,inner_lr=0.2,scale=none": moml(0.05, 0.2, "none"),
    "forum:lr=0.05,inner_steps=3,rho=1": forum(0.05, 0.1, 3, 1.0, "l2"),
    "forum:lr=0.05,inner_lr=0.2,inner_steps=2,rho=0.8,scale=none": forum(0.05, 0.2, 2, 0.8, "none"),
}
problem = lambda ac: {"a": ac[0].tolist(), "c": ac[1].tolist()}
with open("bilevel.json", "w") as file:
    json.dump(
        {
            "train": problem(TRAIN),
            "valid": problem(VALID),
            "present": PRESENT,
            "validated": VALIDATED,
            "start": [0.3] * P,
            "rate": RATE,
            "cases": {name: path(step) for name, step in CASES.items()},
        },
        file,
    )
