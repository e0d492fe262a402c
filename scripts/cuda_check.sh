#!/usr/bin/env bash
# Builds the library against PyTorch's LibTorch and checks it on a GPU: the same answers as on the CPU, how often a step
# waits for the device, and what steps cost beside T backward passes and TorchJD. Without a GPU the same programs run on
# the CPU, with fewer and smaller workloads.
#   scripts/cuda_check.sh OUTPUT [PART...]     parts: build, tests, benchmark (default: all three, in this order)
# OUTPUT/ receives check.log, tests.log, cost.txt, performance.json and performance.md.
#   MTL_DEPS        headers that the machine lacks, as scripts/cuda_deps.sh leaves them (default: build/cuda_deps)
#   MTL_TORCH_DIR   LibTorch's folder (default: that of python3's torch)
#   MTL_TORCH_CUDA  ON or OFF: link its CUDA part (default: where there is a GPU)
#   MTL_CUDA_JOBS   compilers at once (default: all cores)
#   MTL_CUDA_FLAGS  for the compiler (default: -O2 -DNDEBUG -g1; line numbers say who waits for the device)
set -uo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 1 ] || { sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 2; }
mkdir -p "$1" && out=$(cd "$1" && pwd) || exit 2
shift
parts=${*:-build tests benchmark}
deps=${MTL_DEPS:-$PWD/build/cuda_deps}
build=build/cuda
jobs=${MTL_CUDA_JOBS:-$(nproc)}
exec > >(tee -a "$out/check.log") 2>&1

say() { printf '[%4ds] %s\n' "$SECONDS" "$*"; }
die() { say "$*"; exit 1; }

torch=${MTL_TORCH_DIR:-$(python3 -c 'import importlib.util as u; print(u.find_spec("torch").submodule_search_locations[0])' 2>/dev/null)}
[ -n "$torch" ] && [ -d "$torch/lib" ] || die "no LibTorch: neither does python3 have torch, nor does MTL_TORCH_DIR name one"
device=cpu
if nvidia-smi -L >/dev/null 2>&1 && [ -e "$torch/lib/libtorch_cuda.so" ]; then device=cuda; fi
say "checks mtl on '$device' with $torch, $jobs compilers at once"
[ "$device" = cuda ] && nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
say "needs a C++20 compiler, CMake, Ninja or Make; Eigen, nlohmann-json, Catch2 (and libjpeg, libpng for pictures) from $deps/prefix or the system"
say "takes about 3 minutes on 16 cores: build 1, tests half, benchmark 1.5"
for tool in cmake c++; do command -v $tool >/dev/null || die "$tool is missing"; done
[ -d "$deps/prefix" ] || say "there is no $deps/prefix (scripts/cuda_deps.sh makes it): the system's packages have to do"

build_all() {
  local generator=()
  command -v ninja >/dev/null && generator=(-G Ninja)
  local launcher=()
  command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  cmake -S . -B $build "${generator[@]}" "${launcher[@]}" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE="${MTL_CUDA_FLAGS:--O2 -DNDEBUG -g1}" \
    -DCMAKE_PREFIX_PATH="$deps/prefix" -DMTL_TORCH_DIR="$torch" -DMTL_TORCH_CUDA="${MTL_TORCH_CUDA:-$([ $device = cuda ] && echo ON || echo OFF)}" \
    -DMTL_BUILD_EXAMPLES=OFF -DMTL_BUILD_TESTS=ON -DMTL_BUILD_BENCHMARKS=ON -DMTL_INSTALL=OFF || return 1
  cmake --build $build --target mtl_tests_cuda mtl_benchmark_worker -j "$jobs"
}

run_tests() {
  local program=$build/tests/mtl_tests_cuda
  [ -x $program ] || die "there is no $program: run the part 'build' first"
  MTL_TEST_DEVICE=$device MTL_TEST_COST="$out/cost.txt" timeout 240 $program -d yes >"$out/tests.log" 2>&1
  local failed=$?
  # Failed assertions first; the table of what a step costs is short.
  grep -nE 'FAILED|skipped|error' "$out/tests.log" | head -40
  tail -n 4 "$out/tests.log"
  [ -s "$out/cost.txt" ] && cat "$out/cost.txt"
  return $failed
}

run_benchmark() {
  local program=$build/benchmarks/mtl_benchmark_worker python=python3
  [ -x $program ] || die "there is no $program: run the part 'build' first"
  if ls "$deps"/wheels/*.whl >/dev/null 2>&1 && python3 -c 'import torch' 2>/dev/null; then
    python3 -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --upgrade --target "$build/site" "$deps"/wheels/*.whl &&
      export PYTHONPATH="$PWD/$build/site${PYTHONPATH:+:$PYTHONPATH}"
  fi
  local less=()
  if [ $device = cpu ]; then less=(--threads 1 --no-solvers --no-memory --rounds 1 --cells mlp_small/2,mlp@2/2 --methods mtl/raw_sum,mtl/raw_backwards,mtl/sum,mtl/upgrad); fi
  rm -f "$out/performance.md"
  timeout 300 $python benchmarks/compare.py --ours $program --python $python --device $device --rounds 5 --sample 0.04 \
    --output "$out/performance" "${less[@]}" || return 1
  sed -n '1,60p' "$out/performance.md"
}

failed=()
for part in $parts; do
  say "== $part"
  case $part in
    build) build_all || die "the build failed; see $out/check.log" ;;
    tests) run_tests || failed+=(tests) ;;
    benchmark) run_benchmark || failed+=(benchmark) ;;
    *) die "there is no part '$part'; parts are build, tests, benchmark" ;;
  esac
done
[ ${#failed[@]} -eq 0 ] || die "failed: ${failed[*]}"
say "done: $out"
