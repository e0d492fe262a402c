#!/usr/bin/env bash
# What including mtl costs: seconds of processor time to compile a file that includes nothing else, in turns, and as a
# multiple of LibTorch's own umbrella header.
#
#   benchmarks/compile_cost.sh BUILD [rounds]      BUILD is a configured build folder with compile_commands.json
#
# Goals: mtl/mtl.hpp at most 1.35 times torch/torch.h, what examples/first_steps includes at most 1.10 times.
set -euo pipefail
build=${1:?usage: benchmarks/compile_cost.sh BUILD [rounds]} rounds=${2:-5}
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The compiler and its flags, as the first example is compiled, without the output, a compiler cache and the headers that the
# examples share precompiled.
read -r -d '' -a command < <(python3 - "$build/compile_commands.json" <<'PYTHON'
import json, shlex, sys
entry = next(e for e in json.load(open(sys.argv[1])) if e["file"].endswith("first_steps/main.cpp"))
words = shlex.split(entry["command"])
while words and words[0].endswith("ccache"):
    words.pop(0)
skip = {i + k for i, word in enumerate(words) if word in ("-o", "-c", "-include") for k in (0, 1)}
print(*(w for i, w in enumerate(words) if i not in skip and w != "-Winvalid-pch"), end="\0")
PYTHON
) || true

echo '#include <torch/torch.h>' >"$work/torch.cpp"
echo '#include <mtl/mtl.hpp>' >"$work/umbrella.cpp"
grep '^#include' "$root/examples/first_steps/main.cpp" >"$work/first_steps.cpp"
for round in $(seq "$rounds"); do
  for name in torch umbrella first_steps; do
    TIMEFORMAT=%U
    { time "${command[@]}" -c "$work/$name.cpp" -o /dev/null; } 2>>"$work/$name.seconds"
  done
done
median() { sort -n "$1" | awk '{v[NR] = $1} END {print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2}'; }
torch=$(median "$work/torch.seconds")
for name in torch umbrella first_steps; do
  median "$work/$name.seconds" | awk -v name=$name -v torch="$torch" '{printf "%-12s %6.2f s   %.2f\n", name, $1, $1 / torch}'
done
