#!/usr/bin/env bash
# run.sh PROGRAM [--processes N] [options]: all recipes, compared, where no option is given; with N processes of this
# machine that train together.
set -euo pipefail
program=$1 start=()
shift
if [ "${1:-}" = --processes ]; then
  [ $# -ge 2 ] || { echo "--processes: how many?" >&2; exit 2; }
  start=(scripts/processes.sh "$2")
  shift 2
fi
[ $# -gt 0 ] || set -- --recipe all
exec "${start[@]}" "$program" "$@"
