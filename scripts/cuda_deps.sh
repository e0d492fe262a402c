#!/usr/bin/env bash
# Gathers the headers that cuda_check.sh needs on a machine that has PyTorch and a compiler but no registry, from the
# Debian packages installed here (scripts/setup.sh): Eigen, fmt, nlohmann-json, CLI11, Catch2, and libjpeg-turbo, libpng
# and zlib as static libraries. About 10 MB that can be copied to another x86-64 Linux.
#   scripts/cuda_deps.sh [FOLDER]    (default: build/cuda_deps)
# Where pip answers, TorchJD goes into FOLDER/wheels, so that the benchmark there can measure it beside ours.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
deps=${1:-$root/build/cuda_deps}
arch=$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo x86_64-linux-gnu)
packages=(libeigen3-dev libfmt-dev nlohmann-json3-dev libcli11-dev catch2 libjpeg62-turbo-dev libpng-dev zlib1g-dev)

rm -rf "$deps"
mkdir -p "$deps/prefix/include" "$deps/prefix/lib"
for package in "${packages[@]}"; do
  dpkg -L "$package" >/dev/null 2>&1 || { echo "package $package is not installed; scripts/setup.sh installs it" >&2; exit 1; }
  # Headers and CMake files as they lie under /usr; what depends on the architecture moves up a folder.
  dpkg -L "$package" | grep -E "^/usr/(include|lib/cmake|share/cmake|share/eigen3)/|^/usr/lib(/$arch)?/[^/]*\.a$" |
    while read -r file; do
      [ -f "$file" ] || continue
      to=${file#/usr/}
      to=${to/include\/$arch\//include/}
      to=${to/lib\/$arch\//lib/}
      mkdir -p "$deps/prefix/$(dirname "$to")"
      cp -L "$file" "$deps/prefix/$to"
    done
done
# fmt's own CMake files ask for its libraries; its headers alone do.
mkdir -p "$deps/prefix/lib/cmake/fmt"
cat >"$deps/prefix/lib/cmake/fmt/fmt-config.cmake" <<'CMAKE'
if(NOT TARGET fmt::fmt)
  add_library(fmt::fmt INTERFACE IMPORTED)
  get_filename_component(_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
  set_target_properties(fmt::fmt PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${_prefix}/include"
                                            INTERFACE_COMPILE_DEFINITIONS FMT_HEADER_ONLY=1)
endif()
CMAKE

# TorchJD and what its solvers ask for beyond numpy and scipy, for the Python of the other machine.
python=${MTL_CUDA_PYTHON:-3.12}
python3 -m pip download --quiet --no-deps --only-binary=:all: --implementation cp --python-version "$python" \
  --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
  -d "$deps/wheels" torchjd==0.18.0 quadprog qpsolvers >&2 ||
  echo "pip could not fetch TorchJD: the benchmark will do without it" >&2
du -sh "$deps" | cut -f1
