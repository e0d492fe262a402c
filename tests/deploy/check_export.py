"""Exports that a test wrote, in plain PyTorch: each folder given holds model.py with its weights
and cases.safetensors, inputs and what the C++ model gave for them. Folders behind "--export" also
go through torch.export and, where onnx, onnxscript and onnxruntime are installed, ONNX, by the
lines of docs/deploy.md."""
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
    names = list(dict.fromkeys(name.split("/")[0] for name in cases))
    assert names, "no cases"

    def under(prefix):
        return {key[len(prefix):]: value for key, value in cases.items() if key.startswith(prefix)}
    return [(name, under(name + "/in/"), under(name + "/out/")) for name in names]


def compare(found, expected, where):
    assert list(found) == list(expected), (where, list(found), list(expected))
    for task, value in expected.items():
        assert found[task].shape == value.shape, (where, task, found[task].shape, value.shape)
        infinite = value.isinf()
        assert torch.equal(found[task][infinite], value[infinite]), f"{where}, task {task}"
        value = value.masked_fill(infinite, 0)
        worst = (found[task].masked_fill(infinite, 0) - value).abs().max().item()
        bound = 1e-6 * max(1.0, value.abs().max().item())
        assert worst <= bound, f"{where}, task {task}: off by {worst}"


def check(folder):
    module = module_of(folder)
    model = module.load()
    for name, inputs, expected in cases_of(module, folder):
        with torch.no_grad():
            compare(model(inputs), expected, f"{folder}: {name} samples by name")
            if len(inputs) == 1:
                compare(model(inputs["x"]), expected, f"{folder}: {name} samples")


def check_export(folder):
    sys.path.insert(0, folder)
    sys.modules.pop("model", None)
    cases = cases_of(module_of(folder), folder)
    _, inputs, expected = cases[-1]
    x = inputs["x"]
    with torch.no_grad():
        model, predictions = exported.predict(x)
    compare(predictions, expected, f"{folder}: as documented")
    program = exported.export(model, x)
    for name, inputs, expected in cases[1:]:
        with torch.no_grad():
            compare(program.module()(inputs), expected, f"{folder}: exported, {name} samples")
    sys.path.remove(folder)
    missing = [name for name in ("onnx", "onnxscript", "onnxruntime") if not importlib.util.find_spec(name)]
    if missing:
        print(f"skipped: ONNX of {os.path.basename(folder)}, there is no {' and no '.join(missing)}")
        return False
    path = os.path.join(folder, "model.onnx")
    exported.write_onnx(program, path)
    import onnxruntime
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for name, inputs, expected in cases:
        found = session.run(None, {f"inputs_{key}": value.numpy() for key, value in inputs.items()})
        compare({task: torch.from_numpy(value) for task, value in zip(expected, found)}, expected,
                f"{folder}: ONNX, {name} samples")
    return True


folders = sys.argv[1:]
to_export = folders[folders.index("--export") + 1:]
for folder in folders[:folders.index("--export")]:
    check(folder)
onnx = [check_export(folder) for folder in to_export]
print(f"{len(folders) - 1 - len(to_export)} exports agree, {sum(onnx)} of {len(onnx)} as ONNX")
