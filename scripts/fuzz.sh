#!/usr/bin/env bash
# Gives what reads strangers' files bytes that nobody meant, under the address and undefined-behaviour sanitizers.
#   scripts/fuzz.sh                  every target for ten minutes
#   scripts/fuzz.sh 60 csv images    some of them for a minute each
# With clang (16 or newer; CLANG names clang++) and PyPI's torch by libFuzzer, which looks for inputs that reach new
# code; without, or with MTL_FUZZER=driver, by the driver of the tests, whose mutations are blind. An input that
# does harm is left in build/fuzz/<target>, new ones that reach code in build/fuzz/<target>/corpus.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=600
if [[ ${1:-} =~ ^[0-9]+$ ]]; then seconds=$1; shift; fi
clang=${CLANG:-clang++-16}
if [ "${MTL_FUZZER:-}" != driver ] && ! command -v "$clang" >/dev/null; then
  echo "there is no $clang: the driver of the tests mutates without looking at what is reached" >&2
  MTL_FUZZER=driver
fi
# LibTorch's own leaks and OpenMP's threads are none of ours.
export OMP_NUM_THREADS=1
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0:allocator_may_return_null=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}

mkdir -p build/fuzz
if [ "${MTL_FUZZER:-}" = driver ]; then
  targets=(mtl_fuzz) MTL_PRESET=asan
  source scripts/build.sh
  program=$build/tests/fuzz/mtl_fuzz
else
  torch_dir=$(MTL_TORCH=pip scripts/setup.sh)
  cmake --preset dev -B build/fuzz/build -DCMAKE_CXX_COMPILER="$clang" -DMTL_TORCH_DIR="$torch_dir" -DMTL_LIBFUZZER=ON \
    -DMTL_SANITIZE=address,undefined -DMTL_UNITY_BUILD=ON -DMTL_BUILD_EXAMPLES=OFF -DMTL_WARNINGS_AS_ERRORS=OFF \
    -DCMAKE_CXX_COMPILER_LAUNCHER="${CMAKE_CXX_COMPILER_LAUNCHER-ccache}" >build/fuzz/configure.log
  cmake --build build/fuzz/build --target mtl_fuzz mtl_libfuzzer
  program=build/fuzz/build/tests/fuzz/mtl_fuzz
  libfuzzer=$PWD/build/fuzz/build/tests/fuzz/mtl_libfuzzer
fi
program=$PWD/$program
root=$PWD

names=("$@")
[ ${#names[@]} -gt 0 ] || mapfile -t names < <("$program" --list)
failed=()
for name in "${names[@]}"; do
  mkdir -p "build/fuzz/$name/corpus"
  cd "build/fuzz/$name"
  if [ "${MTL_FUZZER:-}" = driver ]; then
    end=$((SECONDS + seconds)) seed=1 runs=2000 done=0
    while [ $SECONDS -lt $end ]; do
      "$program" "$name" $runs $seed >log 2>&1 || { tail -20 log; failed+=("$name"); break; }
      seed=$((seed + 1)) done=$((done + runs))
    done
    echo "$name: $done mutations in $seconds s"
  else
    "$program" "$name" --seeds seeds >/dev/null
    # 2 GB and 20 s are more than any input of 64 KiB may ask for; libFuzzer counts seconds of the clock, which a machine
    # that others use makes long: MTL_FUZZ_SECONDS.
    MTL_FUZZ=$name "$libfuzzer" -max_total_time="$seconds" -max_len=65536 -timeout="${MTL_FUZZ_SECONDS:-20}" -rss_limit_mb=3000 \
      -malloc_limit_mb=2000 -print_final_stats=1 corpus seeds >log 2>&1 || failed+=("$name")
    grep -E 'stat::number_of_executed_units|SUMMARY|ERROR|fuzz:' log | sed "s/^/$name: /"
    grep -oE 'cov: [0-9]+ ft: [0-9]+' log | tail -1 | sed "s/^/$name: /"
  fi
  cd "$root"
done
if [ ${#failed[@]} -gt 0 ]; then
  echo "found something: ${failed[*]}; see build/fuzz/<target>/log" >&2
  exit 1
fi
