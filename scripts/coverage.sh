#!/usr/bin/env bash
# Which lines of the library the tests run, by room. Fails where combine, task or train have less than 95 %, or a test fails.
#   scripts/coverage.sh                  everything: from scratch about half an hour of two processors
#   scripts/coverage.sh -R '^combine$'   options go to ctest
# Needs gcovr (Debian's package gcovr). The lines that no test runs are in build/coverage/uncovered.txt, for every file.
# A line counts if it runs anywhere, in any instantiation of a template, in the process that ctest starts or in one that
# it starts in turn. What a process did that is killed, or ends by _exit as the workers of mtl::compare do, is not counted.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v gcovr >/dev/null || { echo "gcovr is missing; on Debian: apt-get install gcovr" >&2; exit 2; }
targets=(mtl mtl_tests) MTL_PRESET=coverage
source scripts/build.sh
# Counts add up over the runs of a build.
find "$build" -name '*.gcda' -delete
tests=passed
OMP_NUM_THREADS=1 ctest --test-dir "$build" --output-on-failure -j "$(nproc)" -E '^(headers|outside_.*|docs_.*|libtorch_mismatch)$' "$@" || tests=failed
gcovr --root . --filter include/mtl/ --filter src/ --exclude-throw-branches -j "$(nproc)" --json "$build/coverage.json" "$build"
python3 - "$build" $tests <<'END'
import collections, json, pathlib, sys

build, tests = sys.argv[1:]
wanted, least = ("combine", "task", "train"), 95
files = collections.defaultdict(dict)  # room: file: line: whether it ran
for file in json.load(open(f"{build}/coverage.json"))["files"]:
    parts = pathlib.Path(file["file"]).parts
    room = parts[parts.index("mtl" if parts[0] == "include" else "src") + 1]
    files[room][file["file"]] = {line["line_number"]: line["count"] > 0 for line in file["lines"]
                                 if not line.get("gcovr/noncode") and not line.get("gcovr/excluded")}


def percent(lines):
    return 100 * sum(lines) / max(len(lines), 1)


def runs(lines):
    """12, 20-23: lines that did not run, those in a row as one."""
    ranges, before = [], True
    for number, ran in sorted(lines.items()):
        if not ran:
            ranges += [[number, number]] if before else []
            ranges[-1][1] = number
        before = ran
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)


print(f"{'room':10} {'lines':>7} {'run':>7} {'%':>6}")
low = []
for room in sorted(files):
    lines = [ran for of_file in files[room].values() for ran in of_file.values()]
    print(f"{room:10} {len(lines):7} {sum(lines):7} {percent(lines):6.1f}")
    low += [room] if room in wanted and percent(lines) < least else []
with open(f"{build}/uncovered.txt", "w") as text:
    for room in sorted(files):
        for name, lines in sorted(files[room].items()):
            if all(lines.values()):
                continue
            line = f"{name} {percent(lines.values()):.1f} %: {runs(lines)}"
            print(line, file=text)
            if room in wanted and percent(lines.values()) < least:
                print(line)
if low:
    print(f"below {least} %: {', '.join(low)}", file=sys.stderr)
if tests != "passed":
    print("a test failed", file=sys.stderr)
sys.exit(bool(low) or tests != "passed")
END
