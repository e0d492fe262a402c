#!/usr/bin/env bash
# Makes the torch that `MTL_TORCH=pip scripts/setup.sh` installs importable in Python, for the tests that compare with
# PyTorch, and prints that Python:
#   MTL_PYTHON=$(scripts/python_torch.sh) MTL_TORCH=pip ./tests/run.sh -R python
# What the library itself links needs none of this: 0.4 GB more.
set -euo pipefail
cd "$(dirname "$0")/.."
torch_dir=$(MTL_TORCH=pip scripts/setup.sh)
python=${torch_dir%/lib/*}/bin/python
if ! "$python" -c 'import torch' 2>/dev/null; then
  # The versions that torch itself asks for, without the CUDA libraries that it loads only when they are used.
  wanted=$("$python" - <<'PYTHON'
import importlib.metadata, re
names = {"filelock", "typing-extensions", "sympy", "networkx", "jinja2", "fsspec", "nvidia-cusparselt-cu13",
         "nvidia-nccl-cu13", "nvidia-nvshmem-cu13"}
for text in importlib.metadata.requires("torch") or []:
    wanted = text.split(";")[0].strip()
    if re.split(r"[^A-Za-z0-9-]", wanted)[0] in names: print(wanted)
print("nvidia-cufile\nmpmath\nMarkupSafe\nnumpy")
PYTHON
  )
  # shellcheck disable=SC2086  # one word a package
  "$python" -m pip install --quiet --no-deps $wanted >&2
  "$python" -c 'import torch' >&2
fi
echo "$python"
