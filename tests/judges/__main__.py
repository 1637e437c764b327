"""python -m judges PDF --trust roots.pem [--base BASE.pdf]... [--pages-of INPUT.pdf] [--signatures N] [--json]

Exit 0: every judge that was asked agrees and no required judge is missing. Exit 1 otherwise.

python -m judges --serve: the same for many files. Each line of standard input is a JSON object, {"pdf", "trust",
"bases": [], "pages_of": null, "signatures": null}; each is answered by one line on standard output, the report that
--json gives, or {"error"}. It ends with its input.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from pathlib import Path

from . import jvm, mutool, pages, pdfsig, prefix, pyhanko_judge, qpdf
from .case import Case, Finding

JUDGES = {
    "pyhanko": pyhanko_judge.judge,
    "pdfsig": pdfsig.judge,
    "qpdf": qpdf.judge,
    "prefix": prefix.judge,
    "pages": pages.judge,
    "mutool": mutool.judge,
}
ON_A_JVM = ("dss", "verapdf", "preflight")
"""Asked together, since a JVM costs more to start than to ask."""
REGISTER = Path(__file__).resolve().parent.parent / "judges.toml"


def main(arguments: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments == ["--serve"]:
        return serve()
    options = parse(arguments)
    case = Case(
        pdf=options.pdf,
        trust=options.trust,
        bases=tuple(options.base),
        pages_of=options.pages_of,
        signatures=options.signatures,
    )
    findings, accepted = ask(case, options.only, options.strict)
    if options.json:
        json.dump(report(case, findings, accepted), sys.stdout, ensure_ascii=False, indent=1, default=str)
        print()
    else:
        for finding in findings:
            print(sentence(finding))
    return 0 if accepted else 1


def serve() -> int:
    for line in sys.stdin:
        try:
            said = json.loads(line)
            case = Case(
                pdf=Path(said["pdf"]),
                trust=Path(said["trust"]),
                bases=tuple(map(Path, said["bases"])),
                pages_of=Path(said["pages_of"]) if said["pages_of"] else None,
                signatures=said["signatures"],
            )
            answer = report(case, *ask(case))
        except Exception as error:  # whoever asks is told, and may ask about the next file
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer, ensure_ascii=False, default=str), flush=True)
    return 0


def ask(case: Case, only: list[str] | None = None, strict: bool = False) -> tuple[list[Finding], bool]:
    """What the judges say, and whether the file is accepted."""
    register = tomllib.loads(REGISTER.read_text())
    asked = only or [name for name in register if name in JUDGES or name in ON_A_JVM]
    findings = [JUDGES[name](case) for name in asked if name in JUDGES]
    findings += jvm.judge(case, [name for name in asked if name in ON_A_JVM])
    return findings, all(stands(finding, register[finding.judge]["needs"], strict) for finding in findings)


def report(case: Case, findings: list[Finding], accepted: bool) -> dict:
    return {"file": str(case.pdf), "accepted": accepted, "judges": [one.as_json() for one in findings]}


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="judges", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("pdf", type=Path)
    parser.add_argument("--trust", type=Path, required=True, help="trust anchors (PEM)")
    parser.add_argument("--base", type=Path, action="append", default=[], help="earlier revision, oldest first")
    parser.add_argument("--pages-of", type=Path, help="the input whose pages must be kept")
    parser.add_argument("--signatures", type=int, help="how many signatures there must be")
    parser.add_argument("--only", action="append", choices=sorted([*JUDGES, *ON_A_JVM]), help="ask only this judge")
    parser.add_argument("--strict", action="store_true", help="a missing optional judge fails too")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def stands(finding: Finding, needs: str, strict: bool) -> bool:
    """A missing judge is tolerable only if it is optional and nobody asked for strictness."""
    if finding.missing is not None:
        return needs == "optional" and not strict
    return finding.ok


def sentence(finding: Finding) -> str:
    if finding.missing is not None:
        return f"{finding.judge}: not asked ({finding.missing})"
    if finding.ok:
        return f"{finding.judge}: ok"
    more = f"; and {len(finding.problems) - 5} more" if len(finding.problems) > 5 else ""
    return f"{finding.judge}: " + "; ".join(finding.problems[:5]) + more


if __name__ == "__main__":
    sys.exit(main())
