"""A real page made into PDF/A of any part and level, and PDF/UA: output intent, metadata, structure tree."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

from PIL import ImageCms
from pikepdf import Array, Dictionary, Name, ObjectStreamMode, Pdf, Stream

from .make_inputs import merged

TITLE = "Quyết định về việc ban hành Quy chế trình ký văn bản điện tử"
MADE = datetime(2026, 2, 5, 8, 0, tzinfo=UTC)


def tagged(page: Path, part: int, level: str, ua: bool = False) -> bytes:
    """The page as PDF/A-`part``level`; tagged where the level (or PDF/UA) asks for it."""
    with merged(page, 1) as pdf:
        with_intent(pdf, part)
        with_cid_sets(pdf, part)
        if level == "A" or ua:
            with_structure(pdf)
        with_metadata(pdf, part, level, ua)
        out = io.BytesIO()
        pdf.save(
            out,
            object_stream_mode=ObjectStreamMode.disable,
            static_id=True,
            force_version="1.4" if part == 1 else "1.7",
        )
        return out.getvalue()


def with_intent(pdf: Pdf, part: int) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    if part == 1:
        # Part 1 knows profiles of version 2 only; the tables of this one are the same in both.
        profile = profile[:8] + b"\x02\x10\x00\x00" + profile[12:]
    intent = Dictionary(
        Type=Name.OutputIntent,
        S=Name.GTS_PDFA1,
        OutputConditionIdentifier="sRGB IEC61966-2.1",
        Info="sRGB IEC61966-2.1",
        DestOutputProfile=Stream(pdf, profile, N=3),
    )
    pdf.Root.OutputIntents = Array([pdf.make_indirect(intent)])


def with_cid_sets(pdf: Pdf, part: int) -> None:
    """Part 1 asks every embedded subset of a CID font to list its glyphs; the later parts do not."""
    if part != 1:
        return
    for one in pdf.objects:
        if isinstance(one, Dictionary) and one.get("/Subtype") == Name.CIDFontType2:
            widths = list(one.W)
            last = int(widths[-2]) + (len(widths[-1]) - 1 if isinstance(widths[-1], Array) else 0)
            bits = bytearray((last + 8) // 8)
            for glyph in range(last + 1):
                bits[glyph // 8] |= 0x80 >> (glyph % 8)
            one.FontDescriptor.CIDSet = Stream(pdf, bytes(bits))


def with_structure(pdf: Pdf) -> None:
    """One paragraph for the whole page: enough to be tagged, little enough to be read."""
    page = pdf.pages[0].obj
    page.Contents = pdf.make_stream(b"/P <</MCID 0>> BDC\n" + page.Contents.read_bytes() + b"\nEMC")
    page.StructParents = 0
    page.Tabs = Name.S
    root = pdf.make_indirect(Dictionary(Type=Name.StructTreeRoot))
    document = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name.Document, P=root))
    paragraph = pdf.make_indirect(Dictionary(Type=Name.StructElem, S=Name.P, P=document, Pg=page, K=0))
    document.K = Array([paragraph])
    root.K = Array([document])
    root.ParentTree = pdf.make_indirect(Dictionary(Nums=Array([0, Array([paragraph])])))
    root.ParentTreeNextKey = 1
    pdf.Root.StructTreeRoot = root
    pdf.Root.MarkInfo = Dictionary(Marked=True)
    pdf.Root.ViewerPreferences = Dictionary(DisplayDocTitle=True)
    pdf.Root.Lang = "vi-VN"


def with_metadata(pdf: Pdf, part: int, level: str, ua: bool) -> None:
    date = MADE.strftime("%Y-%m-%dT%H:%M:%SZ")
    accessible = (
        '<pdfuaid:part xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">1</pdfuaid:part>' + EXTENSION if ua else ""
    )
    xmp = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{TITLE}</rdf:li></rdf:Alt></dc:title>
<xmp:CreateDate>{date}</xmp:CreateDate><xmp:ModifyDate>{date}</xmp:ModifyDate>
<pdf:Producer>judges</pdf:Producer>
<pdfaid:part>{part}</pdfaid:part><pdfaid:conformance>{level}</pdfaid:conformance>
{accessible}
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""
    pdf.Root.Metadata = Stream(pdf, xmp.encode(), Type=Name.Metadata, Subtype=Name.XML)
    stamp = MADE.strftime("D:%Y%m%d%H%M%SZ")
    pdf.trailer.Info = pdf.make_indirect(
        Dictionary(Title=TITLE, Producer="judges", CreationDate=stamp, ModDate=stamp)
    )


# PDF/A asks that a schema it does not know (here that of PDF/UA) be described.
EXTENSION = """
<pdfaExtension:schemas xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<rdf:Bag><rdf:li rdf:parseType="Resource"><pdfaSchema:schema>PDF/UA identification</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI><pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource"><pdfaProperty:name>part</pdfaProperty:name>
<pdfaProperty:valueType>Integer</pdfaProperty:valueType><pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>Part of PDF/UA</pdfaProperty:description></rdf:li></rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas>"""
