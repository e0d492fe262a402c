#!/usr/bin/env bash
# Two processes of the weather example on two "machines", network namespaces joined by one cable, which is cut while
# they train: both have to end with an error within the time-out, and to go on from the checkpoint when it is mended.
#   scripts/cut_link.sh PROGRAM [options of the example]
#   scripts/cut_link.sh build/release/examples/weather/mtl_example_weather --recipe mtl --epochs 6
# Wants the right to make network namespaces (root); without it, it says so and does nothing.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2; }
program=$(realpath "$1")
shift
[ $# -gt 0 ] || set -- --recipe mtl --epochs 6
timeout=5
near=mtl_near_$$ far=mtl_far_$$ folder=$(mktemp -d)
clean() { ip netns del "$near" 2>/dev/null; ip netns del "$far" 2>/dev/null; rm -rf "$folder"; }
trap clean EXIT
if ! ip netns add "$near" 2>"$folder/why" || ! ip netns add "$far" 2>>"$folder/why" ||
   ! ip link add mtl0 netns "$near" type veth peer name mtl0 netns "$far" 2>>"$folder/why"; then
  echo "skipped: no network namespaces here: $(head -1 "$folder/why")"
  exit 0
fi
ip -n "$near" addr add 10.77.0.1/24 dev mtl0
ip -n "$far" addr add 10.77.0.2/24 dev mtl0
link() { for end in "$near" "$far"; do ip -n "$end" link set mtl0 "$1"; ip -n "$end" link set lo up; done; }
link up

run() {  # run RANK NAMESPACE [options]: prints nothing, leaves its words in $folder/$rank
  local rank=$1 space=$2
  shift 2
  ip netns exec "$space" env RANK="$rank" WORLD_SIZE=2 MASTER_ADDR=10.77.0.1 MASTER_PORT=29511 MTL_TIMEOUT=$timeout \
    "$program" "$@" --out "$folder/run" >"$folder/$rank" 2>&1
}
both() {
  run 0 "$near" "$@" & first=$!
  run 1 "$far" "$@" & second=$!
}

both "$@" --checkpoint-steps 5
for ((tries = 0; tries < 600; ++tries)); do
  compgen -G "$folder/run/checkpoint/step-*" >/dev/null && break
  sleep 0.1
done
link down
cut=$(date +%s%N)
ended=0
for process in $first $second; do wait "$process" || ended=$((ended + 1)); done
seconds=$(awk -v ns=$(($(date +%s%N) - cut)) 'BEGIN { printf "%.1f", ns / 1e9 }')
echo "cut: $ended of 2 ended with an error after $seconds s (time-out $timeout s)"
for rank in 0 1; do echo "  process $rank: $(tail -n 1 "$folder/$rank")"; done
link up
both --resume
failed=0
for process in $first $second; do wait "$process" || failed=$((failed + 1)); done
echo "mended: $((2 - failed)) of 2 went on to the end"
[ "$ended" -eq 2 ] && [ "$failed" -eq 0 ] && awk -v s="$seconds" -v t=$timeout 'BEGIN { exit !(s < 3 * t) }'
