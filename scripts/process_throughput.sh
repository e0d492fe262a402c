#!/usr/bin/env bash
# How many times the throughput of one process two have, with one thread each: seconds an epoch of the weather example.
#   scripts/process_throughput.sh PROGRAM [options of the example]
#   scripts/process_throughput.sh build/release/examples/weather/mtl_example_weather --recipe article --epochs 4
# Says first what two busy loops get of two processors, since a machine that is shared may not give two.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2; }
here=$(cd "$(dirname "$0")" && pwd) program=$(realpath "$1")
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

"$program" "$@" --out "$folder/one" >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
"$here/processes.sh" 2 "$program" "$@" --out "$folder/two" >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
python3 - "$folder/one/metrics.json" "$folder/two/metrics.json" <<'PYTHON'
import json, sys
one, two = (json.load(open(path))["seconds_per_epoch"] for path in sys.argv[1:])
print(f"seconds an epoch: one process {one:.2f}, two {two:.2f}: {one / two:.2f} times the throughput")
PYTHON
