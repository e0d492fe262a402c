#!/usr/bin/env bash
# clang-tidy (16 or later; CLANG_TIDY names the program) over the library and the examples, a folder at a time.
# With PyPI's torch: clang does not take LibTorch 1.13's headers as C++20.
set -euo pipefail
cd "$(dirname "$0")/.."
torch_dir=$(MTL_TORCH=pip scripts/setup.sh)
# GCC's precompiled headers are none to clang.
cmake --preset dev -B build/tidy -DMTL_UNITY_BUILD=ON -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DMTL_TORCH_DIR="$torch_dir" >build/tidy.log
{
  find build/tidy/units build/tidy/examples -name 'unity_*.cxx'
  ls src/data/images/{resize,transforms}.cpp examples/*/main.cpp  # in none of the folders' units
} | xargs -P "$(nproc)" -n 1 "${CLANG_TIDY:-clang-tidy-16}" --quiet -p build/tidy
