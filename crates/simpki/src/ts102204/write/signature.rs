//! `MSS_SignatureReq`: asks the SIM for one signature (TS 102 204 clause 7.2, Vietnamese child order).
//!
//! `AP_Info, MSSP_Info, MobileUser, DataToBeSigned, DataToBeDisplayed, MSS_Format, SignatureProfile,
//! AdditionalServices`. The data is a DER `DigestInfo`; the mode is always `asynchClientServer`, because only
//! its acknowledgement carries the handle by which a lost connection can be recovered.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use time::OffsetDateTime;

use super::{Ap, Message, envelope::Envelope};
use crate::{request::SignatureRequest, ts102204::Port};

/// Writes the request. The same request written later differs only in its instants.
pub fn signature(ap: &Ap, request: &SignatureRequest, now: OffsetDateTime) -> Message {
    let timeout = request.timeout_seconds.to_string();
    let attributes = [("MessagingMode", "asynchClientServer"), ("TimeOut", &timeout)];
    let names = ("MSS_Signature", "MSS_SignatureReq");
    let mut xml = Envelope::open(ap, Port::Signature, names, &attributes, &request.ap_trans_id, now);
    xml.mobile_user(&request.msisdn);
    let data = STANDARD.encode(request.digest.digest_info());
    xml.leaf(
        "mss:DataToBeSigned",
        &[("MimeType", "application/octet-stream"), ("Encoding", "base64")],
        &data,
    );
    let text = [("MimeType", "text/plain"), ("Encoding", "UTF-8")];
    xml.leaf("mss:DataToBeDisplayed", &text, request.display.as_str());
    xml.nested(&["mss:MSS_Format", "mss:mssURI"], &ap.profile.format);
    xml.nested(&["mss:SignatureProfile", "mss:mssURI"], &ap.profile.signature_profile);
    if !ap.profile.services.is_empty() {
        xml.start("mss:AdditionalServices", &[]);
        for service in &ap.profile.services {
            xml.nested(&["mss:Service", "mss:Description", "mss:mssURI"], service);
        }
        xml.end("mss:AdditionalServices");
    }
    xml.close()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, ap, compact};
    use super::*;
    use crate::display::DisplayText;

    const GOLDEN: &str = r#"
<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope">
 <env:Body>
  <w:MSS_Signature xmlns:w="http://ae.mobile-id.vn/TS102204/etsi204">
   <MSS_SignatureReq xmlns="" xmlns:mss="http://uri.etsi.org/TS102204/v1.1.2#" MajorVersion="1" MinorVersion="1" MessagingMode="asynchClientServer" TimeOut="300">
    <mss:AP_Info AP_ID="http://ap.mobile-id.vn/NAME" AP_PWD="S&lt;E&gt;C&amp;&quot;RET" AP_TransID="T01JAB3K4M5N6P7Q8" Instant="2025-03-05T08:00:00.000Z"/>
    <mss:MSSP_Info Instant="2025-03-05T08:00:00.000Z"><mss:MSSP_ID><mss:URI>http://hmssp.mobile-id.vn</mss:URI></mss:MSSP_ID></mss:MSSP_Info>
    <mss:MobileUser><mss:MSISDN>84900000000</mss:MSISDN></mss:MobileUser>
    <mss:DataToBeSigned MimeType="application/octet-stream" Encoding="base64">MDEwDQYJYIZIAWUDBAIBBQAEILp4Fr+PAc/qQUFA3l2uIiOwA2Gjlhd6nLQQ/2HyABWt</mss:DataToBeSigned>
    <mss:DataToBeDisplayed MimeType="text/plain" Encoding="UTF-8">Ky so VB 123/QD-UBND 05/03/2025. Ma giao dich %%VC%%</mss:DataToBeDisplayed>
    <mss:MSS_Format><mss:mssURI>http://uri.etsi.org/TS102204/v1.1.2#PKCS1</mss:mssURI></mss:MSS_Format>
    <mss:SignatureProfile><mss:mssURI>http://mobile-id.vn/digitalSignature</mss:mssURI></mss:SignatureProfile>
    <mss:AdditionalServices>
     <mss:Service><mss:Description><mss:mssURI>http://mobile-id.vn/MSSP/v1.0.0#signingCertificate</mss:mssURI></mss:Description></mss:Service>
     <mss:Service><mss:Description><mss:mssURI>http://mobile-id.vn/MSSP/v1.0.0#signatureValidation</mss:mssURI></mss:Description></mss:Service>
    </mss:AdditionalServices>
   </MSS_SignatureReq>
  </w:MSS_Signature>
 </env:Body>
</env:Envelope>"#;

    fn wanted() -> SignatureRequest {
        SignatureRequest {
            ap_trans_id: "T01JAB3K4M5N6P7Q8".parse().unwrap(),
            msisdn: "84900000000".parse().unwrap(),
            digest: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".parse().unwrap(),
            display: DisplayText::parse("Ky so VB 123/QD-UBND 05/03/2025. Ma giao dich %%VC%%").unwrap(),
            timeout_seconds: 300,
        }
    }

    #[test]
    fn the_request_is_golden() {
        let message = signature(&ap(), &wanted(), NOW);
        assert_eq!(message.expose_body(), compact(GOLDEN));
        assert_eq!(message.port().path(), "MSS_SignaturePort");
    }

    #[test]
    fn without_services_the_element_is_left_out() {
        let mut ap = ap();
        ap.profile.services.clear();
        let message = signature(&ap, &wanted(), NOW);
        assert!(!message.expose_body().contains("AdditionalServices"));
    }

    #[test]
    fn debug_shows_neither_password_nor_number() {
        let shown = format!("{:?} {:?} {:?}", signature(&ap(), &wanted(), NOW), ap(), wanted());
        assert!(!shown.contains("RET") && !shown.contains("84900000000"), "{shown}");
    }
}
