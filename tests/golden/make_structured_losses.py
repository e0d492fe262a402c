"""Losses of boxes, regions and sequences, into structured_losses.json, straight from their definitions with NumPy: CTC
by going through every path of classes, with the gradient by what each step contributes to the paths that count."""
import itertools
import json
import numpy as np

r = np.random.default_rng(5)


def softmax(y, axis):
    e = np.exp(y - y.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def ctc(steps, classes, labels):
    y = np.round(r.normal(size=(steps, classes)), 1)
    p = softmax(y, 1)
    total, through = 0.0, np.zeros_like(p)
    for path in itertools.product(range(classes), repeat=steps):
        if [c for c, _ in itertools.groupby(path) if c != 0] != labels:
            continue
        chance = np.prod(p[np.arange(steps), path])
        total += chance
        through[np.arange(steps), path] += chance
    length = len(labels)
    return {"logits": y.tolist(), "labels": labels, "loss": -np.log(total) / length,
            "gradient": ((p - through / total) / length).tolist()}


def box(y, t):
    def area(b):
        return max(0.0, b[2] - b[0]) * max(0.0, b[3] - b[1])

    overlap = area([max(y[0], t[0]), max(y[1], t[1]), min(y[2], t[2]), min(y[3], t[3])])
    union = area(y) + area(t) - overlap
    hull = area([min(y[0], t[0]), min(y[1], t[1]), max(y[2], t[2]), max(y[3], t[3])])
    return {"l1": float(abs(y - t).sum()), "giou": overlap / union - (hull - union) / hull}


def boxes():
    t = np.sort(r.uniform(size=(6, 2, 2)), axis=1).reshape(6, 4)  # x0, y0, x1, y1
    y = t + r.normal(scale=0.2, size=t.shape)
    y[0], y[1], y[2] = t[0], t[1] + 2, [0.3, 0.3, 0.1, 0.5]  # the same, one far away, one turned inside out
    return {"found": y.tolist(), "truth": t.tolist(), "expected": [box(a, b) for a, b in zip(y, t)]}


def regions():
    y, t = r.normal(size=(3, 4, 5, 5)), r.integers(0, 4, (3, 5, 5))
    t[r.random(t.shape) < 0.2] = -100
    p, known = softmax(y, 1), t >= 0
    iou, dice = [], []
    for n in range(3):
        both = np.array([p[n, c][known[n] & (t[n] == c)].sum() for c in range(4)])
        total = np.array([p[n, c][known[n]].sum() + (t[n] == c).sum() for c in range(4)])
        iou.append(1 - ((both + 1) / (total - both + 1)).mean())
        dice.append(1 - ((2 * both + 1) / (total + 1)).mean())
    return {"logits": y.tolist(), "labels": t.tolist(), "iou": iou, "dice": dice}


json.dump({"ctc": [ctc(5, 3, [1, 2]), ctc(5, 3, [1, 1]), ctc(6, 3, [2, 1, 2]), ctc(3, 4, [3]), ctc(3, 3, [2, 2])],
           "boxes": boxes(), "regions": regions()}, open("structured_losses.json", "w"))
