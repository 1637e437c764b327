"""What people see: the seal lies over about a third of the last signer's picture, from the left, and the strokes under
it stay visible (NĐ 30/2020 Phụ lục I, II.8.a). Rendered by poppler, before and after the seal's revision.
"""

from __future__ import annotations

import io
import re
import shutil
import tempfile
from pathlib import Path

from .case import Finding, run

DOTS_PER_INCH = 100
OVERLAP = (0.2, 0.5)
"""Parts of the strokes that may lie under the seal: a third, give or take the shape of the picture."""
VISIBLE = 0.75
"""Part of these that must still be seen; a stencil (PDF/A-1 knows no transparency) hides some where lines cross."""


def judge(pdf: Path, signatures: int) -> Finding:
    """`signatures` of ours, the last one the seal, on the last page."""
    finding = Finding("looks")
    if shutil.which("pdftoppm") is None:
        finding.missing = "pdftoppm is not installed (apt-get install poppler-utils)"
        return finding
    content = pdf.read_bytes()
    ends = sorted(int(at) + int(length) for at, length in re.findall(rb"/ByteRange \[0 \d+ (\d+) (\d+)\]", content))
    (width, before), (_, after) = (rendered(content[:end]) for end in ends[signatures - 2 : signatures])
    strokes = [at for at, (red, _, blue) in enumerate(before) if blue > red + 80]
    sealed = [at for at, (red, green, blue) in enumerate(after) if red > blue + 80 and red > green + 80]
    if not strokes or not sealed:
        finding.problems.append(f"{len(strokes)} pixels of the signature and {len(sealed)} of the seal are shown")
        return finding
    left, right = min(at % width for at in sealed), max(at % width for at in sealed)
    under = [at for at in strokes if left <= at % width <= right]
    seen = [at for at in under if after[at][2] >= after[at][0] - 20 and sum(after[at]) < 600]
    overlap, visible = len(under) / len(strokes), len(seen) / max(len(under), 1)
    finding.details.append({"overlap": overlap, "visible": visible})
    if not OVERLAP[0] <= overlap <= OVERLAP[1]:
        finding.problems.append(f"the seal lies over {overlap:.0%} of the signature")
    if visible < VISIBLE:
        finding.problems.append(f"{visible:.0%} of the strokes under the seal are visible")
    middle = sum(at % width for at in strokes) / len(strokes)
    if (left + right) / 2 > middle:
        finding.problems.append("the seal does not come from the left")
    return finding


def rendered(content: bytes) -> tuple[int, list[tuple[int, int, int]]]:
    """The last page as people see it: its width, and its pixels row by row."""
    import pikepdf
    from PIL import Image

    with tempfile.TemporaryDirectory(prefix="judge-looks-") as folder:
        pdf = Path(folder) / "one.pdf"
        pdf.write_bytes(content)
        with pikepdf.open(io.BytesIO(content)) as document:
            last = str(len(document.pages))
        run("pdftoppm", "-r", str(DOTS_PER_INCH), "-f", last, "-l", last, "-singlefile", pdf, Path(folder) / "page")
        with Image.open(Path(folder) / "page.ppm") as image:
            plain = image.convert("RGB").tobytes()
            return image.width, list(zip(plain[0::3], plain[1::3], plain[2::3], strict=True))
