"""The released file still shows the input's pages: same number, same boxes, same rotation, same drawn content.

Compares decoded content streams, which may only grow by nothing at all: everything the product draws later lives in
annotations, never in page content.
"""

from __future__ import annotations

import hashlib

from .case import Case, Finding


def judge(case: Case) -> Finding:
    finding = Finding("pages")
    if case.pages_of is None:
        return finding
    try:
        import pikepdf
    except ImportError as missing:
        finding.missing = f"{missing}: make venv"
        return finding

    def shown(page) -> tuple:
        box = [round(float(edge), 3) for edge in page.mediabox]
        crop = [round(float(edge), 3) for edge in page.cropbox]
        contents = page.obj.get("/Contents", pikepdf.Array())
        streams = list(contents) if isinstance(contents, pikepdf.Array) else [contents]
        drawn = hashlib.sha256(b"\n".join(stream.read_bytes() for stream in streams)).hexdigest()
        return box, crop, int(page.obj.get("/Rotate", 0)) % 360, drawn

    with pikepdf.open(case.pages_of) as before, pikepdf.open(case.pdf) as after:
        finding.details.append({"before": len(before.pages), "after": len(after.pages)})
        if len(before.pages) != len(after.pages):
            finding.problems.append(f"{len(after.pages)} pages, the input has {len(before.pages)}")
        for number, (old, new) in enumerate(zip(before.pages, after.pages, strict=False), start=1):
            if shown(old) != shown(new):
                finding.problems.append(f"page {number} is not shown as in the input")
    return finding
