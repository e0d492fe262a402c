#!/usr/bin/env bash
# How the weather example's intervals and probabilities hold in years that its network has not seen: trains on the first
# years of a folder of the agency's files, a year each, which also teach it how far it is to be trusted, and judges on the
# years after them; then on one more year, and so on.
#   scripts/weather_years.sh DIR [options of the program]       prints a table
set -euo pipefail
folder=$(realpath "${1:?usage: scripts/weather_years.sh DIR [options]}")
shift
cd "$(dirname "$0")/.."
targets=(mtl_example_weather)
source scripts/build.sh >&2
program=$build/examples/weather/mtl_example_weather
mapfile -t files < <(ls "$folder"/data*.csv)
out=runs/weather_years
echo "| years seen | days judged | temperature within (%) | wide (°C) | humidity within (%) | wide (%) | log loss | climate |"
echo "|---:|---:|---:|---:|---:|---:|---:|---:|"
for ((seen = 2; seen < ${#files[@]}; ++seen)); do
  "$program" --data "${files[@]:0:seen}" --out "$out/$seen" "$@" >/dev/null 2>&1
  for ((until = seen + 1; until <= ${#files[@]}; ++until)); do
    if ((until != seen + 1 && until != ${#files[@]})); then continue; fi
    "$program" --test --data "${files[@]:0:until}" --out "$out/$seen" >/dev/null 2>&1
    python3 - "$seen" "$out/$seen/test.json" <<'END'
import json, sys
doubt = json.load(open(sys.argv[2]))["doubt"]
cells = [f"{100 * doubt[task]['coverage']:.1f} | {doubt[task]['width']:.1f}" for task in ("temp", "rh")]
weather = doubt["weather"]
print(f"| {sys.argv[1]} | {doubt['days']} | {cells[0]} | {cells[1]} | {weather['log_loss']:.3f} | {weather['climate_log_loss']:.3f} |")
END
  done
done
