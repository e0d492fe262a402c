# Sourced by the run scripts: sets up, configures and builds the targets listed in `targets` (empty: everything);
# afterwards $build is the folder. MTL_PRESET names another preset than `release`, MTL_TORCH=pip another LibTorch than
# the distribution's, MTL_CMAKE_OPTIONS more options for CMake.
torch_dir=$(scripts/setup.sh)
preset=${MTL_PRESET:-release}
build=build/$preset${MTL_TORCH:+-$MTL_TORCH}
# What ccache must overlook to serve files compiled with a precompiled header.
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros,include_file_mtime,include_file_ctime}
# Without a run of the preprocessor, which makes no use of the precompiled header, before each compilation.
export CCACHE_DEPEND=${CCACHE_DEPEND:-1}
# Objects are the same wherever the checkout and the build folder lie.
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$PWD} CCACHE_NOHASHDIR=1
mkdir -p build
# shellcheck disable=SC2086  # several options
cmake --preset "$preset" -B "$build" -DMTL_TORCH_DIR="$torch_dir" ${MTL_CMAKE_OPTIONS:-} \
  -DCMAKE_CXX_COMPILER_LAUNCHER="${CMAKE_CXX_COMPILER_LAUNCHER:-ccache}" >"$build.log" 2>&1 || { cat "$build.log" >&2; exit 1; }
cmake --build "$build" ${targets[@]+--target "${targets[@]}"}
