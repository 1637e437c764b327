"""python -m judges PDF --trust roots.pem [--base BASE.pdf]... [--pages-of INPUT.pdf] [--signatures N] [--json]

Exit 0: every judge that was asked agrees and no required judge is missing. Exit 1 otherwise.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from pathlib import Path

from . import mutool, pages, pdfsig, prefix, pyhanko_judge, qpdf
from .case import Case, Finding

JUDGES = {
    "pyhanko": pyhanko_judge.judge,
    "pdfsig": pdfsig.judge,
    "qpdf": qpdf.judge,
    "prefix": prefix.judge,
    "pages": pages.judge,
    "mutool": mutool.judge,
}
REGISTER = Path(__file__).resolve().parent.parent / "judges.toml"


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    register = tomllib.loads(REGISTER.read_text())
    case = Case(
        pdf=options.pdf,
        trust=options.trust,
        bases=tuple(options.base),
        pages_of=options.pages_of,
        signatures=options.signatures,
    )
    asked = options.only or list(register)
    findings = [JUDGES[name](case) for name in asked]
    accepted = all(stands(finding, register[finding.judge]["needs"], options.strict) for finding in findings)
    if options.json:
        report = {"file": str(case.pdf), "accepted": accepted, "judges": [one.as_json() for one in findings]}
        json.dump(report, sys.stdout, ensure_ascii=False, indent=1, default=str)
        print()
    else:
        for finding in findings:
            print(sentence(finding))
    return 0 if accepted else 1


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="judges", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("pdf", type=Path)
    parser.add_argument("--trust", type=Path, required=True, help="trust anchors (PEM)")
    parser.add_argument("--base", type=Path, action="append", default=[], help="earlier revision, oldest first")
    parser.add_argument("--pages-of", type=Path, help="the input whose pages must be kept")
    parser.add_argument("--signatures", type=int, help="how many signatures there must be")
    parser.add_argument("--only", action="append", choices=sorted(JUDGES), help="ask only this judge")
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
