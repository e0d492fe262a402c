"""Losses of boxes, regions and sequences, into structured_losses.json, straight from their definitions with NumPy: CTC
by going through every path of classes, with the gradient by what each step contributes to the paths that count;
assignments by SciPy."""
import itertools
import json
import numpy as np
from scipy.optimize import linear_sum_assignment

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


def assignments():
    tables = [r.normal(size=shape) for shape in [(1, 1), (4, 4), (7, 7), (3, 9), (9, 3), (30, 30), (12, 40)]]
    tables += [r.integers(0, 4, shape).astype(float) for shape in [(6, 6), (5, 8), (8, 5)]]  # ties
    tables += [-np.outer(np.arange(1, 9), np.arange(1, 9.0)), r.normal(size=(8, 8)) * 1e6 - 5e6]
    return [{"costs": t.tolist(), "total": t[linear_sum_assignment(t)].sum()} for t in tables]


def box_sets():
    answers, objects, classes, alpha, gamma = 6, 4, 3, 0.25, 2.0
    y = np.concatenate([r.uniform(size=(5, answers, 4)), r.normal(size=(5, answers, classes))], 2)
    t = np.full((5, objects, 5), np.nan)
    for n, count in enumerate([0, 1, 2, 3, 4]):
        t[n, 0, 4] = -1
        for g in range(count):
            corner, size = r.uniform(0, 0.6, 2), r.uniform(0.1, 0.4, 2)
            t[n, g] = [*corner, *(corner + size), r.integers(0, classes)]
            y[n, g + 1, :4] = t[n, g, :4] + r.normal(scale=0.05, size=4)
    t[0, 0, :4] = -1
    losses, matched = [], []
    for n, count in enumerate([0, 1, 2, 3, 4]):
        p = 1 / (1 + np.exp(-y[n, :, 4:]))
        yes, no = -alpha * (1 - p) ** gamma * np.log(p), -(1 - alpha) * p**gamma * np.log(1 - p)
        costs = np.zeros((count, answers))
        for g in range(count):
            c = int(t[n, g, 4])
            for q in range(answers):
                b = box(y[n, q, :4], t[n, g, :4])
                costs[g, q] = 2 * (yes - no)[q, c] + 5 * b["l1"] + 2 * (1 - b["giou"])
        rows, columns = linear_sum_assignment(costs)
        total = 0.0
        for q in range(answers):
            for c in range(classes):
                is_match = any(columns[g] == q and int(t[n, g, 4]) == c for g in rows)
                total += 2 * (yes if is_match else no)[q, c]
        for g in rows:
            b = box(y[n, columns[g], :4], t[n, g, :4])
            total += 5 * b["l1"] + 2 * (1 - b["giou"])
        losses.append(total / max(1, count))
        matched.append(columns.tolist())
    return {"answers": y.tolist(), "objects": np.nan_to_num(t, nan=-1e9).tolist(),
            "losses": losses, "matched": matched}


json.dump({"ctc": [ctc(5, 3, [1, 2]), ctc(5, 3, [1, 1]), ctc(6, 3, [2, 1, 2]), ctc(3, 4, [3]), ctc(3, 3, [2, 2])],
           "boxes": boxes(), "regions": regions(), "assignments": assignments(), "box_sets": box_sets()},
          open("structured_losses.json", "w"))
