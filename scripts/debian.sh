#!/usr/bin/env bash
# Builds the Debian packages libmtl0, libmtl-dev and mtl-examples, then installs them in a bare Debian root, runs the examples
# there and compiles a program with the installed library, by CMake and by pkg-config.
#   scripts/debian.sh            both; the packages lie in build/debian/*.deb
#   scripts/debian.sh build      the packages only
#   scripts/debian.sh check      the root only (needs root and mmdebstrap; some 3 GB in build/debian/root)
# MTL_PRESET names another preset than `release`, MTL_CMAKE_OPTIONS more options for CMake.
set -euo pipefail
cd "$(dirname "$0")/.."
out=build/debian
needs() { command -v "$1" >/dev/null || { echo "$1 is missing: apt-get install $2" >&2; exit 1; }; }
parts=${*:-build check}

if [[ " $parts " == *" build "* ]]; then
  needs dpkg-shlibdeps dpkg-dev
  scripts/setup.sh >&2
  export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros,include_file_mtime,include_file_ctime}
  export CCACHE_DEPEND=${CCACHE_DEPEND:-1} CCACHE_BASEDIR=${CCACHE_BASEDIR:-$PWD} CCACHE_NOHASHDIR=1
  # shellcheck disable=SC2086  # several options
  cmake --preset "${MTL_PRESET:-release}" -B $out -DBUILD_SHARED_LIBS=ON -DCMAKE_INSTALL_PREFIX=/usr \
    -DCMAKE_INSTALL_LIBDIR="lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)" -DMTL_TORCH_DIR= -DMTL_EXAMPLES_DATA=/usr/share/mtl/examples \
    -DMTL_BUILD_TESTS=OFF -DMTL_BUILD_BENCHMARKS=OFF -DCMAKE_CXX_COMPILER_LAUNCHER="${CMAKE_CXX_COMPILER_LAUNCHER:-ccache}" ${MTL_CMAKE_OPTIONS:-}
  cmake --build $out
  rm -f $out/*.deb
  (cd $out && cpack -G DEB)
  for package in "$out"/*.deb; do dpkg-deb --info "$package" | grep -E '^ (Package|Version|Depends):'; done
fi

if [[ " $parts " == *" check "* ]]; then
  needs mmdebstrap mmdebstrap
  root=$PWD/$out/root
  rm -rf --one-file-system "$root"
  mmdebstrap --mode=root --variant=minbase "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root"
  mkdir "$root/packages"
  cp $out/*.deb "$root/packages"
  cp -r tests/house/outside "$root/outside"
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  # Programs need what they need of the system, and nothing else: the examples first, the compiler afterwards.
  cat >"$root/check.sh" <<'CHECK'
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive OMP_NUM_THREADS=1
apt-get update -qq
apt-get install -y -qq --no-install-recommends /packages/libmtl0_*.deb /packages/mtl-examples_*.deb >/dev/null
cd /tmp
mtl_example_first_steps
mtl_example_weather --epochs 2 --out weather
ls weather/report.html weather/best.safetensors
mtl_example_toy --lr 0.01 --steps 10 --help >/dev/null
mtl_example_table train /usr/share/mtl/examples/table/data/houses.csv --out houses --ignore id --weight weight \
  --task price:regression --task sold:binary
for program in /usr/bin/mtl_example_*; do "$program" --help >/dev/null 2>&1 || [ "$program" = /usr/bin/mtl_example_first_steps ]; done
apt-get install -y -qq --no-install-recommends /packages/libmtl-dev_*.deb g++ cmake make pkg-config >/dev/null
cmake -S /outside/find_package -B by_cmake -DCMAKE_CXX_FLAGS=-O0
cmake --build by_cmake
by_cmake/outside
g++ -std=c++20 -O0 /outside/main.cpp -o by_pkg_config $(pkg-config --cflags --libs mtl)
./by_pkg_config
echo "in a bare root: packages installed, examples run, programs compiled with CMake and pkg-config"
CHECK
  mount --bind /proc "$root/proc" 2>/dev/null || true
  status=0
  chroot "$root" bash /check.sh || status=$?
  umount "$root/proc" 2>/dev/null || true
  [ "${MTL_KEEP_ROOT:-}" ] || rm -rf --one-file-system "$root"
  exit $status
fi
