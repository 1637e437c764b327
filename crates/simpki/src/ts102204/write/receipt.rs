//! `MSS_ReceiptReq`: shows a closing text on the phone (TS 102 204 clause 7.3), best effort.
//!
//! `MobileUser, Message`; `SignedReceipt` does not exist in the Vietnamese schema, `Status` is optional and
//! left out. At most one receipt per signature.

use time::OffsetDateTime;

use super::{Ap, Message, envelope::Envelope};
use crate::{request::ReceiptRequest, ts102204::Port};

/// Writes the receipt.
pub fn receipt(ap: &Ap, request: &ReceiptRequest, now: OffsetDateTime) -> Message {
    let attributes = [("MSSP_TransID", request.mssp_trans_id.as_str())];
    let names = ("MSS_Receipt", "MSS_ReceiptReq");
    let mut xml = Envelope::open(ap, Port::Receipt, names, &attributes, &request.ap_trans_id, now);
    xml.mobile_user(&request.msisdn);
    let text = [("MimeType", "text/plain"), ("Encoding", "UTF-8")];
    xml.leaf("mss:Message", &text, request.message.as_str());
    xml.close()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, ap};
    use super::*;
    use crate::display::DisplayText;

    #[test]
    fn the_receipt_ends_with_its_message() {
        let request = ReceiptRequest {
            ap_trans_id: "T01JAB3K4M5N6P7Q8".parse().unwrap(),
            mssp_trans_id: "x1a2b3".parse().unwrap(),
            msisdn: "84900000000".parse().unwrap(),
            message: DisplayText::parse("Da ky VB 123/QD-UBND").unwrap(),
        };
        let body = receipt(&ap(), &request, NOW).expose_body().to_owned();
        assert!(body.contains(r#" MinorVersion="1" MSSP_TransID="x1a2b3">"#));
        let end = r#"<mss:Message MimeType="text/plain" Encoding="UTF-8">Da ky VB 123/QD-UBND</mss:Message></MSS_ReceiptReq></w:MSS_Receipt></env:Body></env:Envelope>"#;
        assert!(body.ends_with(end), "{body}");
    }
}
