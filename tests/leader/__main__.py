"""python -m leader --server URL --username U --password P --totp-secret S --state DIR [enrol | approve --document ID | inbox | go-on
                | held | adopt --attempt ID | void --attempt ID --reason WHY]

Progress goes to standard error; the last line on standard output is one JSON object. Exit 0: done. 1: refused, by the core,
the server or the SIM ({"error": {"code", "message", "what", "next"}} or the attempt's end). 2: usage.
"""

import argparse
import asyncio
import json
import pathlib
import sys

from . import binding
from .steps import Leader


def main() -> int:
    options = _arguments()
    api = binding.load(options.library)
    try:
        leader = Leader(api, options)
        result = asyncio.run(_act(leader, options))
    except api.CoreError as error:
        return _refused(error)
    print(json.dumps({**result, "steps": leader.steps}, ensure_ascii=False))
    return 0 if result.get("done", True) else 1


async def _act(leader: Leader, options) -> dict:
    match options.action:
        case "enrol":
            return await leader.enrol()
        case "approve":
            return await leader.approve(options.document)
        case "held":
            return await leader.held()
        case "adopt":
            return await leader.adopt(options.attempt)
        case "void":
            return await leader.void(options.attempt, options.reason)
        case "go-on":
            return await leader.go_on()
        case _:
            return await leader.inbox()


def _refused(error) -> int:
    told = {"code": getattr(error, "code", None), "message": getattr(error, "sentence", None)}
    told["what"] = getattr(error, "what", None)
    print(f"{told['message']} ({told['code']}: {told['what']})", file=sys.stderr)
    print(json.dumps({"error": {**told, "next": type(error).__name__}}, ensure_ascii=False))
    return 1


def _arguments():
    parser = argparse.ArgumentParser(prog="leader", description="The leader's phone, played by a program.")
    parser.add_argument("--library", type=pathlib.Path, help="libtrinhky_mobile_ffi.so; else this clone's debug build")
    parser.add_argument("--server", required=True)
    parser.add_argument("--ca", help="PEM certificates that alone are trusted for TLS")
    parser.add_argument("--username", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--totp-secret", required=True, help="base32")
    parser.add_argument("--state", required=True, help="the phone's storage: a folder")
    parser.add_argument("--clock", help="unix:PATH of a world's clock")
    parser.add_argument("--device-name", default="Điện thoại thử")
    parser.add_argument("--json", action="store_true", help="accepted for clarity: the output is always JSON")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("enrol")
    actions.add_parser("inbox")
    actions.add_parser("go-on")
    actions.add_parser("held")
    actions.add_parser("adopt").add_argument("--attempt", required=True)
    void = actions.add_parser("void")
    void.add_argument("--attempt", required=True)
    void.add_argument("--reason", required=True)
    actions.add_parser("approve").add_argument("--document", required=True)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
