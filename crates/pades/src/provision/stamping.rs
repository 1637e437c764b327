//! The stamp of urgency in the base: a stamp annotation (ISO 32000-2, 12.5.6.12), printed and locked, with its
//! appearance. Everything that the product draws lies in annotations; the pages' own content stays byte for byte.

use super::{
    drawing::{Drawing, text_refusal},
    replaced::Role,
};
use crate::{
    intake::Refusal,
    look::{self, Face},
    pdf::{Dict, ObjRef, Object},
    place::Stamped,
    urgency::Urgency,
};

impl Drawing<'_, '_, '_> {
    /// Writes the stamp and puts it on its page.
    pub(super) fn stamp(&mut self, stamped: &Stamped) -> Result<(), Refusal> {
        let page = self.view.page(stamped.page_id)?;
        let (urgency, page_id) = (stamped.stamp.urgency, ObjRef::new(stamped.page_id.number));
        let words = urgency.words();
        let refuse = |error| text_refusal("urgency", &error);
        let face = Face::bold(words.chars()).map_err(refuse)?;
        let font = face.write(&mut self.new);
        let text = (words, Urgency::POINTS);
        let appearance =
            look::framed(&mut self.new, (font, &face), text, urgency.size(), page.rotate).map_err(refuse)?;
        let id = self.new.allot();
        let said = format!("Mức độ khẩn: {words}");
        let mut annotation = Dict::new()
            .with("Type", Object::name("Annot"))
            .with("Subtype", Object::name("Stamp"))
            .with("Rect", page.to_page(stamped.at.rect).rounded().to_object())
            .with("F", PRINT | READ_ONLY | LOCKED)
            .with("Contents", look::text_object(&said))
            .with("P", page_id)
            .with("AP", Dict::new().with("N", appearance));
        if let Some(tagging) = &mut self.tagging {
            let key = tagging.annotation(&mut self.new, (id, page_id), &said, self.survey.pdfa_part);
            annotation.set("StructParent", key);
        }
        self.new.object(id, &Object::Dict(annotation));
        let annots = self.annots(stamped.page_id)?;
        self.replaced.push(annots.number, Role::Annotations, id);
        Ok(())
    }
}

/// Flags of annotations (12.5.3).
const PRINT: i64 = 1 << 2;
const READ_ONLY: i64 = 1 << 6;
const LOCKED: i64 = 1 << 7;
