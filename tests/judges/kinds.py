"""python -m judges.kinds PAGE.pdf PKI FOLDER: one input of every kind for the matrix, all grown from one real page.

PKI is the folder that `trinhky-interop pki` made: the holder of `elsewhere.pem` signs one input with pyHanko. Where
TRINHKY_CORPORA is set, `one-page.pdf` is a page from there; otherwise it is PAGE.pdf.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from pathlib import Path

import pikepdf
from pikepdf import Array, Dictionary, Name, ObjectStreamMode, Pdf, Stream

from .make_inputs import merged
from .pdfa import tagged

CORPUS_PAGE = "pdf-unsigned/files/dss/not_signed_pdfa.pdf"
"""A one-page office document with a producer of its own."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="kinds", description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("pki", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, bytes_ in kinds(options.page, options.pki):
        (options.folder / f"{name}.pdf").write_bytes(bytes_)
    return 0


def kinds(page: Path, pki: Path):
    """Name and bytes of every kind; the names are those of `axes.rs`."""
    with merged(page, 3) as pages:
        classic = saved(pages)
        yield "classic", classic
        yield "stream", saved(pages, object_stream_mode=ObjectStreamMode.generate)
        yield "hybrid", hybrid(pages)
        yield "linearised", saved(pages, linearize=True)
    corpora = os.environ.get("TRINHKY_CORPORA")
    yield "one-page", (Path(corpora) / CORPUS_PAGE if corpora else page).read_bytes()
    with merged(page, 500) as pages:
        yield "500-pages", saved(pages)
    yield "rotated", rotated(page)
    yield "acroform", acroform(page)
    yield "signed-elsewhere", signed_elsewhere(classic, pki)
    yield "tagged-pdfa-2a", tagged(page, part=2, level="A")
    yield "pdfa-1b", tagged(page, part=1, level="B")
    yield "pdfa-1a", tagged(page, part=1, level="A")
    yield "pdfa-2b", tagged(page, part=2, level="B")
    yield "pdfa-2u", tagged(page, part=2, level="U")
    yield "pdfa-3b", tagged(page, part=3, level="B")
    yield "pdfua-1", tagged(page, part=2, level="A", ua=True)


def saved(pdf: Pdf, **how) -> bytes:
    out = io.BytesIO()
    pdf.save(out, **{"object_stream_mode": ObjectStreamMode.disable, "static_id": True, **how})
    return out.getvalue()


def rotated(page: Path) -> bytes:
    """Turned by a quarter, and cropped so that its visible origin is not that of the page."""
    with merged(page, 2) as pages:
        for one in pages.pages:
            one.obj.Rotate = 90
            one.obj.CropBox = Array([20, 30, 575, 820])
        return saved(pages)


def acroform(page: Path) -> bytes:
    """With a form of its own: a filled text field and a check box, each with its appearance."""
    with merged(page, 1) as pages:
        helvetica = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
        helvetica = pages.make_indirect(helvetica)
        shown = form(pages, 150, 16, b"/Tx BMC q BT /Helv 10 Tf 2 4 Td (Phong Tu phap) Tj ET Q EMC", helvetica)
        text = pages.make_indirect(
            Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T="Unit", V="Phong Tu phap", F=4,
                       DA="/Helv 10 Tf 0 g", Rect=[90, 40, 240, 56], P=pages.pages[0].obj, AP=Dictionary(N=shown))
        )
        states = Dictionary(Yes=form(pages, 12, 12, b"q 2 2 8 8 re f Q"), Off=form(pages, 12, 12, b""))
        box = pages.make_indirect(
            Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Btn, T="Public", V=Name.Yes, AS=Name.Yes, F=4,
                       Rect=[260, 40, 272, 52], P=pages.pages[0].obj, AP=Dictionary(N=states))
        )
        pages.pages[0].obj.Annots = Array([text, box])
        pages.Root.AcroForm = Dictionary(
            Fields=[text, box], DA="/Helv 10 Tf 0 g", DR=Dictionary(Font=Dictionary(Helv=helvetica))
        )
        return saved(pages)


def form(pdf: Pdf, width: int, height: int, content: bytes, font=None) -> Stream:
    resources = Dictionary(Font=Dictionary(Helv=font)) if font is not None else Dictionary()
    return Stream(pdf, content, Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, width, height], Resources=resources)


def hybrid(pdf: Pdf) -> bytes:
    """A hybrid file (ISO 32000-2, 7.5.8.4) as word processors write it: a table in which some objects are free, and a
    cross-reference stream, named by /XRefStm, that has them in an object stream."""
    plain = io.BytesIO()
    pdf.save(plain, object_stream_mode=ObjectStreamMode.disable, static_id=True)
    with pikepdf.open(plain) as clean:
        count = len(clean.objects)
        bodies = {number: clean.get_object(number, 0) for number in range(1, count + 1)}
        trailer = clean.trailer
        root, identity = trailer.Root.objgen[0], trailer.ID.unparse()
        hidden = [n for n, one in bodies.items() if isinstance(one, Dictionary) and one.get("/Type") == Name.FontDescriptor]
        out = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
        offsets = {}
        for number, one in bodies.items():
            if number not in hidden:
                offsets[number] = len(out)
                out += b"%d 0 obj\n%s\nendobj\n" % (number, body(one))
        packed = [bodies[number].unparse(resolved=True) for number in hidden]
        starts = [sum(len(one) + 1 for one in packed[:at]) for at in range(len(packed))]
        head = b" ".join(b"%d %d" % pair for pair in zip(hidden, starts, strict=True)) + b"\n"
        container, index = count + 1, count + 2
        offsets[container] = len(out)
        content = head + b"".join(one + b"\n" for one in packed)
        out += b"%d 0 obj\n<< /Type /ObjStm /N %d /First %d /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (
            container, len(hidden), len(head), len(content), content)
        rows = b"".join(b"\x02" + container.to_bytes(3) + at.to_bytes(1) for at in range(len(hidden)))
        at_stream = len(out)
        sections = b" ".join(b"%d 1" % number for number in hidden)
        out += (b"%d 0 obj\n<< /Type /XRef /Size %d /W [1 3 1] /Index [%s] /Root %d 0 R /Length %d >>\nstream\n%s\n"
                b"endstream\nendobj\n") % (index, index + 1, sections, root, len(rows), rows)
        offsets[index] = at_stream
        table = len(out)
        out += b"xref\n0 %d\n0000000000 65535 f \n" % (index + 1)
        for number in range(1, index + 1):
            out += b"%010d 00000 n \n" % offsets[number] if number in offsets else b"0000000000 00000 f \n"
        out += b"trailer\n<< /Size %d /Root %d 0 R /XRefStm %d /ID %s >>\nstartxref\n%d\n%%%%EOF\n" % (
            index + 1, root, at_stream, identity, table)
    return bytes(out)


def body(one) -> bytes:
    if isinstance(one, Stream):
        raw = one.read_raw_bytes()
        head = Dictionary({key: value for key, value in one.items() if key != "/Length"})
        return head.unparse()[:-2] + b"/Length %d >>\nstream\n%s\nendstream" % (len(raw), raw)
    return one.unparse(resolved=True)


def signed_elsewhere(pdf: bytes, pki: Path) -> bytes:
    """Signed by pyHanko in a visible field of its own, PAdES B-B."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner
    from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter

    signer = SimpleSigner.load(pki / "elsewhere.key", pki / "elsewhere.pem", ca_chain_files=(pki / "ca.pem",))
    metadata = PdfSignatureMetadata(field_name="Elsewhere", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES)
    field = SigFieldSpec("Elsewhere", on_page=0, box=(40, 40, 200, 100))
    out = PdfSigner(metadata, signer=signer, new_field_spec=field).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)))
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main())
