//! A file to be harmed: small, and with a bit of everything.

use crate::job::{assembled, stream};

/// A page with whatever a reader of text, forms and structure looks at, in the clear.
pub(crate) fn page() -> Vec<u8> {
    let content = "/P << /MCID 0 >> BDC q 1 0 0 1 0 0 cm BT /F1 13 Tf 85 745 Td (So:) Tj 30 0 Td <00240025> Tj ET Q EMC \
                   BT /F2 12 Tf 14 TL 360 300 Td [(CHU) -250 (TICH)] TJ T* (Nguyen Van An) Tj ET /X1 Do";
    let codes = "1 begincodespacerange <0000> <ffff> endcodespacerange 1 beginbfchar <0024> <0041> endbfchar \
                 2 beginbfrange <0025> <0030> <0042> <0031> <0033> [<0061> <0062> <0063>] endbfrange";
    assembled(&[
        "<< /Type /Catalog /Pages 2 0 R /AcroForm 10 0 R /StructTreeRoot 12 0 R /MarkInfo << /Marked true >> /Names << \
         /EmbeddedFiles << /Names [(a) 15 0 R] >> >> /OpenAction [3 0 R /XYZ 0 842 1] >>"
            .to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 /Rotate 0 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /CropBox [0 0 595 842] /UserUnit 1 /Contents [4 0 R] \
         /Annots [11 0 R 14 0 R] /StructParents 0 /Tabs /S /Resources << /Font << /F1 5 0 R /F2 8 0 R >> /XObject << /X1 \
         9 0 R >> >> >>"
            .to_owned(),
        stream("", content),
        "<< /Type /Font /Subtype /Type0 /BaseFont /A /Encoding /Identity-H /DescendantFonts [6 0 R] /ToUnicode 7 0 R >>"
            .to_owned(),
        "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /A /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) \
         /Supplement 0 >> /DW 1000 /W [36 [500 600] 38 60 700] >>"
            .to_owned(),
        stream("", codes),
        "<< /Type /Font /Subtype /TrueType /BaseFont /B /FirstChar 32 /LastChar 34 /Widths [250 333 408] /Encoding << \
         /BaseEncoding /WinAnsiEncoding /Differences [65 /Adieresis /dotbelow] >> >>"
            .to_owned(),
        stream(
            "/Type /XObject /Subtype /Form /BBox [0 0 100 50] /Matrix [1 0 0 1 20 30] /Resources << /Font << /F2 8 0 R >> >>",
            "BT /F2 9 Tf 2 2 Td (Noi nhan:) Tj ET",
        ),
        "<< /Fields [11 0 R] /DA (/F2 10 Tf 0 g) /DR << /Font << /F2 8 0 R >> >> /NeedAppearances false >>".to_owned(),
        "<< /Type /Annot /Subtype /Widget /FT /Tx /T (Name) /V (An) /MaxLen 40 /F 4 /Rect [50 600 200 620] /P 3 0 R \
         /StructParent 1 /AP << /N 9 0 R >> /MK << /R 0 >> >>"
            .to_owned(),
        "<< /Type /StructTreeRoot /K [13 0 R] /ParentTree << /Nums [0 [13 0 R] 1 13 0 R] >> /ParentTreeNextKey 2 >>"
            .to_owned(),
        "<< /Type /StructElem /S /P /P 12 0 R /Pg 3 0 R /K [0 << /Type /OBJR /Obj 11 0 R >>] >>".to_owned(),
        "<< /Type /Annot /Subtype /Link /Rect [300 600 400 620] /Border [0 0 0] /A << /S /URI /URI (https://a.vn) >> >>"
            .to_owned(),
        "<< /Type /Filespec /F (a.txt) /EF << /F 16 0 R >> >>".to_owned(),
        stream("/Type /EmbeddedFile /Params << /Size 1 >>", "a"),
    ])
}
