# Sourced by the run scripts: `source scripts/build.sh PRESET [TARGET...]` sets up, configures and builds; $build is the folder.
torch_dir=$(scripts/setup.sh)
build=build/$1${MTL_TORCH:+-$MTL_TORCH}
mkdir -p build
launcher=${CMAKE_CXX_COMPILER_LAUNCHER:-ccache}
# What ccache must overlook to serve files compiled with a precompiled header.
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros,include_file_mtime,include_file_ctime}
cmake --preset "$1" -B "$build" -DMTL_TORCH_DIR="$torch_dir" -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" >"$build.log" 2>&1 || { cat "$build.log" >&2; exit 1; }
cmake --build "$build" ${2:+--target "${@:2}"}
