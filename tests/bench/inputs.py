"""python -m bench.inputs PAGE.pdf FOLDER: the files that are measured, grown from one real page.

`SIZE-STYLE.pdf` with SIZE 100kB, 5MB, 50MB, 200MB and 300k (three hundred thousand small objects), STYLE table (classic
cross-reference) or stream (cross-reference stream with object streams). What is there already is kept.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pikepdf
from judges.make_inputs import with_images

STYLES = {"table": pikepdf.ObjectStreamMode.disable, "stream": pikepdf.ObjectStreamMode.generate}
MEGABYTES = {"5MB": 5, "50MB": 50, "200MB": 200}
OBJECTS = 300_000


def main() -> int:
    page, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    builders = {
        "100kB": lambda: with_bytes(page, 90_000),
        **{size: lambda count=count: with_images(page, count) for size, count in MEGABYTES.items()},
        "300k": lambda: with_objects(page, OBJECTS),
    }
    for size, build in builders.items():
        targets = {style: folder / f"{size}-{style}.pdf" for style in STYLES}
        if all(target.exists() for target in targets.values()):
            continue
        with build() as pdf:
            for style, target in targets.items():
                pdf.save(target, object_stream_mode=STYLES[style], static_id=True, compress_streams=False)
                print(target)
    return 0


def with_bytes(page: Path, count: int) -> pikepdf.Pdf:
    """One page of the input and a private stream of `count` incompressible bytes."""
    import random

    pdf = with_images(page, 0)
    pdf.Root.PieceInfo = pdf.make_stream(random.Random(count).randbytes(count))
    return pdf


def with_objects(page: Path, count: int) -> pikepdf.Pdf:
    """One page of the input and `count` small objects, all reachable from the catalog."""
    pdf = with_images(page, 0)
    small = [pdf.make_indirect(pikepdf.Dictionary(N=number, S=pikepdf.String("x" * 20))) for number in range(count)]
    pdf.Root.PieceInfo = pdf.make_indirect(pikepdf.Dictionary(Small=pikepdf.Array(small)))
    return pdf


if __name__ == "__main__":
    sys.exit(main())
