"""Exports that a test wrote, in plain PyTorch: each folder given holds model.py with its weights
and cases.safetensors, inputs and what the C++ model gave for them. Folders behind "--export" also
go through torch.export and, where it is installed, ONNX, by the lines of docs/deploy.md."""
import importlib.util
import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../docs/snippets"))
import exported  # noqa: E402


def module_of(folder):
    spec = importlib.util.spec_from_file_location("model", os.path.join(folder, "model.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cases_of(module, folder):
    cases = module.read_safetensors(os.path.join(folder, "cases.safetensors"))
    names = [name[:-len("/in")] for name in cases if name.endswith("/in")]
    assert names, "no cases"
    return [(name, cases[name + "/in"], {key[len(name) + 5:]: value for key, value in cases.items()
                                         if key.startswith(name + "/out/")}) for name in names]


def compare(found, expected, where):
    assert list(found) == list(expected), (where, list(found), list(expected))
    for task, value in expected.items():
        worst = (found[task] - value).abs().max().item()
        bound = 1e-6 * max(1.0, value.abs().max().item())
        assert found[task].shape == value.shape and worst <= bound, \
            f"{where}, task {task}: off by {worst}"


def check(folder):
    module = module_of(folder)
    model = module.load()
    for name, x, expected in cases_of(module, folder):
        with torch.no_grad():
            compare(model(x), expected, f"{folder}: {name} samples")
            compare(model({"x": x}), expected, f"{folder}: {name} samples by name")


def check_export(folder):
    sys.path.insert(0, folder)
    sys.modules.pop("model", None)
    cases = cases_of(module_of(folder), folder)
    _, x, expected = cases[-1]
    with torch.no_grad():
        model, predictions = exported.predict(x)
    compare(predictions, expected, f"{folder}: as documented")
    program = exported.export(model, x)
    for name, x, expected in cases[1:]:
        with torch.no_grad():
            compare(program.module()({"x": x}), expected, f"{folder}: exported, {name} samples")
    sys.path.remove(folder)
    if importlib.util.find_spec("onnx") and importlib.util.find_spec("onnxscript"):
        path = os.path.join(folder, "model.onnx")
        exported.write_onnx(program, path)
        return os.path.getsize(path) > 0
    return False


folders = sys.argv[1:]
to_export = folders[folders.index("--export") + 1:]
for folder in folders[:folders.index("--export")]:
    check(folder)
onnx = [check_export(folder) for folder in to_export]
print(f"{len(folders) - 1 - len(to_export)} exports agree, {sum(onnx)} of {len(onnx)} as ONNX")
