#!/usr/bin/env python3
"""Runs the test suites one after the other and adds up what they report.

One line a suite, `suite NAME: N passed`, and at the end `N passed, N failed, N skipped`. Exit 0 only if nothing failed;
with --strict a skip fails too. A suite that reports no count (a checker such as rustfmt) counts as one. Suites that need
the foreign corpora are named and not counted where TRINHKY_CORPORA is unset.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("TRINHKY_CACHE", Path.home() / ".cache/trinhky"))
PYTHON = str(CACHE / "venv/bin/python")
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
WHOLE_MATRIX = bool(os.environ.get("TRINHKY_WHOLE_MATRIX"))
FAILURE_LINES = 40
FUZZ_SECONDS = os.environ.get("TRINHKY_FUZZ_SECONDS", "60")

CARGO_RESULT = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored", re.M)
PYTEST_RESULT = re.compile(r"^=+ .*\b(?:passed|failed|skipped|error)\b.* in [\d.]+s.*=+$", re.M)
PLAIN_RESULT = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)
SUREFIRE_RESULT = re.compile(r"^\[\w+\] Tests run: (\d+), Failures: (\d+), Errors: (\d+), Skipped: (\d+)$", re.M)
SKIPPED_LINE = re.compile(r"^skipped: .+$", re.M)


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __iadd__(self, other: "Count") -> "Count":
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        return self


@dataclass
class Suite:
    name: str
    commands: list[list[str]]
    needs_corpora: bool = False
    env: dict[str, str] = field(default_factory=dict)


def cargo_test(package: str, *more: str) -> list[str]:
    return ["cargo", "test", "--locked", "-p", package, *more]


def suites() -> list[Suite]:
    return [
        Suite(
            "lint",
            [
                ["cargo", "fmt", "--all", "--check"],
                ["cargo", "clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"],
                ["cargo", "deny", "--log-level", "error", "check", "bans", "licenses", "sources"],
            ],
        ),
        Suite(
            "docs",
            [["cargo", "doc", "--locked", "--workspace", "--no-deps"], ["docs/regulations.py", "--check"]],
            env={"RUSTDOCFLAGS": "-D warnings"},
        ),
        Suite("domain", [cargo_test("trinhky-domain")]),
        Suite("protos", [cargo_test("trinhky-protos")]),
        Suite("simpki", [cargo_test("trinhky-simpki")]),
        Suite(
            "pades",
            [cargo_test("trinhky-pades", "--features", "aws-lc")],
            env={"TRINHKY_PYHANKO": PYTHON},
        ),
        Suite("store", [cargo_test("trinhky-store")]),
        Suite("world", [cargo_test("trinhky-world")]),
        Suite("core", [cargo_test("trinhky-mobile-core", "-p", "trinhky-mobile-ffi")]),
        Suite("server", [cargo_test("trinhky-server")]),
        Suite("seal-agent", [cargo_test("trinhky-seal-agent")]),
        Suite("bindings", [["mobile-core/ffi/generate.sh", "--check"]]),
        # The Kotlin bindings, compiled and run on the JVM over JNA; what Maven fetches stays in the cache.
        Suite(
            "kotlin",
            [
                ["cargo", "build", "--locked", "-p", "trinhky-mobile-ffi"],
                ["mvn", "-B", "-ntp", f"-Dmaven.repo.local={CACHE}/m2", f"-Dlibrary.folder={TARGET}/debug",
                 "-f", "mobile-core/ffi/tests/kotlin", "test"],
            ],
        ),
        # The flows start every binary and load the shared library: a test build alone would leave old ones.
        Suite("flows", [["cargo", "build", "--locked", "--workspace"], cargo_test("trinhky-flows", "--", "--test-threads", "1")]),
        # The pages that people see, in Debian's Chromium; what they looked like is kept beside the build.
        Suite(
            "browser",
            [
                ["cargo", "build", "--locked", "--workspace"],
                [PYTHON, "-m", "browser", f"{TARGET}/debug/trinhky-stage", "--pictures", f"{TARGET}/browser"],
            ],
            env={"PYTHONPATH": "tests"},
        ),
        Suite(
            "matrix",
            [
                ["cargo", "build", "--locked", "-p", "trinhky-interop"],
                cargo_test("trinhky-interop"),
                [PYTHON, "-m", "judges.matrix", f"{TARGET}/debug/trinhky-interop", *(["--all"] if WHOLE_MATRIX else [])],
            ],
            env={"PYTHONPATH": "tests"},
        ),
        Suite("wasm", [["tests/wasm.sh"]]),
        Suite("fuzz", [["tests/fuzz.sh", FUZZ_SECONDS]]),
    ]


def count(output: str, status: int) -> Count:
    """What one command reports, or one pass or failure where it reports nothing."""
    total = Count()
    found = False
    for match in CARGO_RESULT.finditer(output):
        total += Count(int(match[1]), int(match[2]), int(match[3]))
        found = True
    for match in PLAIN_RESULT.finditer(output):
        total += Count(int(match[1]), int(match[2]), int(match[3] or 0))
        found = True
    for match in SUREFIRE_RESULT.finditer(output):
        ran, failed, errors, skipped = (int(number) for number in match.groups())
        total += Count(ran - failed - errors - skipped, failed + errors, skipped)
        found = True
    for match in PYTEST_RESULT.finditer(output):
        total += Count(*(sum(int(n) for n in re.findall(rf"(\d+) {word}", match[0]))
                         for word in ("passed", "(?:failed|errors?)", "skipped")))
        found = True
    total.skipped += len(SKIPPED_LINE.findall(output))
    if status != 0 and total.failed == 0:
        total.failed = 1
    elif status == 0 and not found:
        total.passed += 1
    return total


def run(suite: Suite) -> tuple[Count, list[str]]:
    """Its count, and the end of what each failed command printed, which is said again when all have run."""
    total = Count()
    failures: list[str] = []
    env = {**os.environ, "TRINHKY_PYTHON": PYTHON, **suite.env}
    for command in suite.commands:
        print(f"\n$ {' '.join(command)}", flush=True)
        process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        lines = []
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            print(line, end="", flush=True)
        result = count("".join(lines), process.wait())
        total += result
        if result.failed:
            failures.append(f"$ {' '.join(command)}\n" + "".join(lines[-FAILURE_LINES:]))
    return total, failures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strict", action="store_true", help="a skip fails too")
    parser.add_argument("--only", nargs="*", help="names of the suites to run")
    options = parser.parse_args()

    known = suites()
    unknown = set(options.only or ()) - {suite.name for suite in known}
    if unknown:
        parser.error(f"no such suite: {', '.join(sorted(unknown))}; there are {', '.join(s.name for s in known)}")

    total = Count()
    lines = []
    failures: list[str] = []
    for suite in known:
        if options.only and suite.name not in options.only:
            continue
        if suite.needs_corpora and not os.environ.get("TRINHKY_CORPORA"):
            lines.append(f"suite {suite.name}: not selected (TRINHKY_CORPORA is unset)")
            continue
        began = time.monotonic()
        result, trouble = run(suite)
        total += result
        failures += trouble
        line = f"suite {suite.name}: {result.passed} passed"
        if result.failed:
            line += f", {result.failed} FAILED"
        if result.skipped:
            line += f", {result.skipped} skipped"
        lines.append(f"{line}")
        print(f"\n{line} ({time.monotonic() - began:.0f} s)", flush=True)

    for failure in failures:
        print(f"\nfailed: {failure.rstrip()}")
    print("\n" + "\n".join(lines))
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 1 if total.failed or (options.strict and total.skipped) else 0


if __name__ == "__main__":
    sys.exit(main())
