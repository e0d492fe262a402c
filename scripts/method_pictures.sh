#!/usr/bin/env bash
# Draws docs/methods/NAME.png, how each combiner walks over the two bowls of the toy, and writes docs/methods/walks.tsv, where the walks
# end: for the pages of methods on the documentation site. Some three minutes; again when a method or the toy changes.
#   scripts/method_pictures.sh [PROGRAM]     PROGRAM: mtl_example_toy (default: it is built)
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-}
if [ -z "$program" ]; then
  targets=(mtl_example_toy)
  source scripts/build.sh
  program=$build/examples/toy/mtl_example_toy
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mkdir -p docs/methods
# All that docs/combiners.md has an entry for; two options that have no default.
names=$(sed -nE 's/^### ([a-z_]+) — .*/\1/p' docs/combiners.md)
printf 'method\tstart\tend\tloss 1\tloss 2\tin the Pareto set\n' >docs/methods/walks.tsv
for name in $names; do
  text=$name
  [ "$name" = fixed ] && text=fixed:weights=1/2
  if ! "$program" --problem bowls --combiner "$text" --lr 0.01 --steps 4000 --out "$out" >"$out/table" 2>&1; then
    echo "$name does not walk here: $(tail -n 1 "$out/table")" >&2
    continue
  fi
  python3 - "$name" "$out/table" >>docs/methods/walks.tsv <<'PYTHON'
import re, sys
for line in open(sys.argv[2], encoding="utf-8"):
    row = re.match(r"\S+\s+(\([^)]*\))\s+(\([^)]*\))\s+(\S+)\s+(\S+)\s+(yes|no)$", line)
    if row: print(sys.argv[1], *row.groups(), sep="\t")
PYTHON
  mv "$out/toy.png" "docs/methods/$name.png"
done
