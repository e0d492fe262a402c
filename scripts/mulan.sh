#!/usr/bin/env bash
# Cross-validates the table example on multi-target data sets, as Mulan has them: ARFF files (also packed, .arff.gz) whose
# last attributes are the targets. Prints each set's average relative RMSE and the time it took.
#   scripts/mulan.sh DIR                       all sets of the table below that are in DIR
#   scripts/mulan.sh DIR enb andro own:3       these; NAME:TARGETS for a set that the table does not know
# MTL_MULAN_OPTIONS: further options of the program, such as "--epochs 60 --networks 3".
set -euo pipefail
folder=$(realpath "${1:?usage: scripts/mulan.sh DIR [SET or SET:TARGETS ...]}")
shift
cd "$(dirname "$0")/.."
declare -A counts=([andro]=6 [atp1d]=6 [atp7d]=6 [edm]=2 [enb]=2 [jura]=3 [oes10]=16 [oes97]=16 [osales]=12 [rf1]=8 [rf2]=8
                   [scm1d]=16 [scm20d]=16 [scpf]=3 [sf1]=3 [sf2]=3 [slump]=3 [wq]=14)
sets=("$@")
if [ $# -eq 0 ]; then
  for name in "${!counts[@]}"; do
    if compgen -G "$folder/$name.arff*" >/dev/null; then sets+=("$name"); fi
  done
fi
targets=(mtl_example_table)
source scripts/build.sh >&2
program=$build/examples/table/mtl_example_table
for set in "${sets[@]}"; do
  name=${set%%:*}
  count=${counts[$name]:-}
  if [ "$set" != "$name" ]; then count=${set##*:}; fi
  : "${count:?$name is not in the list: say $name:TARGETS}"
  run=runs/mulan/$name
  mkdir -p "$run"
  if [ -f "$folder/$name.arff.gz" ]; then gunzip -c "$folder/$name.arff.gz" >"$run/$name.arff"; else cp "$folder/$name.arff" "$run/"; fi
  # The names of the last attributes, without quotes.
  tasks=()
  while read -r column; do tasks+=(--task "$column:regression"); done < <(
    sed -nE "s/\r$//; s/^@[Aa][Tt][Tt][Rr][Ii][Bb][Uu][Tt][Ee][[:blank:]]+('([^']+)'|\"([^\"]+)\"|([^[:blank:]]+)).*/\2\3\4/p" \
      "$run/$name.arff" | tail -n "$count")
  SECONDS=0
  # shellcheck disable=SC2086  # options are words
  "$program" train "$run/$name.arff" "${tasks[@]}" --folds 10 --out "$run" ${MTL_MULAN_OPTIONS:-} >"$run/log" 2>&1 ||
    { cat "$run/log" >&2; exit 1; }
  echo "$name: $(grep 'average relative RMSE' "$run/log"), $SECONDS s"
done
