"""Writes distillation.json: Distillation by sample and its gradient, from Hinton, Vinyals and Dean (2015). Needs numpy and autograd.

Entry i of the prediction is 2 sin(.7 i + .3), of the teacher's answer 2 sin(1.1 i + 1).
"""

import json
import pathlib

import autograd.numpy as np
from autograd import grad


def softmax(z):
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def classes(y, t, temperature):
    p, q = softmax(t / temperature), softmax(y / temperature)
    by_place = np.sum(p * np.log(p / q), 1)
    return temperature ** 2 * by_place.reshape(len(y), -1).mean(1)


def scores(y, t, temperature):
    p, q = 1 / (1 + np.exp(-t / temperature)), 1 / (1 + np.exp(-y / temperature))
    by_output = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
    return temperature ** 2 * by_output.reshape(len(y), -1).mean(1)


cases = []
for shape in [(3, 4), (2, 3, 2, 2)]:
    i = np.arange(int(np.prod(shape)))
    y, t = (2 * np.sin(0.7 * i + 0.3)).reshape(shape), (2 * np.sin(1.1 * i + 1)).reshape(shape)
    for of in (classes, scores):
        for temperature in (1.0, 3.0):
            cases.append({"of": of.__name__, "shape": list(shape), "temperature": temperature,
                          "values": of(y, t, temperature).tolist(),
                          "gradient": grad(lambda v: np.sum(of(v, t, temperature)))(y).flatten().tolist()})

path = pathlib.Path(__file__).with_name("distillation.json")
path.write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
