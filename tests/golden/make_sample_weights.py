"""Metrics with sample weights by scikit-learn, into sample_weights.json. Small data, so that ties occur."""
import json
import numpy as np
from sklearn import metrics as m

r = np.random.default_rng(7)


def softmax(y):
    e = np.exp(y - y.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def calibration_error(p, t, w, bins=10):
    confidence, right = p.max(1), (p.argmax(1) == t).astype(float)
    edges = np.linspace(0, 1, bins + 1)
    error = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        here = (confidence > low) & (confidence <= high)
        error += abs((w[here] * (confidence[here] - right[here])).sum())
    return error / w.sum()


def classification(n, classes):
    y = np.round(r.normal(size=(n, classes)), 1)
    t = r.integers(0, classes, n)
    t[:classes] = np.arange(classes)
    w = np.round(r.uniform(0.1, 3, n), 2)
    p, d = softmax(y), y.argmax(1)
    e = {
        "accuracy": m.accuracy_score(t, d, sample_weight=w),
        "balanced_accuracy": m.balanced_accuracy_score(t, d, sample_weight=w),
        "matthews": m.matthews_corrcoef(t, d, sample_weight=w),
        "cohen_kappa": m.cohen_kappa_score(t, d, sample_weight=w),
        "mean_iou": m.jaccard_score(t, d, average="macro", sample_weight=w),
        "log_loss": m.log_loss(t, p, sample_weight=w),
        "calibration_error": calibration_error(p, t, w),
        "confusion": m.confusion_matrix(t, d, sample_weight=w).tolist(),
    }
    for average in ["micro", "macro", "weighted"]:
        e[average] = {
            "precision": m.precision_score(t, d, average=average, sample_weight=w, zero_division=0),
            "recall": m.recall_score(t, d, average=average, sample_weight=w, zero_division=0),
            "f1": m.f1_score(t, d, average=average, sample_weight=w, zero_division=0),
        }
    questions = [1] if classes == 2 else range(classes)
    e["roc_auc"] = np.mean([m.roc_auc_score(t == c, p[:, c], sample_weight=w) for c in questions])
    e["average_precision"] = np.mean([m.average_precision_score(t == c, p[:, c], sample_weight=w) for c in questions])
    if classes > 2:
        e["top_2"] = m.top_k_accuracy_score(t, y, k=2, sample_weight=w, labels=range(classes))
    return {"logits": y.tolist(), "labels": t.tolist(), "weights": w.tolist(), "expected": e}


def regression(n, outputs):
    y, t = np.round(r.normal(size=(2, n, outputs)), 1)
    w = np.round(r.uniform(0.1, 3, n), 2)
    mae = m.mean_absolute_error(t, y, sample_weight=w, multioutput="raw_values")
    return {
        "predictions": y.tolist(), "targets": t.tolist(), "weights": w.tolist(),
        "expected": {
            "mae": mae.mean(),
            "rmse": np.sqrt(m.mean_squared_error(t, y, sample_weight=w, multioutput="raw_values")).mean(),
            "nmae": (mae / (t.max(0) - t.min(0))).mean(),
            "r2": m.r2_score(t, y, sample_weight=w),
            "explained_variance": m.explained_variance_score(t, y, sample_weight=w),
            "max_error": np.abs(t - y).max(0).mean(),
            "median_absolute_error": m.median_absolute_error(t, y, sample_weight=w),
        },
    }


def yes_or_no(n, outputs):
    y = np.round(r.normal(size=(n, outputs)), 1)
    t = np.round(r.uniform(size=(n, outputs)), 1)
    w = np.round(r.uniform(0.1, 3, n), 2)
    yes, d = t >= 0.5, y > 0
    bce = np.logaddexp(0, y) - t * y
    return {
        "logits": y.tolist(), "scores": t.tolist(), "weights": w.tolist(),
        "expected": {
            "soft_bce": (w[:, None] * bce).sum() / (w.sum() * outputs),
            "accuracy": (w[:, None] * (yes == d)).sum() / (w.sum() * outputs),
            "roc_auc": np.mean([m.roc_auc_score(yes[:, k], y[:, k], sample_weight=w) for k in range(outputs)]),
            "average_precision": np.mean(
                [m.average_precision_score(yes[:, k], y[:, k], sample_weight=w) for k in range(outputs)]),
        },
    }


json.dump({
    "classification": [classification(30, 2), classification(40, 4)],
    "regression": [regression(12, 1), regression(15, 3)],
    "yes_or_no": [yes_or_no(20, 1), yes_or_no(25, 3)],
}, open("sample_weights.json", "w"))
