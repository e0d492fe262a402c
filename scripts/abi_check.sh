#!/usr/bin/env bash
# Holds what a shared library exports against the list of the last release: what is gone or has another signature breaks programs
# that are linked with it, which a patch version must not.
#   scripts/abi_check.sh [FILE]            FILE: a libmtl.so (default: that of build/debian)
#   scripts/abi_check.sh --update [FILE]   makes its names the list, for a new minor version
# Where abidiff is installed (abigail-tools) and MTL_ABI_BASE names the last release's library, both with debug information, layouts
# of types are compared as well.
set -euo pipefail
cd "$(dirname "$0")/.."
list=packaging/abi/libmtl.symbols
update=
if [ "${1:-}" = --update ]; then update=yes; shift; fi
library=${1:-build/debian/libmtl.so}
[ -e "$library" ] || { echo "there is no $library: build with -DBUILD_SHARED_LIBS=ON (scripts/debian.sh build)" >&2; exit 2; }

# Functions and data of namespace mtl that are defined once; templates and inline functions are the including program's own.
names=$(nm --dynamic --defined-only --demangle "$library" | sed -nE 's/^[0-9a-f]+ [TDBR] (mtl::.*)$/\1/p' | LC_ALL=C sort -u)
[ "$(wc -l <<<"$names")" -gt 100 ] || { echo "$library exports hardly anything: is it the library?" >&2; exit 2; }
if [ -n "$update" ]; then
  printf '%s\n' "$names" >$list
  echo "$list: $(wc -l <$list) names"
  exit
fi
gone=$(LC_ALL=C comm -13 <(printf '%s\n' "$names") $list)
added=$(LC_ALL=C comm -23 <(printf '%s\n' "$names") $list | wc -l)
echo "$library: $(wc -l <<<"$names") names, $added of them new since the list"
if [ -n "$gone" ]; then
  printf 'gone, so that programs linked with the last release no longer start:\n%s\n' "$gone"
  exit 1
fi
if [ -n "${MTL_ABI_BASE:-}" ]; then
  command -v abidiff >/dev/null || { echo "abidiff is missing (package abigail-tools): layouts were not compared" >&2; exit 2; }
  abidiff --no-added-syms --drop-private-types --headers-dir1 include --headers-dir2 include "$MTL_ABI_BASE" "$library"
fi
