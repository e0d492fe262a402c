#!/usr/bin/env bash
# Seconds an epoch of the article's recipe, here and in a Python program for the same network, in turns.
#
#   benchmarks/weather_epoch.sh PROGRAM REFERENCE.py PLAIN.csv [epochs [rounds [threads]]]
#
# PROGRAM is mtl_example_weather. REFERENCE.py takes the nine-column CSV, --epochs and --seed, and prints "s/epoch SECONDS";
# it runs with $PYTHON (default python3). Both should use the same LibTorch. Prints each round, then the medians' ratio.
set -euo pipefail
program=$1 reference=$2 csv=$3 epochs=${4:-3} rounds=${5:-5} threads=${6:-1}
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export OMP_NUM_THREADS=$threads MKL_NUM_THREADS=$threads OPENBLAS_NUM_THREADS=$threads

median() { sort -n | awk '{v[NR] = $1} END {print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2}'; }

for round in $(seq "$rounds"); do
  "$program" --recipe article --data "$csv" --epochs "$epochs" --threads "$threads" --out "$work/run" >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; exit 1; }
  sed -n 's/.*"seconds_per_epoch": \([0-9.eE+-]*\).*/\1/p' "$work/run/metrics.json" >>"$work/ours"
  "$python" "$reference" "$csv" --epochs "$epochs" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
  sed -n 's|.*s/epoch \([0-9.]*\).*|\1|p' "$work/log" >>"$work/theirs"
  echo "round $round: $(tail -n 1 "$work/ours") s here, $(tail -n 1 "$work/theirs") s there"
done
ours=$(median <"$work/ours") theirs=$(median <"$work/theirs")
awk -v a="$ours" -v b="$theirs" 'BEGIN {printf "median %.3f s here, %.3f s there: %.3f times\n", a, b, a / b}'
