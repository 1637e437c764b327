"""python -m judges.make_inputs PAGE.pdf FOLDER: large inputs grown from one real page.

Writes, each as a classic cross-reference table and as a cross-reference stream with object streams:

    merged-500-{table,stream}.pdf    the page five hundred times
    images-5mb-{table,stream}.pdf    the page, then pages of incompressible images, about 5 MB
    images-50mb-{table,stream}.pdf   the same, about 50 MB

The noise is seeded, so two runs give the same images.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

IMAGE_SIDE = 1024
IMAGE_BYTES = IMAGE_SIDE * IMAGE_SIDE
A4 = (595, 842)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make_inputs", description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path, help="a real PDF; its first page is used")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    builders: dict[str, Callable[[Path], pikepdf.Pdf]] = {
        "merged-500": lambda page: merged(page, 500),
        "images-5mb": lambda page: with_images(page, 5),
        "images-50mb": lambda page: with_images(page, 50),
    }
    for name, build in builders.items():
        with build(options.page) as pdf:
            for kind, mode in (
                ("table", pikepdf.ObjectStreamMode.disable),
                ("stream", pikepdf.ObjectStreamMode.generate),
            ):
                target = options.folder / f"{name}-{kind}.pdf"
                pdf.save(target, object_stream_mode=mode, static_id=True, compress_streams=False)
                print(target)
    return 0


def merged(page: Path, count: int) -> pikepdf.Pdf:
    """The first page of `page`, `count` times, each with its own page object and its own content stream."""
    pdf = pikepdf.new()
    with pikepdf.open(page) as source:
        for _ in range(count):
            pdf.pages.append(source.pages[0])
    for one in pdf.pages:
        without_widgets(one)
        one.contents_coalesce()
        if isinstance(one.obj.get("/Contents"), Stream):
            one.obj.Contents = pdf.make_stream(one.obj.Contents.read_bytes())
    return pdf


def without_widgets(page: pikepdf.Page) -> None:
    """Form widgets do not survive the copy of a page without their form, so they go."""
    kept = [one for one in page.obj.get("/Annots", Array()) if one.get("/Subtype") != Name.Widget]
    if kept:
        page.obj.Annots = Array(kept)
    elif "/Annots" in page.obj:
        del page.obj.Annots


def with_images(page: Path, megabytes: int) -> pikepdf.Pdf:
    """The first page of `page`, then one page of random grey pixels per megabyte."""
    pdf = pikepdf.new()
    with pikepdf.open(page) as source:
        pdf.pages.append(source.pages[0])
    without_widgets(pdf.pages[0])
    noise = random.Random(megabytes)
    for _ in range(megabytes):
        image = Stream(
            pdf,
            noise.randbytes(IMAGE_BYTES),
            Type=Name.XObject,
            Subtype=Name.Image,
            Width=IMAGE_SIDE,
            Height=IMAGE_SIDE,
            ColorSpace=Name.DeviceGray,
            BitsPerComponent=8,
        )
        added = pdf.add_blank_page(page_size=A4)
        added.obj.Resources = Dictionary(XObject=Dictionary(Noise=image))
        added.obj.Contents = pdf.make_stream(b"q %d 0 0 %d 0 0 cm /Noise Do Q" % A4)
        added.obj.CropBox = Array([0, 0, *A4])
    return pdf


if __name__ == "__main__":
    sys.exit(main())
