"""What docs/deploy.md does with an exported network; tests/deploy/check_export.py runs it."""
import torch


def predict(x):
    from model import load
    model = load()                   # the trained network, in evaluation mode
    predictions = model({"x": x})    # or model(x): by task, as the heads give them
    return model, predictions


def export(model, x):
    batch = torch.export.Dim("batch")
    program = torch.export.export(model, ({"x": x},), dynamic_shapes=({"x": {0: batch}},))
    return program


def write_onnx(program, path):
    torch.onnx.export(program, f=path)
