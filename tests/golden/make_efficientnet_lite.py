"""Writes efficientnet_lite.json: what the Python original makes of weights and pictures given by a formula.

Needs torch and the package efficientnet_lite_pytorch (its model.py is the reference).
"""

import json
import math
import pathlib

import torch
from efficientnet_lite_pytorch import EfficientNet


def wave(count, phase):
    return torch.sin(0.37 * torch.arange(count, dtype=torch.float64) + phase)


def fill(model):
    """The same values by the same rule as in tests/nn/test_efficientnet_lite.cpp."""
    names = sorted(n for n in model.state_dict() if not n.startswith("_fc.") and "num_batches" not in n)
    for k, name in enumerate(names):
        tensor = model.state_dict()[name]
        values = wave(tensor.numel(), k)
        if tensor.dim() == 4:
            values = values * math.sqrt(4.0 / tensor[0].numel())
        elif name.endswith("running_var") or name.endswith("weight"):
            values = 1 + 0.5 * values
        else:
            values = 0.2 * values
        tensor.copy_(values.reshape(tensor.shape).float())


golden = []
for variant, size in [(0, 64), (0, 75), (1, 64), (2, 64), (3, 70), (4, 64)]:
    model = EfficientNet.from_name(f"efficientnet-lite{variant}", image_size=size)
    model.eval()
    with torch.no_grad():
        fill(model)
        pictures = wave(2 * 3 * size * size, 0.5).reshape(2, 3, size, size).float()
        features = model.extract_features(pictures).mean((2, 3)).double()
    golden.append({
        "variant": variant,
        "size": size,
        "parameters": sum(p.numel() for p in model.parameters()),
        "features": features[:, ::160].tolist(),
        "norms": features.norm(dim=1).tolist(),
    })
path = pathlib.Path(__file__).with_name("efficientnet_lite.json")
path.write_text(json.dumps(golden, indent=1) + "\n")
