#!/usr/bin/env bash
# Builds the library and what its tests start with sanitizers, and runs the tests to the end.
#   scripts/sanitize.sh                     address and undefined behaviour, then threads
#   scripts/sanitize.sh asan [options]      one preset; options go to ctest: scripts/sanitize.sh tsan -R data
#   MTL_TARGETS="mtl mtl_tests_data" scripts/sanitize.sh tsan -R "^data$"    one room, which is compiled sooner
# From scratch 67 compilations for each, of half a minute to two minutes of a processor and up to 3 GB.
set -euo pipefail
cd "$(dirname "$0")/.."
presets=(asan tsan)
if [ $# -gt 0 ]; then
  case $1 in
    asan | tsan) presets=("$1") ;;
    *) echo "the first argument is '$1'; it can be asan or tsan" >&2; exit 2 ;;
  esac
  shift
fi

# The sanitizers see our code; LibTorch, OpenBLAS and OpenMP's threads are built without them.
export OMP_NUM_THREADS=1
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0:detect_stack_use_after_return=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:ignore_noninstrumented_modules=1}
export MTL_TARGETS=${MTL_TARGETS:-mtl mtl_tests}
for preset in "${presets[@]}"; do
  # Programs outside, snippets of the documentation, and whether the headers compile by themselves: no sanitizer sees more there.
  MTL_PRESET=$preset ./tests/run.sh -E '^(headers|outside_.*|docs_.*|libtorch_mismatch)$' "$@"
done
