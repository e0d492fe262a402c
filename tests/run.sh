#!/usr/bin/env bash
# Sets up what is missing, builds, and runs every test.
#   ./tests/run.sh                  LibTorch of the distribution
#   MTL_TORCH=pip ./tests/run.sh    LibTorch of PyPI's torch
# Options go to ctest: ./tests/run.sh -R combine; MTL_TARGETS names what is built (default: everything)
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -e "build/${MTL_PRESET:-release}${MTL_TORCH:+-$MTL_TORCH}/build.ninja" ]; then
  echo "Builds what has changed, then runs the tests: about 5 minutes of two processors where little has." >&2
else
  echo "Builds everything, then runs the tests: about 20 minutes of two processors, 8 where a compiler cache serves." >&2
fi
# shellcheck disable=SC2206  # several targets
targets=(${MTL_TARGETS:-})
source scripts/build.sh
ctest --test-dir "$build" --output-on-failure -j "$(nproc)" "$@"
