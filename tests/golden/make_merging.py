"""Writes merging.json: weights merged by the papers' formulas (docs/surgery.md).

Needs numpy and autograd (github.com/HIPS/autograd). Weights come from a rule that the tests apply, too: the i-th entry of the
k-th tensor of set s (0: the start, m + 1: model m) is .6 sin((.9 + .1 k) i + 1.3 k + .7 s + .2) for the start, and for a model
the start plus .2 of that. Draws are splitmix64 as the library has it.
"""

import json
import pathlib

import autograd.numpy as np
from autograd import grad

SHAPES = {"encoder.first.weight": (4, 3), "encoder.first.bias": (4,), "encoder.norm.weight": (4,), "encoder.norm.bias": (4,),
          "encoder.norm.running_mean": (4,), "encoder.norm.running_var": (4,), "encoder.last.weight": (3, 4)}
COUNT = "encoder.norm.num_batches_tracked"
STATISTICS = ("running_mean", "running_var")


def rule(s, k, shape):
    i = np.arange(int(np.prod(shape)))
    return (0.6 * np.sin((0.9 + 0.1 * k) * i + 1.3 * k + 0.7 * s + 0.2)).reshape(shape)


def start():
    return {name: rule(0, k, shape) for k, (name, shape) in enumerate(SHAPES.items())}


def model(m):
    return {name: rule(0, k, shape) + 0.2 * rule(m + 1, k, shape) for k, (name, shape) in enumerate(SHAPES.items())}


def is_statistic(name):
    return name.rsplit(".", 1)[-1] in STATISTICS


def flat(values):
    return np.concatenate([values[n].flatten() for n in SHAPES if not is_statistic(n)])


def unflat(vector, models):
    """The merged part from one vector; running statistics are the mean of the models'."""
    out, at = {}, 0
    for name, shape in SHAPES.items():
        if is_statistic(name):
            out[name] = sum(m[name] for m in models) / len(models)
            continue
        size = int(np.prod(shape))
        out[name], at = vector[at:at + size].reshape(shape), at + size
    return out


def vectors_of(models):
    return np.stack([flat(m) - flat(start()) for m in models])


def ties(vectors, keep, of):
    kept = []
    for v in vectors:
        count = max(1, int(np.floor(keep * v.size + 0.5)))
        smallest = sorted(abs(v), reverse=True)[count - 1]
        kept.append([x if abs(x) >= smallest else 0.0 for x in v])
    merged = []
    for entries in zip(*kept):
        sign = np.sign(sum(entries))
        same = [x for x in entries if sign != 0 and np.sign(x) == sign]
        merged.append(sum(same) / (len(same) if of == "mean" and same else 1))
    return np.array(merged)


MASK = (1 << 64) - 1


def mix(seed, number):
    z = (seed + 0x9E3779B97F4A7C15 * (number + 1)) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def dare(models, drop, seed):
    """Thinned task vectors. The order of a model's tensors counts the statistics and the batches, too."""
    order = list(SHAPES) + [COUNT]
    out = []
    for m, values in enumerate(models):
        parts = []
        for k, name in enumerate(order):
            if name == COUNT or is_statistic(name):
                continue
            v = (values[name] - start()[name]).flatten()
            draws = [(mix(mix(mix(seed, m), k), i) >> 11) * 2.0 ** -53 for i in range(v.size)]
            parts.append(np.array([x / (1 - drop) if u >= drop else 0.0 for x, u in zip(v, draws)]))
        out.append(np.concatenate(parts))
    return np.stack(out)


cases = []


def case(name, options, models, moved):
    merged = unflat(flat(start()) + moved, models)
    cases.append({"name": name, "options": options, "models": len(models),
                  "merged": {key: np.array(value).flatten().tolist() for key, value in merged.items()}})


for count in (1, 2, 3):
    models = [model(m) for m in range(count)]
    v = vectors_of(models)
    case("mean", {}, models, v.mean(0))
    case("task_arithmetic", {"scale": 0.3}, models, 0.3 * v.sum(0))
    for keep in (0.2, 0.05, 1.0):
        case("ties", {"keep": keep, "of": "mean", "scale": 1.0}, models, ties(v, keep, "mean"))
    case("ties", {"keep": 0.2, "of": "sum", "scale": 0.3}, models, 0.3 * ties(v, 0.2, "sum"))
    thin = dare(models, 0.5, 7)
    case("dare", {"drop": 0.5, "seed": 7, "then": "task_arithmetic"}, models, 0.3 * thin.sum(0))
    case("dare", {"drop": 0.9, "seed": 8, "then": "ties"}, models, ties(dare(models, 0.9, 8), 0.2, "mean"))


# AdaMerging: relu(x W' + b) U' with heads of 3 classes and of 2 yes-or-no scores; Adam by its paper.
X = np.sin(0.7 * np.arange(30) + 0.5).reshape(5, 2, 3)  # of five steps
NET = {"encoder.layers.0.weight": (4, 3), "encoder.layers.0.bias": (4,), "encoder.layers.1.weight": (4, 4), "encoder.layers.1.bias": (4,)}
HEADS = {"heads.kind.weight": (3, 4), "heads.kind.bias": (3,), "heads.flags.weight": (2, 4), "heads.flags.bias": (2,)}


def log_softmax(z):
    z = z - np.max(z, axis=1, keepdims=True)
    return z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))


def entropies(weights, heads, x):
    h = x
    for k in range(2):
        h = np.maximum(h @ weights[f"encoder.layers.{k}.weight"].T + weights[f"encoder.layers.{k}.bias"], 0)
    log_p = log_softmax(h @ heads["heads.kind.weight"].T + heads["heads.kind.bias"])
    s = 1 / (1 + np.exp(-(h @ heads["heads.flags.weight"].T + heads["heads.flags.bias"])))
    return np.mean(-np.sum(np.exp(log_p) * log_p, 1)) + np.mean(-(s * np.log(s) + (1 - s) * np.log(1 - s)))


def ada_merging(by):
    from_ = {name: rule(0, k, shape) for k, (name, shape) in enumerate(NET.items())}
    tuned = [{name: from_[name] + 0.2 * rule(m + 1, k, shape) for k, (name, shape) in enumerate(NET.items())} for m in range(2)]
    heads = {name: rule(5, k, shape) for k, (name, shape) in enumerate(HEADS.items())}
    layers = ["encoder.layers.0", "encoder.layers.1"] if by == "layer" else [""]

    def weights(coefficients):
        out = {}
        for name in NET:
            l = layers.index(name.rsplit(".", 1)[0]) if by == "layer" else 0
            out[name] = from_[name] + sum(coefficients[m, l] * (tuned[m][name] - from_[name]) for m in range(2))
        return out

    def objective(coefficients, x):
        return entropies(weights(coefficients), heads, x)

    c = np.full((2, len(layers)), 0.3)
    first, second = np.zeros_like(c), np.zeros_like(c)
    values = []
    for step in range(5):
        values.append(float(objective(c, X[step])))
        g = grad(objective)(c, X[step])
        first, second = 0.9 * first + 0.1 * g, 0.999 * second + 0.001 * g * g
        n = step + 1
        c = c - 0.05 * (first / (1 - 0.9 ** n)) / (np.sqrt(second / (1 - 0.999 ** n)) + 1e-8)
    cases.append({"name": "ada_merging", "options": {"by": by, "steps": 5, "learning_rate": 0.05}, "models": 2, "layers": layers,
                  "coefficients": c.tolist(), "objective": values,
                  "merged": {key: value.flatten().tolist() for key, value in weights(c).items()}})


ada_merging("layer")
ada_merging("task")

path = pathlib.Path(__file__).with_name("merging.json")
path.write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
