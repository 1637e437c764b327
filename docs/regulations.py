#!/usr/bin/env python3
"""Writes docs/regulations.md: each rule of the five regulations, where the code names it, and the tests that show it.

A rule that the code names must have a row, and a test that a row names must exist; with --check nothing is written and a
page that differs fails.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/regulations.md"
CRATES = {
    "domain": "crates/domain",
    "pades": "crates/pades",
    "simpki": "crates/simpki",
    "core": "mobile-core",
    "seal-agent": "apps/seal-agent",
    "server": "server",
    "flows": "tests/flows",
}
RULE = re.compile(r"\bR([1-9][0-9]{0,2})(?:-R([1-9][0-9]{0,2}))?\b")
TEST = re.compile(r"#\[(?:tokio::)?test\b.*?\bfn (\w+)", re.S)
HEAD = """# The five regulations and where they are kept

This page is generated from `docs/regulations.toml` and the sources (`docs/regulations.py`). Acts: **KG** Kiên Giang
1010/QĐ-UBND (2017), **HG** Hậu Giang 01/2019/QĐ-UBND, **DB** Điện Biên 29/2021/QĐ-UBND, **TG** Tuần Giáo (draft of 2022), **TN** Tây
Ninh (draft of 2025), with their articles.

| rule | what it asks | acts, article | code | shown by |
|---|---|---|---|---|
"""
OPEN = """
## Not yet

| rule | what is missing |
|---|---|
"""


def sources() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.rs"],
                            cwd=ROOT, capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.split() if (ROOT / line).exists()]


def main() -> int:
    table = tomllib.loads((ROOT / "docs/regulations.toml").read_text())
    named: dict[int, list[str]] = {}
    tests: dict[str, str] = {}
    for file in sources():
        text = (ROOT / file).read_text()
        for crate, folder in CRATES.items():
            if file.startswith(folder + "/"):
                tests.update({f"{crate}::{name}": file for name in TEST.findall(text)})
        if "/tests/" in file or file.endswith("tests.rs"):
            continue
        numbers: set[int] = set()
        for line in text.splitlines():
            if "//" in line:
                for first, last in RULE.findall(line.split("//", 1)[1]):
                    numbers.update(range(int(first), int(last or first) + 1))
        for number in numbers:
            named.setdefault(number, []).append(file)

    trouble = []
    page = HEAD
    known: set[int] = {int(row["id"][1:]) for row in table["open"]}
    for row in table["rule"]:
        number = int(row["id"][1:])
        known.add(number)
        missing = [test for test in row["tests"] if test not in tests]
        trouble += [f"{row['id']}: there is no test {test}" for test in missing]
        code = "<br>".join(f"`{file}`" for file in sorted(named.get(number, []))) or "–"
        shown = "<br>".join(f"`{test}`" for test in row["tests"])
        page += f"| {row['id']} | {row['says']} | {row['acts']} | {code} | {shown} |\n"
    page += OPEN + "".join(f"| {row['id']} | {row['says']} |\n" for row in table["open"])
    covered = {number for first, last in RULE.findall(page) for number in range(int(first), int(last or first) + 1)}
    spoken = {int(number) for row in table["open"] for number in re.findall(r"R(\d+)", row["says"])}
    unknown = sorted(set(named) - known - covered - spoken)
    trouble += [f"R{number} stands in {named[number][0]} and has no row" for number in unknown]

    if "--check" in sys.argv[1:]:
        if not PAGE.exists() or PAGE.read_text() != page:
            trouble.append("docs/regulations.md is not up to date: run make generate")
    else:
        PAGE.write_text(page)
    for line in trouble:
        print(line, file=sys.stderr)
    return 1 if trouble else 0


if __name__ == "__main__":
    sys.exit(main())
