#!/usr/bin/env bash
# Kills runs of the weather example with SIGKILL at random moments, resumes them, and compares what they leave with an
# undisturbed run, byte by byte.
#   scripts/kill_and_resume.sh PROGRAM [RUNS] [options of the example]
#   scripts/kill_and_resume.sh build/ci/examples/weather/mtl_example_weather 20 --recipe all --epochs 6
#   scripts/kill_and_resume.sh build/ci/examples/weather/mtl_example_weather 20 --epochs 3 --checkpoint-steps 1
# With a checkpoint after every step most kills fall into the writing of one. Every run is killed up to three times, at moments drawn from the time that the undisturbed one took.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }
program=$(realpath "$1") runs=${2:-20}
shift $(($# < 2 ? $# : 2))
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
RANDOM=${SEED:-1}

start=$(date +%s%N)
"$program" "$@" --out "$folder/undisturbed" >/dev/null 2>&1
took=$(($(date +%s%N) - start))
# metrics.json also holds clock times.
kept() { (cd "$1" && find . -name best.safetensors -o -name history.csv | sort | xargs sha256sum) && grep -v seconds "$1/metrics.json"; }

differ=0 kills=0
for ((run = 1; run <= runs; ++run)); do
  out=$folder/run$run resume=()
  for ((kill = 0; kill < 3; ++kill)); do
    if [ ${#resume[@]} -eq 0 ]; then "$program" "$@" --out "$out" >/dev/null 2>&1 & else "$program" "${resume[@]}" >/dev/null 2>&1 & fi
    process=$!
    sleep "$(awk -v part="$RANDOM" -v took="$took" 'BEGIN { printf "%.3f", took / 1e9 * part / 32768 }')"
    if kill -KILL "$process" 2>/dev/null; then kills=$((kills + 1)); fi
    wait "$process" 2>/dev/null || true
    [ ! -e "$out/metrics.json" ] || break
    if [ -e "$out/config.json" ]; then resume=(--resume --out "$out"); fi
  done
  if [ ! -e "$out/metrics.json" ]; then
    if [ ${#resume[@]} -eq 0 ]; then "$program" "$@" --out "$out" >/dev/null 2>&1; else "$program" "${resume[@]}" >/dev/null 2>&1; fi
  fi
  if ! cmp -s <(kept "$folder/undisturbed") <(kept "$out"); then
    echo "run $run differs from the undisturbed one"
    differ=$((differ + 1))
  fi
done
echo "$runs runs, killed $kills times: $((runs - differ)) as the undisturbed one"
[ "$differ" -eq 0 ]
