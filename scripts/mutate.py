#!/usr/bin/env python3
"""Plants faults in combine/solvers and task/metrics, and asks whether the tests notice each of them.

    scripts/mutate.py                                  50 faults in each; fails where fewer than 95 % are caught
    scripts/mutate.py --room solvers --count 200 --seed 7

Left out are tolerances and limits of iterations, whose value no test can name. Of the solvers' faults that the tests do
not notice, those do not count that change nothing: scripts/solver_answers.cpp asks for some thousand answers, about
problems of every kind, and a fault that was met a hundred times on the way while all answers stayed as they were, to
1e-8, decides how soon an answer is found, or from where. Each is replaced by the next of the draw, and listed as "same".

A fault is another operator or comparison, a constant one off, min for max, a condition turned round, a statement or a
break that is gone. All faults of a room are compiled into one program (scripts/planted_faults.hpp), which then runs once
for each: the solvers with the tests of theirs that need nothing but Eigen, the metrics, which are headers, with their
tests and the library of a build of preset dev (--build). build/mutate/survivors.txt says what nobody noticed.
"""
import argparse
import array
import os
import pathlib
import random
import re
import resource
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "build/mutate"
COMPILER = os.environ.get("CXX", "g++")
LAUNCHER = os.environ.get("CMAKE_CXX_COMPILER_LAUNCHER", "").split()
MEMORY = 6 << 30  # a fault that wants more counts as caught, and so does one that takes ten times as long

TOLERANCES = re.compile(r"kEpsilon|olerance|noise|\b1e-\d|constexpr|kMost|kPatience|has_avx2|_avx2\(|_body\([al], n")  # the last: for processors without AVX2
EQUIVALENT = {  # of the metrics, file: the line with the fault -> why the answer is the same
    "cohen_kappa.hpp: for (size_t c = 0; c <= counts.classes(); ++c) chance += counts.truth[c] * counts.predicted[c];":
        "beyond the end, as the address sanitizer sees",
}
MET = 100  # times, before equal answers say something

OPERATORS = {"<=": "<", ">=": ">", "<": "<=", ">": ">=", "==": "!=", "!=": "==", "+": "-", "-": "+", "*": "/", "/": "*"}
LETTER = {"<=": "l", ">=": "g", "==": "=", "!=": "!"}
ASSIGNMENT = re.compile(r"^(\s*)([\w\[\](){}.>*&, ]+?) ([-+*/])= (.*);$")
STATEMENT = re.compile(r"^(\s*)(?![.+*/<>=&|?:-]|return\b|throw\b|using\b|case\b|delete\b|goto\b|if\b|for\b|while\b|else\b|do\b)"
                       r"(?:[\w.\[\]>()*-]+(?: [-+*/]?= .*|\(.*\)))\;$")
CONDITION = re.compile(r"^(\s*(?:\} )?(?:else )?if \()(.*)$")


def code_lines(lines):
    """Numbers of lines that compute: no comments, texts, includes, statements that begin on another line."""
    in_error = False
    for number, line in enumerate(lines):
        bare = line.strip()
        if in_error or "throw " in bare or bare.startswith(("fail(", "refuse(", "check_")):
            in_error = not bare.endswith((";", "{"))
            continue
        if not bare or bare.startswith(("//", "#", "template", "*", "static_assert", "using ", "namespace", "///")):
            continue
        if '"' not in bare and "'" not in bare and "reserve(" not in bare and not TOLERANCES.search(bare):
            yield number


def begins_statement(lines, number):
    before = next((lines[i].split("//")[0].rstrip() for i in range(number - 1, -1, -1) if lines[i].strip()), "")
    return before.endswith((";", "{", "}", ":", ")", "else")) or before.strip() == "" or before.startswith(("//", "#"))


def balanced(text):
    return all(text.count(a) == text.count(b) for a, b in ("()", "[]", "{}"))


def closing(text):
    """Where the bracket closes that was open before `text`."""
    depth = 1
    for at, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return at
    return None


def faults(path):
    """(line, what it says when active, the line with the fault as number {n})"""
    lines = path.read_text().split("\n")
    for number in code_lines(lines):
        code = lines[number].split("//")[0].rstrip()
        for old, new in OPERATORS.items():
            for at in re.finditer(r"(?<=[^\s,(=?:&|<>+*/-] )" + re.escape(old) + r"(?= [^\s=])", code):
                place = f"planted::Place<{{n}}, '{LETTER.get(old, old)}', '{LETTER.get(new, new)}'>()"
                yield (number, code[:at.start()] + new + code[at.end():],
                       code[:at.start()] + f"{old} {place} {old}" + code[at.end():])
        for at in re.finditer(r"(?<![\w.])(\d+)(\.\d+)?(?:e-?\d+)?L?(?![\w.])", code):
            text = at.group(0)
            for new in ([str(int(text) + 1)] if text.isdigit() else [f"({text} + 1.0)"]) + (["0"] if text == "1" else []):
                yield (number, code[:at.start()] + new + code[at.end():],
                       code[:at.start()].replace("constexpr ", "const ") + f"planted::either<{{n}}>({text}, {new})" +
                       code[at.end():])
        for word, other in (("true", "false"), ("false", "true")):
            for at in re.finditer(rf"\b{word}\b", code):
                yield (number, code[:at.start()] + other + code[at.end():],
                       code[:at.start()] + f"planted::either<{{n}}>({word}, {other})" + code[at.end():])
        for word, other, name in (("std::max(", "std::min(", "larger"), ("std::min(", "std::max(", "smaller")):
            for at in re.finditer(re.escape(word), code):
                yield (number, code[:at.start()] + other + code[at.end():],
                       code[:at.start()] + f"planted::{name}<{{n}}>(" + code[at.end():])
        condition = CONDITION.match(code)
        if condition and (end := closing(condition.group(2))) is not None:
            inside, rest = condition.group(2)[:end], condition.group(2)[end:]
            if ";" not in inside and "=" not in re.sub(r"[<>=!]=", "", inside) and "constexpr" not in code:
                yield (number, condition.group(1) + f"!({inside})" + rest,
                       condition.group(1) + f"planted::on<{{n}}>() != static_cast<bool>({inside})" + rest)
        if not begins_statement(lines, number) or not balanced(code):
            continue
        if assignment := ASSIGNMENT.match(code):
            space, left, sign, right = assignment.groups()
            yield (number, f"{space}{left} {OPERATORS[sign]}= {right};",
                   f"{space}{{{{ if (planted::on<{{n}}>()) {left} {OPERATORS[sign]}= {right}; else {left} {sign}= {right}; }}}}")
        if STATEMENT.match(code) or code.strip() in ("break;", "continue;"):
            yield number, "removed: " + code.strip(), f"{{{{ if (!planted::on<{{n}}>()) {code.strip()} }}}}"


def run(command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)


class Solvers:
    """combine/solvers needs Eigen and fmt only, and so do the tests in tests/combine that name nothing else of mtl."""

    folder = ROOT / "src/combine/solvers"

    def files(self):
        return sorted(self.folder.glob("*.cpp")) + sorted(self.folder.glob("*.hpp"))

    def build(self, copies, only_read=False):
        """The compiler's complaints; the programs are WORK/solvers and WORK/solver_answers."""
        flags = [COMPILER, "-std=c++20", "-O1", "-g0", "-w", "-include", ROOT / "scripts/planted_faults.hpp",
                 f"-I{ROOT}/include", f"-I{ROOT}/tests", f"-I{ROOT}/tests/combine", "-I/usr/include/eigen3",
                 "-DMTL_CATCH2_MAJOR=2", f'-DMTL_SOURCE_DIR="{ROOT}"', "-DFMT_HEADER_ONLY"]
        sources = [ROOT / "tests/main.cpp", ROOT / "src/core/formatted.cpp"]
        alone = re.compile(r"mtl/combine/solvers/|mtl/core/error|(catch|error_text|golden_values|random_jacobians)\.hpp")
        for test in sorted((ROOT / "tests/combine").glob("test_*.cpp")):
            named = re.findall(r'#include [<"]([^">]*(?:/|\.hpp)[^">]*)[">]', test.read_text())
            if any("solvers/" in one for one in named) and all(alone.match(one) for one in named):
                sources.append(test)
        # tests/golden.hpp speaks of tensors, which these tests do without.
        tensors = WORK / "no_tensors.hpp"
        tensors.write_text("#pragma once\n#include <vector>\nnamespace torch {\nstruct Tensor {};\nconstexpr int kDouble = 0;\n"
                           "Tensor stack(const std::vector<Tensor>&);\ntemplate <class... A>\nTensor tensor(A&&...);\n}\n")
        # The sources are one unit, as in a unity build: Eigen is read once.
        unit = WORK / "solvers_unit.cpp"
        unit.write_text("".join(f'#include "{source}"\n' for source in sorted(copies.glob("*.cpp"))))
        sources.append(unit)
        sources.append(ROOT / "scripts/solver_answers.cpp")
        if only_read:
            return run([*flags, "-fsyntax-only", unit], cwd=WORK).stderr
        objects = [WORK / f"{source.parent.name}_{source.stem}.o" for source in sources]

        def compiled(source, output):
            if source != unit and output.exists() and output.stat().st_mtime > source.stat().st_mtime:
                return ""
            catch = ["-include", ROOT / "tests/catch.hpp", "-include", tensors] if source.name.startswith("test_") else []
            done = run([*LAUNCHER, *flags, *catch, "-c", source, "-o", output], cwd=WORK)
            return done.stderr if done.returncode != 0 else ""

        with ThreadPoolExecutor(2) as pool:
            complaints = "".join(pool.map(compiled, sources, objects))
        return (complaints or run([COMPILER, *objects[:-1], "-o", WORK / "solvers"]).stderr or
                run([COMPILER, WORK / "core_formatted.o", *objects[-2:], "-o", WORK / "solver_answers"]).stderr)

    def answers(self, fault, seconds):
        """(times that the fault was met, answers); None where there is no end or no answer."""
        out = WORK / "answers.bin"
        try:
            done = run([WORK / "solver_answers", out], timeout=seconds, preexec_fn=limited, env=environment(fault))
        except subprocess.TimeoutExpired:
            return None
        if done.returncode != 0:
            return None
        numbers = array.array("d")
        numbers.frombytes(out.read_bytes())
        return int(done.stdout), numbers

    def changes_nothing(self, fault):
        if not hasattr(self, "sound"):
            begin = time.monotonic()
            self.sound = self.answers(-1, 600)[1]
            self.seconds = 10 * (time.monotonic() - begin) + 5
        found = self.answers(fault, self.seconds)
        if found is None or found[0] < MET or len(found[1]) != len(self.sound):
            return False
        return all(a == b or abs(a - b) <= 1e-8 * max(1, abs(a)) or (a != a and b != b)
                   for a, b in zip(self.sound, found[1]))


class Metrics:
    """Headers: their tests are compiled anew, in one unit, and linked with the library of a build."""

    folder = ROOT / "include/mtl/task/metrics"
    tests = ["test_metrics", "test_structured_metrics", "test_streaming_metrics"]

    def files(self):
        return sorted(self.folder.glob("*.hpp"))

    def changes_nothing(self, _):
        return False

    def build(self, copies, only_read=False):
        build = (ROOT / ARGUMENTS.build).resolve()
        lines = run(["ninja", "-C", build, "-t", "commands", "mtl_tests_task"]).stdout.splitlines()
        unit = WORK / "metrics.cpp"
        unit.write_text("".join(f'#include "{ROOT}/tests/task/{test}.cpp"\n' for test in self.tests))
        overlay = WORK / "overlay"
        shutil.rmtree(overlay, ignore_errors=True)
        (overlay / "mtl/task").mkdir(parents=True)
        (overlay / "mtl/task/metrics").symlink_to(copies)
        command = next(line for line in lines if "/tests/main.cpp" in line and " -o " in line).split(" && ")[-1].split()
        first = next(i for i, part in enumerate(command) if os.path.basename(part) in ("c++", "g++", "clang++"))
        flags = [part.replace('\\"', '"') for part in command[first + 1:] if part.startswith(("-I", "-D", "-f", "-std"))]
        for i, part in enumerate(command):
            if part == "-isystem":
                flags += ["-isystem", command[i + 1]]
        done = run([*LAUNCHER, COMPILER, "-include", ROOT / "scripts/planted_faults.hpp", f"-I{overlay}", *flags,
                    f"-I{ROOT}/include", f"-I{ROOT}/tests", f"-I{ROOT}/tests/task", "-O0", "-g0", "-w", *(["-fsyntax-only"] if only_read else ["-c", "-o", WORK / "metrics.o"]), unit], cwd=build)
        if done.returncode != 0 or only_read:
            return done.stderr
        link = lines[-1].split(" && ")[-2 if lines[-1].endswith(":") else -1].split()
        libraries = [part for part in link if re.search(r"(\.a|\.so[.\d]*)$", part) or part.startswith(("-l", "-L", "-Wl"))]
        main = build / "tests/CMakeFiles/mtl_test_main.dir/main.cpp.o"
        return run([COMPILER, *[flag for flag in flags if flag.startswith("-fsanitize")], WORK / "metrics.o", main, *libraries,
                    "-o", WORK / "metrics"], cwd=build).stderr


def limited():
    if "asan" not in ARGUMENTS.build:  # whose shadow takes terabytes of addresses
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def environment(fault):
    return {**os.environ, "OMP_NUM_THREADS": "1", "MTL_FAULT": str(fault), "ASAN_OPTIONS": "detect_leaks=0"}


def tests_pass(program, fault, seconds):
    """None: with too much time."""
    try:
        return run([program, "-a"], timeout=seconds, cwd=WORK, preexec_fn=limited, env=environment(fault)).returncode == 0
    except subprocess.TimeoutExpired:
        return None


def plant(room, chosen):
    """Copies of the room's files with the chosen faults; what does not compile is taken out."""
    copies = WORK / ("with_faults_" + type(room).__name__.lower())
    while True:
        shutil.rmtree(copies, ignore_errors=True)
        copies.mkdir(parents=True)
        for path in room.files():
            lines = path.read_text().split("\n")
            for number, (where, line, _, text) in chosen.items():
                if where == path:
                    lines[line] = text.replace("{n}", str(number)).replace("{{", "{").replace("}}", "}")
            (copies / path.name).write_text("\n".join(lines))
        complaints = room.build(copies, only_read=True)
        if not complaints:
            if complaints := room.build(copies):
                sys.exit(complaints[-4000:])
            return
        # A statement's end may be missed on the line before.
        bad = {(name, int(line) + by) for name, line in re.findall(r"([\w.]+):(\d+):\d+:(?: error| note: in inst|   required)", complaints) for by in (-1, 0)}
        out = [n for n, (where, line, _, _) in chosen.items() if (where.name, line) in bad]
        if not out:
            sys.exit(complaints[-4000:])
        print(f"  {len(out)} faults do not compile and are left out", flush=True)
        for number in out:
            del chosen[number]


def check(name, count):
    room = {"solvers": Solvers, "metrics": Metrics}[name]()
    every = []
    for path in room.files():
        by_line = {}
        for line, what, text in faults(path):
            if f"{path.name}: {what.strip()}" in EQUIVALENT:
                continue
            by_line.setdefault(line, []).append((path, line, what.strip(), text))
        every += list(by_line.values())
    draw = random.Random(ARGUMENTS.seed)
    draw.shuffle(every)  # one fault a line
    print(f"{name}: {sum(map(len, every))} faults are possible in {len(every)} lines", flush=True)
    chosen = dict(enumerate(draw.choice(of_line) for of_line in every[:count + count // 2]))
    plant(room, chosen)
    program = WORK / name
    begin = time.monotonic()
    if not tests_pass(program, -1, 600):
        sys.exit("the tests fail without a fault")
    seconds = 10 * (time.monotonic() - begin) + 5
    survivors, counted, same = [], 0, 0
    for number, (path, line, what, _) in chosen.items():
        if counted == count:
            break
        passed = tests_pass(program, number, seconds)
        word = "SURVIVED" if passed else "caught" if passed is False else "caught (time)"
        if passed and room.changes_nothing(number):
            word = "same"
            same += 1
        else:
            counted += 1
        text = f"{path.relative_to(ROOT)}:{line + 1}: {what}"
        print(f"{number:4} {word:14} {text}", flush=True)
        if word == "SURVIVED":
            survivors.append(text)
    print(f"{name}: {counted - len(survivors)} of {counted} caught; {same} more change no answer", flush=True)
    return counted, survivors


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    total, survivors = 0, []
    for room in [ARGUMENTS.room] if ARGUMENTS.room else ["solvers", "metrics"]:
        planted, left = check(room, ARGUMENTS.count)
        total, survivors = total + planted, survivors + left
    (WORK / "survivors.txt").write_text("".join(text + "\n" for text in survivors))
    print(f"{total - len(survivors)} of {total} faults were caught")
    return 0 if 100 * len(survivors) <= 5 * total else 1


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--room", choices=["solvers", "metrics"])
parser.add_argument("--count", type=int, default=50, help="faults in each")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--build", default="build/dev", help="a build with mtl_tests_task, for the metrics")
ARGUMENTS = parser.parse_args()
sys.exit(main())
