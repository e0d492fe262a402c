#!/usr/bin/env bash
# How many times the throughput of one process two have, with one thread each, by the weather example: with the same
# batch, which two processes halve (strong scaling: what a run of yours gains), and with a batch for each process (weak
# scaling: samples a second, as data parallel training is mostly measured; a step is then of twice as many samples).
#   scripts/process_throughput.sh PROGRAM [options of the example]
#   BATCH=64 ROUNDS=3 scripts/process_throughput.sh build/release/examples/weather/mtl_example_weather --recipe article --epochs 4
# BATCH (32): samples a step of one process. ROUNDS (1): the best of so many counts. Says first what two busy loops get of
# two processors, since a machine that is shared may not give two.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }
here=$(cd "$(dirname "$0")" && pwd) program=$(realpath "$1") batch=${BATCH:-32} rounds=${ROUNDS:-1}
shift
[ $# -gt 0 ] || set -- --recipe article --epochs 4
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export OMP_NUM_THREADS=1

busy() { python3 -c 'import time
start = time.perf_counter()
for _ in range(20_000_000): pass
print(time.perf_counter() - start)'; }
alone=$(busy)
busy >"$folder/a" & busy >"$folder/b"
wait
awk -v one="$alone" -v a="$(cat "$folder/a")" -v b="$(cat "$folder/b")" \
  'BEGIN { printf "two busy loops at once: %.2f times the work of one\n", 2 * one / (a > b ? a : b) }'

# measure NAME PROCESSES BATCH OPTIONS...: adds the seconds an epoch to the file of that name.
measure() {
  local name=$1 count=$2 size=$3
  shift 3
  local start=("$program")
  [ "$count" -eq 1 ] || start=("$here/processes.sh" "$count" "$program")
  "${start[@]}" "$@" --batch-size "$size" --out "$folder/$name" >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
  python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["seconds_per_epoch"])' "$folder/$name/metrics.json" >>"$folder/$name.seconds"
}
for ((round = 0; round < rounds; ++round)); do
  measure one 1 "$batch" "$@"
  measure strong 2 "$batch" "$@"
  measure weak 2 $((2 * batch)) "$@"
done
python3 - "$folder" "$batch" <<'PYTHON'
import sys
folder, batch = sys.argv[1], int(sys.argv[2])
one, strong, weak = (min(map(float, open(f"{folder}/{name}.seconds"))) for name in ("one", "strong", "weak"))
print(f"one process, {batch} samples a step: {one:.2f} s an epoch")
print(f"two, {batch} samples a step together (strong scaling): {strong:.2f} s, {one / strong:.2f} times the throughput")
print(f"two, {batch} samples a step each (weak scaling): {weak:.2f} s, {one / weak:.2f} times the throughput")
PYTHON
