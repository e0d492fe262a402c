#!/usr/bin/env bash
# Compiles the library's umbrella header, a program that uses it, and every source of the library with each compiler, standard and
# LibTorch that is there, and prints a table for docs/install.md.
#   scripts/compilers.sh                      all combinations; sources by folder
#   scripts/compilers.sh program              the program only: a minute each
#   MTL_COMPILERS="g++-12 clang++-19" MTL_STANDARDS="20 23" MTL_TORCHES="system pip" scripts/compilers.sh
set -euo pipefail
cd "$(dirname "$0")/.."
part=${1:-all}
failed=0
printf '| compiler | C++ | LibTorch | %s |\n|---|---|---|---|\n' "$([ "$part" = all ] && echo "library and program" || echo "program")"
for torch in ${MTL_TORCHES:-system pip}; do
  torch_dir=$(MTL_TORCH=$torch scripts/setup.sh)
  for compiler in ${MTL_COMPILERS:-g++-12 g++-13 g++-14 clang++-16 clang++-19}; do
    command -v "$compiler" >/dev/null || continue
    for standard in ${MTL_STANDARDS:-20 23}; do
      build=build/compilers/$compiler-$standard-$torch
      log=$build.log
      mkdir -p "$build"
      word=yes
      # -O0: what is asked is whether it compiles and links, and whether the program does what it should.
      if ! cmake -S . -B "$build" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_STANDARD="$standard" -DCMAKE_BUILD_TYPE=Debug \
          -DCMAKE_CXX_FLAGS_DEBUG="-O0 -g0" -DMTL_TORCH_DIR="$torch_dir" -DMTL_BUILD_TESTS=OFF -DMTL_BUILD_EXAMPLES=OFF \
          -DMTL_WARNINGS_AS_ERRORS=ON -DCMAKE_CXX_COMPILER_LAUNCHER="${CMAKE_CXX_COMPILER_LAUNCHER:-ccache}" >"$log" 2>&1; then
        word="refused by CMake"
      elif [ "$part" = all ]; then
        if ! cmake --build "$build" >>"$log" 2>&1; then word=no; fi
      fi
      if [ "$word" = yes ] && [ "$part" = program ]; then
        # clang 16 knows C++23 by the name it had before.
        flags=(-std=c++"${standard/23/2b}" -O0 -fsyntax-only -DMTL_HAS_IMAGES=1 -Iinclude)
        if [ -n "$torch_dir" ]; then
          flags+=(-isystem "$torch_dir/include" -isystem "$torch_dir/include/torch/csrc/api/include" -DFMT_HEADER_ONLY=1)
        else
          flags+=(-isystem /usr/include/torch/csrc/api/include)
        fi
        flags+=(-isystem /usr/include/eigen3)
        "$compiler" "${flags[@]}" tests/house/outside/main.cpp >>"$log" 2>&1 || word=no
      fi
      [ "$word" = no ] && failed=1
      printf '| %s | %s | %s | %s |\n' "$("$compiler" --version | head -n 1)" "$standard" "$torch" "$word"
    done
  done
done
exit $failed
