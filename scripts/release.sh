#!/usr/bin/env bash
# The release checklist. Goes through it in order and stops at the first thing that is not so; the last step tags the version and
# leaves build/release/mtl-VERSION.tar.gz.
#   scripts/release.sh           everything but the tag: some hours of two processors
#   scripts/release.sh tag       everything, then the tag and the archive
#   MTL_RELEASE_SKIP="tests sanitizers" scripts/release.sh     leaves out what was just done
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -nE 's/^#define MTL_VERSION_STRING "(.*)"$/\1/p' include/mtl/core/version.hpp)
out=build/release
mkdir -p $out

step() {  # step NAME TEXT COMMAND...
  local name=$1 text=$2
  shift 2
  if [[ " ${MTL_RELEASE_SKIP:-} " == *" $name "* ]]; then echo "left out  $text"; return; fi
  if "$@" >"$out/$name.log" 2>&1; then
    echo "yes       $text"
  else
    echo "NO        $text: $out/$name.log ends with"
    tail -n 15 "$out/$name.log"
    exit 1
  fi
}

versions_agree() {
  local numbers
  numbers=$(sed -nE 's/^#define MTL_VERSION_(MAJOR|MINOR|PATCH) ([0-9]+)$/\2/p' include/mtl/core/version.hpp | paste -sd.)
  [ "$numbers" = "$version" ] || { echo "version.hpp has the numbers $numbers and the text $version"; return 1; }
  grep -q "\"version-semver\": \"$version\"" packaging/vcpkg/vcpkg.json || { echo "packaging/vcpkg/vcpkg.json has another version"; return 1; }
  grep -qE "^## $version( |$)" CHANGELOG.md || { echo "CHANGELOG.md has no section $version"; return 1; }
}
changes_dated() { grep -qE "^## $version \([0-9]{4}-[0-9]{2}-[0-9]{2}\)$" CHANGELOG.md || { echo "CHANGELOG.md: the section $version has no date"; return 1; }; }
nothing_open() { [ -z "$(git status --porcelain)" ] || { git status --short; return 1; }; }
not_yet_tagged() { ! git rev-parse -q --verify "refs/tags/v$version"; }
both_torches() { MTL_PRESET=ci ./tests/run.sh && MTL_PRESET=ci MTL_TORCH=pip MTL_CMAKE_OPTIONS=-DMTL_BUILD_BENCHMARKS=OFF ./tests/run.sh; }
archive_builds() {
  git archive --prefix="mtl-$version/" -o "$out/mtl-$version.tar.gz" HEAD
  rm -rf "$out/unpacked" && mkdir "$out/unpacked" && tar xzf "$out/mtl-$version.tar.gz" -C "$out/unpacked"
  (cd "$out/unpacked/mtl-$version" && cmake --preset release -DMTL_BUILD_BENCHMARKS=OFF -DCMAKE_CXX_COMPILER_LAUNCHER=ccache &&
    cmake --build build/release --target mtl mtl_example_first_steps && build/release/examples/first_steps/mtl_example_first_steps)
}

echo "mtl $version"
step versions "version.hpp, CHANGELOG.md and the vcpkg port say one version" versions_agree
step clean "nothing is changed or untracked" nothing_open
step untagged "the version is not tagged yet" not_yet_tagged
step docs "the documentation builds without a warning" scripts/docs.sh
step tests "the tests pass with both LibTorch versions" both_torches
step compilers "other compilers build it" scripts/compilers.sh
step tidy "clang-tidy is silent" scripts/tidy.sh
step sanitizers "the sanitizers are silent" scripts/sanitize.sh
step coverage "the tests run 95 % of the lines of combine, task and train" scripts/coverage.sh
step debian "Debian packages install in a bare root, their examples run" scripts/debian.sh
step abi "nothing that the last release exported is gone" scripts/abi_check.sh
step archive "the archive of the sources builds by itself" archive_builds
if [ "${1:-}" != tag ]; then
  echo "all done but the tag: scripts/release.sh tag"
  exit
fi
step dated "the section of CHANGELOG.md has its date" changes_dated
git tag -a "v$version" -m "mtl $version"
git archive --prefix="mtl-$version/" -o "$out/mtl-$version.tar.gz" "v$version"
(cd $out && sha256sum "mtl-$version.tar.gz" | tee "mtl-$version.tar.gz.sha256")
echo "tagged v$version; push it with: git push origin v$version"
