"""The judges on a JVM (`java/`): EU DSS, veraPDF and PDFBox Preflight, asked about many files in one process.

`tests/setup.sh` builds them into the cache. Where that failed (no JDK, an artefact that is not to be had), `trouble()`
says why, and whoever asks reports the files as not judged.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Collection, Iterable
from pathlib import Path

from .case import Case, Finding

CACHE = Path(os.environ.get("TRINHKY_CACHE", Path.home() / ".cache/trinhky")) / "judges"
TIMEOUT_SECONDS = 1800
_one_at_a_time = threading.Lock()


def trouble() -> str | None:
    """Why the JVM judges cannot be asked; `None` if they can."""
    if shutil.which("java") is None:
        return "java is not installed (apt-get install default-jdk-headless maven)"
    if not (CACHE / "ready").exists():
        said = CACHE / "trouble"
        return said.read_text().strip() if said.exists() else "not built yet: run tests/setup.sh"
    return None


def ask(requests: Iterable[dict]) -> dict[str, dict]:
    """The answers by the requests' `id`. The form of both stands at the head of `Judges.java`."""
    wanted = {one["id"]: json.dumps(one, default=str) + "\n" for one in requests}
    with _one_at_a_time:
        process = running()
        assert process.stdin is not None and process.stdout is not None
        # Whoever is silent for too long is ended, so that reading ends as well.
        watch = threading.Timer(TIMEOUT_SECONDS, process.kill)
        watch.start()
        try:
            # The JVM takes requests in while it answers earlier ones: it never waits for us to read.
            process.stdin.write("".join(wanted.values()))
            process.stdin.flush()
            answers = {}
            while answers.keys() != wanted.keys():
                line = process.stdout.readline()
                if not line:
                    raise RuntimeError(f"the judges on a JVM ended with {len(answers)} of {len(wanted)} answers")
                one = json.loads(line)
                answers[one["id"]] = one
            return answers
        finally:
            watch.cancel()


@functools.cache
def running() -> subprocess.Popen[str]:
    """One JVM for as long as this process lives: it costs more to start than to ask."""
    process = subprocess.Popen(
        ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx1500m", "-Dfile.encoding=UTF-8",
         "-cp", f"{CACHE}/classes:{CACHE}/lib/*", "vn.trinhky.judges.Judges", str(os.cpu_count() or 1)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )
    atexit.register(ended, process)
    return process


def ended(process: subprocess.Popen[str]) -> None:
    """The end of its input is the end of the JVM."""
    process.kill() if process.stdin is None else process.stdin.close()
    process.wait(timeout=60)


def judge(case: Case, judges: list[str]) -> list[Finding]:
    """EU DSS on the signatures; veraPDF and Preflight on the flavours of PDF/A and PDF/UA that the file says it is of.

    A rule that the input broke is none that signing broke: it is named in the details and held against nobody.
    """
    missing = trouble()
    if missing is not None or not judges:
        return [Finding(one, missing=missing) for one in judges]
    flavours = declared(case.pdf)
    names = {
        "dss": ["dss"],
        "verapdf": [f"verapdf:{flavour}" for flavour in flavours],
        "preflight": ["preflight"] if flavours and flavours[0].startswith("1") else [],
    }
    asked = [name for one in judges for name in names[one]]
    requests = [{"id": "", "file": case.pdf, "trust": [case.trust], "ask": asked}] if asked else []
    of_conformance = [name for name in asked if name != "dss"]
    if case.pages_of is not None and of_conformance:
        requests.append({"id": "input", "file": case.pages_of, "trust": [case.trust], "ask": of_conformance})
    answers = ask(requests) if requests else {}
    answer, before = answers.get("", {}), answers.get("input", {})
    findings = []
    for one in judges:
        finding = Finding(one, details=[answer[name] for name in names[one]])
        for name in names[one]:
            broken = {rule(problem) for problem in before.get(name, {}).get("problems", [])}
            finding.problems += problems(name, answer[name], case.level, broken=broken)
        if any(name in before for name in names[one]):
            finding.details.append({"of_the_input": {name: before[name] for name in names[one] if name in before}})
        findings.append(finding)
    return findings


def rule(problem: str) -> str:
    """What a problem says without the place where it was found."""
    return problem.split(" [")[0]


def declared(pdf: Path) -> list[str]:
    """The flavours that the file's metadata claim, in veraPDF's words."""
    import pikepdf

    with pikepdf.open(pdf) as document, document.open_metadata() as metadata:
        archival = metadata.pdfa_status.lower()
        accessible = metadata.get("{http://www.aiim.org/pdfua/ns/id/}part")
    return [flavour for flavour in (archival, f"ua{accessible}" if accessible else "") if flavour]


def problems(
    name: str, answer: dict, level: str | None = None, fields: list[str] | None = None, broken: Collection[str] = ()
) -> list[str]:
    """What a judge's answer holds against the file, but for the rules in `broken`; empty if nothing."""
    if "error" in answer:
        return [f"{name}: {answer['error']}"]
    if name == "dss":
        return signature_problems(answer, level, fields)
    if answer["compliant"]:
        return []
    return [f"{name}: {problem}" for problem in answer["problems"] if rule(problem) not in broken]


LEVELS = {"B-B": "PAdES-BASELINE-B", "B-T": "PAdES-BASELINE-T", "B-LT": "PAdES-BASELINE-LT", "B-LTA": "PAdES-BASELINE-LTA"}


def signature_problems(answer: dict, level: str | None, fields: list[str] | None) -> list[str]:
    """What speaks against the signatures in `fields` (`None`: all): each must be TOTAL-PASSED, and of `level` if given.

    Time stamps and the signatures of others must not be found failed.
    """
    problems = []
    ours = [one for one in answer["signatures"] if fields is None or one["field"] in fields]
    if fields is not None and sorted(one["field"] for one in ours) != sorted(fields):
        problems.append(f"found the signatures {[one['field'] for one in answer['signatures']]}, not {fields}")
    for one in answer["signatures"]:
        verdict = "/".join(filter(None, (one["indication"], one["sub_indication"])))
        why = "; ".join(one["errors"])
        if one["indication"] != "TOTAL_PASSED":
            problems.append(f"{one['field']}: {verdict}: {why}")
        if level is not None and one in ours and one["level"] != LEVELS[level]:
            problems.append(f"{one['field']}: {one['level']}, not {LEVELS[level]}")
    for one in answer["timestamps"]:
        if one["indication"] != "PASSED":
            problems.append(f"{one['type']}: {one['indication']}/{one['sub_indication']}: {'; '.join(one['errors'])}")
    return problems
