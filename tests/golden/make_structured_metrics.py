"""Metrics of maps, texts, boxes, lists, orders, depths and normals, into structured_metrics.json: by scikit-learn,
SciPy, seqeval and pycocotools where they have them, else by NumPy straight from the definition. Small data, so that
ties occur."""
import contextlib
import functools
import io
import itertools
import json
import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from scipy import stats
from seqeval.metrics import f1_score
from sklearn import metrics as m

r = np.random.default_rng(11)


def softmax(y):
    e = np.exp(y - y.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def weights(n):
    return np.round(r.uniform(0.1, 3, n), 2)


def maps():
    y, t, w = np.round(r.normal(size=(4, 3, 5, 6)), 1), r.integers(0, 3, (4, 5, 6)), weights(4)
    t[r.random(t.shape) < 0.2] = -100
    t[2] = -100
    pixels, truth = np.moveaxis(y, 1, -1).reshape(-1, 3), t.ravel()
    known, of_pixel = truth >= 0, np.repeat(w, 30)
    d = pixels.argmax(1)[known]
    p, truth, of_pixel = softmax(pixels[known]), truth[known], of_pixel[known]

    def values(sample_weight):
        return {
            "mean_iou": m.jaccard_score(truth, d, average="macro", sample_weight=sample_weight),
            "accuracy": m.accuracy_score(truth, d, sample_weight=sample_weight),
            "brier": m.brier_score_loss(truth, p, sample_weight=sample_weight, scale_by_half=False),
            "log_loss": m.log_loss(truth, p, sample_weight=sample_weight),
        }

    return {"logits": y.tolist(), "labels": t.tolist(), "weights": w.tolist(), "expected": values(None),
            "weighted": values(of_pixel)}


def yes_or_no():
    y, t, w = np.round(r.normal(size=40), 1), r.integers(0, 2, 40), weights(40)
    return {"logits": y.tolist(), "labels": t.tolist(), "weights": w.tolist(),
            "brier": m.brier_score_loss(t, 1 / (1 + np.exp(-y)), sample_weight=w, scale_by_half=True)}


def spans():
    tags = ["O", "B-a", "I-a", "B-b", "I-b"]
    t = r.integers(0, 5, (30, 9))
    p = np.where(r.random(t.shape) < 0.25, r.integers(0, 5, t.shape), t)
    t[r.random(t.shape) < 0.15] = -100
    for n, length in enumerate(r.integers(3, 10, 30)):
        t[n, length:] = -100

    def words(x):
        return [[tags[i] for i, known in zip(row, truth) if known >= 0] for row, truth in zip(x, t)]

    return {"tags": tags, "labels": t.tolist(), "predicted": p.tolist(), "f1": f1_score(words(t), words(p))}


def distance(a, b):
    @functools.lru_cache(None)
    def d(i, j):
        if i == 0 or j == 0:
            return i + j
        return min(d(i - 1, j) + 1, d(i, j - 1) + 1, d(i - 1, j - 1) + (a[i - 1] != b[j - 1]))

    return d(len(a), len(b))


def transcripts():  # class 0 the blank, 1 the space
    y, w = np.round(r.normal(size=(8, 14, 5)), 1), weights(8)
    t = np.full((8, 10), -100)
    for n, length in enumerate(r.integers(1, 11, 8)):
        t[n, :length] = r.integers(1, 5, length)
    t[:, 0] = r.integers(2, 5, 8)
    truth = [[int(c) for c in row if c >= 0] for row in t]
    read = [[int(c) for c, _ in itertools.groupby(row) if c != 0] for row in y.argmax(2)]

    def words(text):
        return tuple("".join(map(str, text)).replace("1", " ").split())

    def rate(unit):
        return (sum(v * distance(unit(a), unit(b)) for v, a, b in zip(w, read, truth))
                / sum(v * len(unit(b)) for v, b in zip(w, truth)))

    return {"logits": y.tolist(), "labels": t.tolist(), "weights": w.tolist(), "cer": rate(tuple), "wer": rate(words)}


def coco_stats(images, annotations, results, classes):
    """The twelve figures of COCO's own evaluation of boxes."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {"images": images, "annotations": annotations, "categories": [{"id": c} for c in range(classes)]}
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


def boxes():
    pictures, queries, classes = 6, 7, 3
    found, truth = np.zeros((pictures, queries, 4 + classes)), np.zeros((pictures, 4, 5))
    images, annotations, results = [], [], []
    for n in range(pictures):
        images.append({"id": n + 1})
        count = [0, 1, 2, 3, 4, 4][n]
        for g in range(4):
            corner, size = r.uniform(0, 60, 2), r.uniform(10, 40, 2)
            label = int(r.integers(0, classes))
            truth[n, g] = [*corner, *(corner + size), label if g < count else -1]
            if g < count:
                annotations.append({"id": len(annotations) + 1, "image_id": n + 1, "category_id": label, "iscrowd": 0,
                                    "bbox": [*corner, *size], "area": float(size.prod())})
        for q in range(queries):
            near = truth[n, q % 4, :4] + r.normal(scale=2.5, size=4) * (q < 6)
            found[n, q, :4] = near
            found[n, q, 4:] = np.round(r.normal(size=classes), 1)
            if q % 4 < count:
                found[n, q, 4 + int(truth[n, q % 4, 4])] += 1
            for label in range(classes):
                results.append({"image_id": n + 1, "category_id": label, "score": float(found[n, q, 4 + label]),
                                "bbox": [near[0], near[1], near[2] - near[0], near[3] - near[1]]})
    figures = coco_stats(images, annotations, results, classes)
    return {"found": found.tolist(), "truth": truth.tolist(), "map": figures[0], "map_50": figures[1]}


def crowds():
    """Boxes of COCO's three sizes, some of them crowds, sizes given for some; -1e9 where nothing is."""
    pictures, queries, classes = 8, 12, 2
    found, truth = np.zeros((pictures, queries, 4 + classes)), np.full((pictures, 8, 7), np.nan)
    images, annotations, results = [], [], []
    for n in range(pictures):
        images.append({"id": n + 1})
        for g in range(n + 1):
            corner = r.uniform(0, 200, 2)
            size = r.uniform(*[(8, 40), (25, 110), (70, 180)][g % 3], 2)
            label, crowd = int(r.integers(0, classes)), int(r.random() < 0.3)
            area = float(size.prod() * r.uniform(0.5, 0.9)) if r.random() < 0.5 else np.nan
            truth[n, g] = [*corner, *(corner + size), label, crowd, area]
            annotations.append({"id": len(annotations) + 1, "image_id": n + 1, "category_id": label, "iscrowd": crowd,
                                "bbox": [*corner, *size], "area": float(size.prod()) if np.isnan(area) else area})
        for q in range(queries):  # two or three near each object, so that crowds hold several
            g = q % (n + 2)
            size = r.uniform(8, 150, 2)
            corner = r.uniform(0, 200, 2)
            if g <= n:
                corner = truth[n, g, :2] + r.normal(scale=2, size=2)
                size = np.maximum(truth[n, g, 2:4] - truth[n, g, :2] + r.normal(scale=3, size=2), 3)
                if truth[n, g, 5]:
                    size = size * r.uniform(0.4, 1)
            found[n, q, :4] = [*corner, *(corner + size)]
            found[n, q, 4:] = np.round(r.normal(size=classes), 1)
            if g <= n:
                found[n, q, 4 + int(truth[n, g, 4])] += 1
            for label in range(classes):
                results.append({"image_id": n + 1, "category_id": label, "score": float(found[n, q, 4 + label]),
                                "bbox": [*corner, *size]})
    figures = coco_stats(images, annotations, results, classes)
    return {"found": found.tolist(), "truth": np.nan_to_num(truth, nan=-1e9).tolist(),
            "all": figures[0], "all_50": figures[1], "small": figures[3],
            "medium": figures[4], "large": figures[5]}


def orders():
    y, t = np.round(r.normal(size=(2, 25)), 1)
    t = np.round((y + t), 0)
    times, events = np.round(r.exponential(5, 25), 0), r.integers(0, 2, 25)
    w = r.integers(1, 4, 25)
    again = np.repeat(np.arange(25), w)

    def concordance(y, t, e):
        good = pairs = 0
        for i in range(len(t)):
            for j in range(len(t)):
                if e[i] and (t[i] < t[j] or (t[i] == t[j] and not e[j])):
                    pairs += 1
                    good += (y[i] < y[j]) + 0.5 * (y[i] == y[j])
        return good / pairs

    return {
        "predictions": y.tolist(), "targets": t.tolist(), "times": times.tolist(), "events": events.tolist(),
        "weights": w.tolist(),
        "spearman": stats.spearmanr(y, t).statistic, "spearman_weighted": stats.spearmanr(y[again], t[again]).statistic,
        "concordance": concordance(y, t, np.ones(25)), "concordance_events": concordance(y, times, events),
        "concordance_weighted": concordance(y[again], times[again], events[again]),
    }


def lists():
    y, t, w = np.round(r.normal(size=(12, 7)), 1), r.integers(0, 4, (12, 7)), weights(12)
    t[3] = 0
    some = [n for n in range(12) if n != 3]

    def ndcg(gain, k, w):
        return np.average([m.ndcg_score([gain(t[n])], [y[n]], k=k) for n in some], weights=w)

    yes = t >= 2
    both = [n for n in range(12) if 0 < yes[n].sum() < 7]
    return {
        "scores": y.tolist(), "relevances": t.tolist(), "weights": w.tolist(),
        "ndcg_3": ndcg(lambda g: g, 3, w[some]), "ndcg_7_exponential": ndcg(lambda g: 2.0**g - 1, 7, None),
        "grouped_auc": np.mean([m.roc_auc_score(yes[n], y[n]) for n in both]),
        "grouped_auc_weighted": np.average([m.roc_auc_score(yes[n], y[n]) for n in both], weights=w[both]),
    }


def scenes():
    t, w = r.uniform(0.5, 5, (3, 5, 5)), weights(3)
    y = t * np.exp(r.normal(scale=0.25, size=t.shape))
    known = r.random(t.shape) > 0.2
    of_pixel = np.broadcast_to(w[:, None, None], t.shape)[known]
    a, b = y[known], t[known]

    def mean(x):
        return np.average(x, weights=of_pixel)

    normals, found = r.normal(size=(2, 3, 3, 5, 5))
    found = normals + 0.6 * found
    cosine = (normals * found).sum(1) / np.linalg.norm(normals, axis=1) / np.linalg.norm(found, axis=1)
    angles = np.degrees(np.arccos(cosine))
    return {
        "predicted": y.tolist(), "depths": t.tolist(), "known": known.astype(int).tolist(), "weights": w.tolist(),
        "abs_rel": mean(abs(a - b) / b), "rmse_log": np.sqrt(mean(np.log(a / b) ** 2)),
        "delta": mean(np.maximum(a / b, b / a) < 1.25), "delta_2": mean(np.maximum(a / b, b / a) < 1.25**2),
        "normals": normals.tolist(), "found": found.tolist(),
        "angle_mean": np.average(angles, weights=np.broadcast_to(w[:, None, None], angles.shape)),
        "angle_median": np.median(angles), "within": {str(d): (angles < d).mean() for d in [11.25, 22.5, 30]},
    }


json.dump({"maps": maps(), "yes_or_no": yes_or_no(), "spans": spans(), "transcripts": transcripts(), "boxes": boxes(),
           "orders": orders(), "lists": lists(), "scenes": scenes(), "crowds": crowds()}, open("structured_metrics.json", "w"))
