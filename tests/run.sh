#!/usr/bin/env bash
# Sets up what is missing, builds, and runs every test.
#   ./tests/run.sh                  LibTorch of the distribution
#   MTL_TORCH=pip ./tests/run.sh    LibTorch of PyPI's torch
# Options go to ctest: ./tests/run.sh -R combine
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/build.sh
ctest --test-dir "$build" --output-on-failure "$@"
