#!/usr/bin/env bash
# run.sh PROGRAM [options]: the bundled houses, three tasks, compared, where no option is given.
set -euo pipefail
program=$1
shift
if [ $# -gt 0 ]; then exec "$program" "$@"; fi
run=runs/houses
"$program" train examples/table/data/houses.csv --out $run --ignore id --weight weight \
  --task price:regression --task sold:binary --task style:classes --compare --seeds 4 --networks 3
head -4 examples/table/data/houses.csv > $run/new.csv
"$program" predict $run $run/new.csv --out $run/predictions.csv
cat $run/predictions.csv
