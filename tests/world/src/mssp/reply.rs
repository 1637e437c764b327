//! Replies of the service, as XML: wrapper in the operator's namespace, unqualified accessor, messages in `mss`.

use base64::Engine as _;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    behaviour::Quirk,
    fault,
    request::{ApInfo, MSS, MSSP_URI, Operation, PKCS1, SIGNATURE_PROFILE, SOAP, WRAPPER},
    xml::escape,
};

/// The parts of a reply. The header echoes the request, password included, as the real service does.
pub(crate) struct Reply<'a> {
    pub(crate) operation: Operation,
    pub(crate) ap: &'a ApInfo,
    pub(crate) msisdn: Option<&'a str>,
    pub(crate) mssp_trans_id: Option<&'a str>,
    pub(crate) status: u16,
    pub(crate) signature: Option<&'a [u8]>,
    pub(crate) certificate: Option<&'a [u8]>,
    pub(crate) quirk: Option<Quirk>,
}

impl Reply<'_> {
    pub(crate) fn xml(&self, now: OffsetDateTime) -> String {
        let name = self.operation.message();
        let wrapper = self.operation.wrapper();
        let transaction = match (self.operation, self.mssp_trans_id) {
            // The WSDL's status reply has no MSSP_TransID.
            (Operation::Signature | Operation::Receipt, Some(id)) => {
                format!(" MSSP_TransID=\"{}\"", escape(id))
            }
            _ => String::new(),
        };
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <env:Envelope xmlns:env=\"{SOAP}\"><env:Body>\
             <w:{wrapper}Response xmlns:w=\"{WRAPPER}\">\
             <{name}Resp xmlns=\"\" xmlns:mss=\"{MSS}\" MajorVersion=\"1\" MinorVersion=\"1\"{transaction}>\
             {header}{user}{certificate}{signature}{profile}{status}\
             </{name}Resp></w:{wrapper}Response></env:Body></env:Envelope>",
            header = self.header(now),
            user = self.user(),
            certificate = self.certificate_xml(),
            signature = self.signature_xml(),
            profile = self.profile_xml(),
            status = status_xml(self.status),
        )
    }

    fn header(&self, now: OffsetDateTime) -> String {
        let trans_id = match self.quirk {
            Some(Quirk::WrongTransactionEcho) => "T0SOMEBODYELSES",
            _ => &self.ap.trans_id,
        };
        format!(
            "<mss:AP_Info AP_ID=\"{}\" AP_PWD=\"{}\" AP_TransID=\"{}\" Instant=\"{}\"/>\
             <mss:MSSP_Info Instant=\"{}\"><mss:MSSP_ID><mss:URI>{MSSP_URI}</mss:URI></mss:MSSP_ID></mss:MSSP_Info>",
            escape(&self.ap.id),
            escape(&self.ap.password),
            escape(trans_id),
            escape(&self.ap.instant_text),
            now.format(&Rfc3339).unwrap_or_default(),
        )
    }

    fn user(&self) -> String {
        let Some(number) = self.msisdn else { return String::new() };
        let number = if self.quirk == Some(Quirk::WrongNumberEcho) { "84900099999" } else { number };
        format!("<mss:MobileUser><mss:MSISDN>{number}</mss:MSISDN></mss:MobileUser>")
    }

    fn certificate_xml(&self) -> String {
        self.certificate.map_or(String::new(), |certificate| {
            format!(
                "<mss:CertificateResponse><mss:X509Certificate>{}</mss:X509Certificate></mss:CertificateResponse>",
                base64(certificate)
            )
        })
    }

    fn signature_xml(&self) -> String {
        let Some(signature) = self.signature else { return String::new() };
        let element = |value: &str| {
            format!(
                "<mss:MSS_Signature><mss:Base64Signature>{value}</mss:Base64Signature></mss:MSS_Signature>"
            )
        };
        let value = match self.quirk {
            Some(Quirk::NoSignature) => String::new(),
            Some(Quirk::BadBase64) => element("*** not base64 ***"),
            Some(Quirk::DuplicateElement) => {
                let other: Vec<u8> = signature.iter().rev().copied().collect();
                element(&base64(signature)) + &element(&base64(&other))
            }
            _ => element(&base64(signature)),
        };
        format!("{value}<mss:MSS_Format><mss:mssURI>{PKCS1}</mss:mssURI></mss:MSS_Format>")
    }

    /// The profile signed under, or the ones that a SIM has.
    fn profile_xml(&self) -> String {
        match (self.operation, self.signature) {
            (Operation::Signature, Some(_)) | (Operation::ProfileQuery, _) => {
                format!(
                    "<mss:SignatureProfile><mss:mssURI>{SIGNATURE_PROFILE}</mss:mssURI></mss:SignatureProfile>"
                )
            }
            _ => String::new(),
        }
    }
}

fn status_xml(status: u16) -> String {
    format!(
        "<mss:Status><mss:StatusCode Value=\"{status}\"/><mss:StatusMessage>{}</mss:StatusMessage></mss:Status>",
        fault::name(status)
    )
}

/// Base64 as Java services write it: one line.
fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
