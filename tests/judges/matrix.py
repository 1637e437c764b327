"""python -m judges.matrix TRINHKY-INTEROP [--all] [--only PART] [--keep FOLDER]: every kind of file we sign, judged by others.

The matrix is {how the file is built} × {level} × {algorithm} × {number of signatures}; see `tests/interop`. Without
--all a selection is made in which every pair of values occurs. Each file goes to pyHanko, pdfsig, qpdf and EU DSS, and
to veraPDF and Preflight where the input was PDF/A or PDF/UA. The last line is `N passed, N failed, N skipped`, counted
by file and judge; what an absent optional judge would have said is listed as not judged, and skipped.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from pathlib import Path

from . import ades, foreign, jvm, kinds, looks, pdfsig, pyhanko_judge, qpdf
from .case import Case, Finding

REGISTER = Path(__file__).resolve().parent.parent / "judges.toml"
FLAVOURS = {
    "tagged-pdfa-2a": ["2a"],
    "pdfa-1a": ["1a", "preflight"],
    "pdfa-1b": ["1b", "preflight"],
    "pdfa-2b": ["2b"],
    "pdfa-2u": ["2u"],
    "pdfa-3b": ["3b"],
    "pdfua-1": ["2a", "ua1"],
}
"""What an input conforms to, and its signed form must."""
LONG = ("500-pages",)
"""Not rendered twice."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="matrix", description=__doc__.splitlines()[0])
    parser.add_argument("interop", type=Path, help="the binary trinhky-interop")
    parser.add_argument("--all", action="store_true", help="every case instead of the pairwise selection")
    parser.add_argument("--only", help="only cases whose name contains this")
    parser.add_argument("--keep", type=Path, help="keep inputs and signed files in this folder")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="judge-matrix-") as folder:
        return run(options, options.keep or Path(folder))


def run(options: argparse.Namespace, folder: Path) -> int:
    watch = Watch()
    pki, inputs, out = folder / "pki", folder / "inputs", folder / "out"
    for one in (pki, inputs, out):
        shutil.rmtree(one, ignore_errors=True)
        one.mkdir(parents=True)
    call(options.interop, "page", folder / "page.pdf")
    call(options.interop, "pki", pki)
    kinds.main([str(folder / "page.pdf"), str(pki), str(inputs)])
    watch.lap("inputs")
    selection = [*(["--all"] if options.all else []), *(["--only", options.only] if options.only else [])]
    said = call(options.interop, "make", "--pki", pki, "--inputs", inputs, "--out", out, *selection)
    rows = [json.loads(line) for line in said.splitlines()]
    watch.lap(f"{len(rows)} files signed")

    trust = pki / "root.pem"
    findings = java(rows, pki)
    watch.lap("JVM judges")
    # Before the processes part: all of them use the one database, and this one removes it; and one status of today.
    pdfsig.trusting(trust)
    ades.today(pki)
    with multiprocessing.get_context("fork").Pool() as pool:
        for name, some in pool.imap_unordered(native, [(row, trust) for row in rows], chunksize=4):
            findings[name] += some
    watch.lap("pyHanko, pdfsig, qpdf")
    others = ours_of_theirs(options.interop, folder) if not options.only else []
    watch.lap(f"{len(others)} files of others verified here")
    return report(rows, findings, others)


def ours_of_theirs(interop: Path, folder: Path) -> list[Finding]:
    """What our verifier says of files that others signed, beside what DSS says of them: the same verdict and level, which
    are TOTAL-PASSED and the level asked for; and for a file with a byte changed TOTAL-FAILED."""
    pki = folder / "pki"
    files = foreign.made(folder / "inputs", pki, folder / "foreign")
    lines = call(interop, "verify", "--trust", pki / "root.pem", *(one.file for one in files)).splitlines()
    ours = {said["file"]: said for said in map(json.loads, lines)}
    theirs = {}
    if jvm.trouble() is None:
        theirs = jvm.ask({"id": one.name, "file": one.file, "ask": ["dss"], "trust": [pki / "root.pem"],
                          "crls": [pki / "root.crl", pki / "ca.crl"]} for one in files)
    return [compared(one, ours[str(one.file)], theirs.get(one.name, {}).get("dss")) for one in files]


def compared(one: foreign.Made, ours: dict, theirs: dict | None) -> Finding:
    finding = Finding(one.name)
    report = ours.get("report", {"verdict": ours.get("unreadable"), "signatures": []})
    signatures = [said for said in report["signatures"] if said["kind"] == "approval"]
    verdict = "TOTAL-FAILED" if one.tampered else "TOTAL-PASSED"
    if [said["indication"] for said in signatures] != [verdict] or report["verdict"] != verdict:
        finding.problems.append(f"verified here as {report['verdict']}, not {verdict}: {report.get('reason')}")
    elif not one.tampered and [said["level"] for said in signatures] != [one.level]:
        finding.problems.append(f"verified here as {[said['level'] for said in signatures]}, not {one.level}")
    if theirs is None:
        return finding
    if "error" in theirs:
        finding.problems.append(f"DSS: {theirs['error']}")
        return finding
    said = [said["indication"].replace("_", "-") for said in theirs["signatures"]]
    if said != [verdict]:
        finding.problems.append(f"DSS says {said}: {[said['errors'] for said in theirs['signatures']]}")
    levels = [jvm.LEVELS.get(one.level)] if one.level in jvm.LEVELS else ["PKCS7-B"]
    if not one.tampered and [said["level"] for said in theirs["signatures"]] != levels:
        finding.problems.append(f"DSS says {[said['level'] for said in theirs['signatures']]}, not {levels}")
    return finding


def call(*command: object) -> str:
    return subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, check=True).stdout


def native(row_and_trust: tuple[dict, Path]) -> tuple[str, list[Finding]]:
    row, trust = row_and_trust
    count = row["signatures"] + (row["input"] == "signed-elsewhere")
    case = Case(pdf=Path(row["file"]), trust=trust, signatures=count, level=row["level"])
    findings = [judge(case) for judge in (pyhanko_judge.judge, pdfsig.judge, qpdf.judge)]
    if row["level"] == "B-LTA":
        findings.append(ades.judge(case, row["fields"], trust.parent))
    # One leader and the seal: with more people, the picture under the seal is not all the blue there is.
    if row["filled"] and row["signatures"] == 2 and row["input"] not in LONG:
        findings.append(looks.judge(case.pdf, row["signatures"]))
    # The details are objects of the judges, which do not travel between processes.
    return row["name"], [Finding(one.judge, one.problems, missing=one.missing) for one in findings]


def java(rows: list[dict], pki: Path) -> dict[str, list[Finding]]:
    """What EU DSS, veraPDF and Preflight say, by the names of the cases."""
    wanted = {row["name"]: ["dss", *asked(row["input"])] for row in rows}
    missing = jvm.trouble()
    if missing is not None:
        return {name: [Finding(judge.split(":")[0], missing=missing) for judge in judges] for name, judges in wanted.items()}
    # Revocation data from outside only where the level has none inside.
    outside = {"crls": [pki / "root.crl", pki / "ca.crl"]}
    answers = jvm.ask(
        {
            "id": row["name"],
            "file": row["file"],
            "trust": [pki / "root.pem"],
            "ask": wanted[row["name"]],
            **(outside if row["level"] in ("B-B", "B-T") else {}),
        }
        for row in rows
    )
    return {row["name"]: [understood(row, judge, answers[row["name"]][judge]) for judge in wanted[row["name"]]] for row in rows}


def asked(kind: str) -> list[str]:
    return [flavour if flavour == "preflight" else f"verapdf:{flavour}" for flavour in FLAVOURS.get(kind, [])]


def understood(row: dict, name: str, answer: dict) -> Finding:
    return Finding(name.split(":")[0], jvm.problems(name, answer, row["level"], row["fields"]), [answer])


def report(rows: list[dict], findings: dict[str, list[Finding]], others: list[Finding]) -> int:
    register = tomllib.loads(REGISTER.read_text())
    counts: Counter[str] = Counter()
    unjudged: Counter[tuple[str, str]] = Counter()
    for row in rows:
        for finding in findings[row["name"]]:
            if finding.missing is not None:
                required = register[finding.judge]["needs"] == "required"
                counts["failed" if required else "skipped"] += 1
                unjudged[finding.judge, finding.missing] += 1
            elif finding.ok:
                counts["passed"] += 1
            else:
                counts["failed"] += 1
                print(f"FAILED {row['name']}: {finding.judge}: " + "; ".join(finding.problems[:6]))
    for finding in others:
        counts["passed" if finding.ok else "failed"] += 1
        if not finding.ok:
            print(f"FAILED {finding.judge}: {'; '.join(finding.problems)}")
    for (judge, why), count in sorted(unjudged.items()):
        print(f"not judged by {judge}: {count} files ({why})")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


class Watch:
    """Says how long each part took."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def lap(self, what: str) -> None:
        now = time.monotonic()
        print(f"{what}: {now - self.began:.1f} s", file=sys.stderr, flush=True)
        self.began = now


if __name__ == "__main__":
    sys.exit(main())
