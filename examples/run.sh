#!/usr/bin/env bash
# Sets up what is missing, builds one example and runs it on its bundled data.
#   ./examples/run.sh weather [options]     tomorrow's weather in Tokyo
#   ./examples/run.sh pets [options]        37 breeds of cats and dogs
#   ./examples/run.sh table [options]       a CSV of your own, without C++
#   ./examples/run.sh recommender [options] clicks and purchases of a shop whose truth is known
#   ./examples/run.sh vision [options]      breed, head and outline of animals
#   ./examples/run.sh text [options]        sentiment, topic and aspects of reviews
#   ./examples/run.sh predict BUNDLE FILES  what a saved bundle says of a table's rows, or of pictures
#   ./examples/run.sh NAME --help           an example's options
set -euo pipefail
cd "$(dirname "$0")/.."
name=${1:-}
if [ -z "$name" ] || [ ! -f "examples/$name/CMakeLists.txt" ]; then
  echo "usage: examples/run.sh NAME [options]; there are: $(cd examples && ls -d */ | tr -d / | tr '\n' ' ')" >&2
  exit 2
fi
shift
targets=("mtl_example_$name")
source scripts/build.sh
# Threads that wait without spinning: what else runs on this machine then costs what it takes, and not many times that.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
program=$build/examples/$name/mtl_example_$name
# An example that needs more than its program (data to unpack, weights to fetch, options of a first run) says so itself.
if [ -f "examples/$name/run.sh" ]; then exec "examples/$name/run.sh" "$program" "$@"; fi
exec "$program" "$@"
