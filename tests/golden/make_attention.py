"""Writes attention.json: AttentionEncoder by PyTorch's own TransformerEncoderLayer(norm_first=True), in double precision.

Needs torch. The k-th parameter in the order of the names holds .6 sin((.9 + .1 k) i + 1.3 k + .2), as in make_sharing.py, the row of
the filling in "tokens.weight" included; real steps hold sin(.7 i + .5). Gradients are those of sum_i output_i sin(.3 i + .1).
"""

import json
import math
import pathlib

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
WIDTH, HEADS, LAYERS, FEEDFORWARD, VOCABULARY, INPUT = 6, 2, 2, 5, 7, 3


class Net(nn.Module):
    def __init__(self, activation, of_tokens):
        super().__init__()
        if of_tokens:
            self.tokens = nn.Embedding(VOCABULARY, WIDTH, padding_idx=0)
        else:
            self.steps = nn.Linear(INPUT, WIDTH)
        self.summary = nn.Parameter(torch.zeros(WIDTH))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(WIDTH, HEADS, FEEDFORWARD, 0.0, activation, batch_first=True, norm_first=True)
            for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)

    def one(self, sample):
        """A sequence by itself, so that there is no filling: [L, ...] to [1 + L, WIDTH]."""
        steps = self.tokens(sample) if hasattr(self, "tokens") else self.steps(sample)
        place = torch.tensor([[(math.sin, math.cos)[c % 2](p / 10000 ** (2 * (c // 2) / WIDTH)) for c in range(WIDTH)]
                              for p in range(len(sample))])
        x = torch.cat([self.summary[None], steps + place])[None]
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)[0]


def case(name, activation, samples, of_tokens):
    net = Net(activation, of_tokens)
    named = dict(sorted(net.named_parameters()))
    with torch.no_grad():
        for k, p in enumerate(named.values()):
            i = torch.arange(p.numel())
            p.copy_((0.6 * torch.sin((0.9 + 0.1 * k) * i + 1.3 * k + 0.2)).reshape(p.shape))
    longest = max(map(len, samples))
    output = torch.stack([nn.functional.pad(net.one(s), (0, 0, 0, longest - len(s))) for s in samples])
    (output.flatten() * torch.sin(0.3 * torch.arange(output.numel()) + 0.1)).sum().backward()
    return {"name": name, "lengths": [len(s) for s in samples],
            "input": [s.tolist() for s in samples], "output": output.tolist(),
            "gradients": {key: p.grad.flatten().tolist() for key, p in named.items()}}


tokens = [torch.tensor(t) for t in ([3, 1, 4, 1, 5], [2], [6, 5, 2])]
flat = torch.sin(0.7 * torch.arange(9.0 * INPUT) + 0.5).reshape(9, INPUT)
real = [flat[:4], flat[4:6], flat[6:]]
cases = [case("tokens", "gelu", tokens, True), case("real", "relu", real, False)]
pathlib.Path(__file__).with_name("attention.json").write_text(json.dumps(cases))
