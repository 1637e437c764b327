"""python -m bench.inputs PAGE.pdf FOLDER: the files that are measured, grown from one real page.

`SIZE-STYLE.pdf` with SIZE 100kB, 5MB, 50MB, 200MB (images), 3k, 30k, 300k (so many thousand small objects) and 1GB (one
stream of zeros, a sparse file), STYLE table (classic cross-reference) or stream (cross-reference stream with object
streams, compressed). 300,000 objects are 34 MB and 8 MB. What is there already is kept: another content takes another
folder.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pikepdf
from judges.make_inputs import with_images

STYLES = {"table": pikepdf.ObjectStreamMode.disable, "stream": pikepdf.ObjectStreamMode.generate}
MEGABYTES = {"5MB": 5, "50MB": 50, "200MB": 200}
OBJECTS = {"3k": 3_000, "30k": 30_000, "300k": 300_000}
HUGE = 1_000_000_000


def main() -> int:
    page, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    builders = {
        "100kB": lambda: with_bytes(page, 90_000),
        **{size: lambda count=count: with_images(page, count) for size, count in MEGABYTES.items()},
        **{size: lambda count=count: with_objects(page, count) for size, count in OBJECTS.items()},
    }
    for size, build in builders.items():
        targets = {style: folder / f"{size}-{style}.pdf" for style in STYLES}
        if all(target.exists() for target in targets.values()):
            continue
        with build() as pdf:
            for style, target in targets.items():
                compressed = size in OBJECTS and style == "stream"
                pdf.save(target, object_stream_mode=STYLES[style], static_id=True, compress_streams=compressed)
                print(target)
    if not (target := folder / "1GB-table.pdf").exists():
        huge(target)
        print(target)
    return 0


def with_bytes(page: Path, count: int) -> pikepdf.Pdf:
    """One page of the input and a private stream of `count` incompressible bytes."""
    pdf = with_images(page, 0)
    pdf.Root.PieceInfo = pdf.make_stream(random.Random(count).randbytes(count))
    return pdf


def with_objects(page: Path, count: int) -> pikepdf.Pdf:
    """One page of the input and `count` small objects, all reachable from the catalog: half of what they say is noise."""
    pdf = with_images(page, 0)
    noise = random.Random(count)
    said = [pikepdf.String(f"{'x' * 18}{noise.getrandbits(88):022x}") for _ in range(count)]
    small = [pdf.make_indirect(pikepdf.Dictionary(N=number, S=text)) for number, text in enumerate(said)]
    pdf.Root.PieceInfo = pdf.make_indirect(pikepdf.Dictionary(Small=pikepdf.Array(small)))
    return pdf


def huge(target: Path) -> None:
    """One empty page and a stream of zeros that takes no room on the disk."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /PieceInfo 4 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>",
        b"<< /Length %d >>\nstream\n" % HUGE,
    ]
    offsets = []
    with open(target, "wb") as file:
        file.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        for number, body in enumerate(objects, 1):
            offsets.append(file.tell())
            file.write(b"%d 0 obj\n%s" % (number, body))
            if number == len(objects):
                file.seek(HUGE, 1)
                file.write(b"\nendstream")
            file.write(b"\nendobj\n")
        xref = file.tell()
        file.write(b"xref\n0 5\n0000000000 65535 f \n")
        file.writelines(b"%010d 00000 n \n" % offset for offset in offsets)
        file.write(b"trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % xref)


if __name__ == "__main__":
    sys.exit(main())
