#!/usr/bin/env bash
# Does a comparison say the right word where the answer is known? Twenty comparisons of two tasks that share all, of two that
# have nothing to do with each other, of two that fight for a small network; and a thousand comparisons of equals.
#   scripts/planted_cases.sh PROGRAM [COMPARISONS] [EQUALS]
#   scripts/planted_cases.sh build/ci/tests/mtl_tests_evaluate 20 1000
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2; }
# A hundred thousand small files, each flushed: in memory where that is possible.
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ]; then export TMPDIR=/dev/shm; fi
OMP_NUM_THREADS=1 MTL_PLANTED_COMPARISONS=${2:-20} MTL_PLANTED_EQUALS=${3:-1000} exec "$1" '[planted]'
