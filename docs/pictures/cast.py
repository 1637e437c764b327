#!/usr/bin/env python3
"""Records a command in a terminal, and draws such a recording. Nothing in it is typed by hand.

    cast.py record OUT.cast -- COMMAND...     runs it in a pseudo-terminal, asciinema v2 (one JSON array a line)
    cast.py draw IN.cast OUT.svg              every line appears when it did; still for who wants no motion

Only lines are drawn, no cursor movement: the demo prints lines.
"""

from __future__ import annotations

import html
import json
import os
import pty
import re
import shlex
import sys
import time

WIDTH, ROW, GLYPH = 100, 20, 8.4
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def record(out: str, command: list[str]) -> int:
    events: list[tuple[float, str]] = []
    began = time.monotonic()
    pending = b""

    def read(descriptor: int) -> bytes:
        nonlocal pending
        data = os.read(descriptor, 4096)
        pending += data
        # A letter may be cut between two reads.
        text = pending.decode("utf-8", errors="ignore")
        pending = pending[len(text.encode()):]
        events.append((time.monotonic() - began, text))
        return data

    os.environ |= {"COLUMNS": str(WIDTH), "LINES": "40", "TERM": "xterm"}
    status = os.waitstatus_to_exitcode(pty.spawn(command, read))
    header = {"version": 2, "width": WIDTH, "height": 40, "command": shlex.join(command)}
    with open(out, "w", encoding="utf-8") as file:
        print(json.dumps(header, ensure_ascii=False), file=file)
        for at, text in events:
            print(json.dumps([round(at, 3), "o", text], ensure_ascii=False), file=file)
    return status


def draw(source: str, out: str) -> None:
    with open(source, encoding="utf-8") as file:
        header, *events = (json.loads(line) for line in file)
    lines: list[tuple[float, str]] = [(0.0, f"$ {header['command']}")]
    rest = ""
    for at, _, text in events:
        *done, rest = (rest + ESCAPE.sub("", text)).replace("\r\n", "\n").split("\n")
        lines += [(at, line) for line in done]
    if rest:
        lines.append((events[-1][0], rest))
    rows = [(at, piece) for at, line in lines for piece in ([line[i:i + WIDTH] for i in range(0, len(line), WIDTH)] or [""])]
    width, height = WIDTH * GLYPH + 32, len(rows) * ROW + 32
    drawn = "\n".join(
        f'<text class="{"typed" if index == 0 else "said"}" x="16" y="{30 + index * ROW}" '
        f'style="animation-delay:{at:.2f}s">{html.escape(line)}</text>'
        for index, (at, line) in enumerate(rows)
    )
    with open(out, "w", encoding="utf-8") as file:
        file.write(f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img" aria-label="{html.escape(header['command'])}">
<style>
rect {{ fill: #14161b }}
text {{ font: 14px ui-monospace, "Liberation Mono", Menlo, Consolas, monospace; fill: #d8dbe2; white-space: pre; opacity: 0; animation: come .01s forwards }}
.typed {{ fill: #8fb4ff }}
@keyframes come {{ to {{ opacity: 1 }} }}
@media (prefers-reduced-motion: reduce) {{ text {{ opacity: 1; animation: none }} }}
</style>
<rect width="100%" height="100%" rx="8"/>
{drawn}
</svg>
""")


def main(arguments: list[str]) -> int:
    match arguments:
        case ["record", out, "--", *command] if command:
            return record(out, command)
        case ["draw", source, out]:
            draw(source, out)
            return 0
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
