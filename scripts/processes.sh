#!/usr/bin/env bash
# Starts a program as several processes of this machine that train together (mtl::Processes::from_environment), and
# waits for all of them: RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT say who is who, as torchrun would.
#   scripts/processes.sh COUNT PROGRAM [options of the program]
# On several machines start the program yourself, with MASTER_ADDR the machine of RANK 0: docs/distributed.md.
set -euo pipefail
[ $# -ge 2 ] && [[ $1 =~ ^[1-9][0-9]*$ ]] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
count=$1
shift
export WORLD_SIZE=$count MASTER_ADDR=${MASTER_ADDR:-127.0.0.1} MASTER_PORT=${MASTER_PORT:-$((20000 + RANDOM % 10000))}
processes=()
# What is killed from outside takes its processes along; one that ends by itself is heard of by the others.
trap 'kill "${processes[@]}" 2>/dev/null || true' EXIT
for ((rank = 0; rank < count; ++rank)); do
  RANK=$rank "$@" &
  processes+=($!)
done
status=0
for process in "${processes[@]}"; do
  wait "$process" || { code=$?; [ "$status" -ne 0 ] || status=$code; }
done
exit "$status"
