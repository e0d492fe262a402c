#!/usr/bin/env bash
# run.sh PROGRAM [options]: all recipes, compared, where no option is given.
set -euo pipefail
program=$1
shift
[ $# -gt 0 ] || set -- --recipe all
exec "$program" "$@"
