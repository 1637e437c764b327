//! Answers as services send them, and as nobody should.

use proptest::prelude::*;

use super::{MAX_BODY, reply};
use crate::reply::{Code, Operation, Reply, Unreadable, WhyUnreadable};

const FINAL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Header/><soap:Body>
 <w:MSS_StatusQueryResponse xmlns:w="http://ae.mobile-id.vn/TS102204/etsi204">
  <MSS_StatusResp xmlns="" xmlns:mss="http://uri.etsi.org/TS102204/v1.1.2#" MajorVersion="1" MinorVersion="1">
   <mss:AP_Info AP_ID="http://ap.mobile-id.vn/NAME" AP_PWD="geheim" AP_TransID="T01JAB3K4M5N6P7Q8" Instant="2025-03-05T08:00:00.000Z"/>
   <mss:MSSP_Info Instant="2025-03-05T08:00:09.000Z"><mss:MSSP_ID><mss:URI>http://hmssp.mobile-id.vn</mss:URI></mss:MSSP_ID></mss:MSSP_Info>
   <mss:MobileUser><mss:MSISDN>84900000000</mss:MSISDN></mss:MobileUser>
   <mss:MSS_Signature><mss:Base64Signature>AQID
     BAUG</mss:Base64Signature></mss:MSS_Signature>
   <mss:MSS_Format><mss:mssURI>http://uri.etsi.org/TS102204/v1.1.2#PKCS1</mss:mssURI></mss:MSS_Format>
   <mss:Status><mss:StatusCode Value="502"/><mss:StatusMessage>VALID_SIGNATURE</mss:StatusMessage></mss:Status>
  </MSS_StatusResp>
 </w:MSS_StatusQueryResponse>
</soap:Body></soap:Envelope>"#;

const FAULT: &str = r#"<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"><env:Body><env:Fault>
 <env:Code><env:Value>env:Receiver</env:Value><env:Subcode><env:Value xmlns:mss="http://uri.etsi.org/TS102204/v1.1.2#">CODE</env:Value>NESTED</env:Subcode></env:Code>
 <env:Reason><env:Text xml:lang="en">EXPIRED</env:Text><env:Text xml:lang="vi">Hết hạn</env:Text></env:Reason>
 <env:Detail>for 84900000000</env:Detail>
</env:Fault></env:Body></env:Envelope>"#;

fn response(body: &str) -> crate::reply::Response {
    match reply(200, body.as_bytes()) {
        Reply::Response(response) => response,
        other => panic!("{other:?}"),
    }
}

fn fault(code: &str, nested: &str) -> Option<Code> {
    let nested = if nested.is_empty() {
        String::new()
    } else {
        format!("<env:Subcode><env:Value>{nested}</env:Value></env:Subcode>")
    };
    match reply(500, FAULT.replace("CODE", code).replace("NESTED", &nested).as_bytes()) {
        Reply::Fault(fault) => {
            assert_eq!(fault.text.as_deref(), Some("EXPIRED for …000"));
            fault.code
        }
        other => panic!("{other:?}"),
    }
}

fn refused(body: &str) -> WhyUnreadable {
    match reply(500, body.as_bytes()) {
        Reply::Unreadable(Unreadable { http_status: 500, why }) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_final_answer_is_read_with_its_echoes_and_bytes() {
    let response = response(FINAL);
    assert_eq!(response.operation, Operation::StatusQuery);
    assert_eq!(response.ap_trans_id.as_deref(), Some("T01JAB3K4M5N6P7Q8"));
    assert_eq!(response.msisdn.as_deref(), Some("84900000000"));
    assert_eq!(response.status, Some(Code::plain(502)));
    assert_eq!(response.message.as_deref(), Some("VALID_SIGNATURE"));
    assert_eq!(response.signature.unwrap().as_bytes(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(response.mssp_trans_id, None);
}

#[test]
fn an_acknowledgement_gives_the_handle_and_needs_no_wrapper_or_prefix() {
    let ack = r#"<Envelope xmlns="http://www.w3.org/2003/05/soap-envelope"><Body>
      <x:MSS_SignatureResp xmlns:x="urn:any" MSSP_TransID="h4dhx"><x:AP_Info AP_TransID="T1"/><x:Status><x:StatusCode Value="100"/></x:Status></x:MSS_SignatureResp>
    </Body></Envelope>"#;
    let response = response(ack);
    assert_eq!(response.operation, Operation::Signature);
    assert_eq!(response.mssp_trans_id.unwrap().as_str(), "h4dhx");
    assert_eq!((response.status, response.signature), (Some(Code::plain(100)), None));
}

#[test]
fn certificates_come_out_of_a_registration_answer() {
    let body = r#"<Envelope><Body><MSS_RegistrationResponse><MSS_RegistrationResp>
      <Status><StatusCode Value="408"/></Status>
      <CertificateResponse><CertificateURI>urn:a</CertificateURI><X509Certificate>MAA=</X509Certificate></CertificateResponse>
      <CertificateResponse><X509Certificate>MA
A=</X509Certificate></CertificateResponse><CertificateResponse/>
    </MSS_RegistrationResp></MSS_RegistrationResponse></Body></Envelope>"#;
    let response = response(body);
    let found: Vec<_> = response.certificates.iter().map(|c| (c.uri.as_deref(), c.der.as_slice())).collect();
    assert_eq!(found, [(Some("urn:a"), [0x30, 0].as_slice()), (None, &[0x30, 0])]);
}

#[test]
fn faults_are_read_in_every_spelling() {
    assert_eq!(fault("_101", ""), Some(Code::plain(101)));
    assert_eq!(fault("mss:_208", ""), Some(Code::plain(208)));
    assert_eq!(fault("mss:_209", "fi:_2092"), Some(Code { value: 209, specifier: Some(2092) }));
    assert_eq!(fault("mss:_101", "fi:1014"), Some(Code { value: 101, specifier: Some(1014) }));
    assert_eq!(fault("fi:1014", ""), Some(Code { value: 101, specifier: Some(1014) }));
    assert_eq!(fault("env:Whatever", ""), None);
}

#[test]
fn old_and_json_faults_are_read_too() {
    let old = r#"<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultcode>mss:_402</faultcode><faultstring>PIN</faultstring></e:Fault></e:Body></e:Envelope>"#;
    let json = r#"{"Fault":{"Code":{"Value":"soapenv:Sender","ValueNs":"x","SubCode":{"Value":"_101","ValueNs":"y"}},"Detail":"d","Reason":"WRONG_PARAM"}}"#;
    for (body, code, text) in [(old, 402, "PIN"), (json, 101, "WRONG_PARAM d")] {
        let Reply::Fault(fault) = reply(500, body.as_bytes()) else { panic!("{body}") };
        assert_eq!((fault.code, fault.text.as_deref()), (Some(Code::plain(code)), Some(text)));
    }
}

#[test]
fn bodies_that_are_no_message_are_named_for_what_they_are() {
    assert_eq!(refused(""), WhyUnreadable::Empty);
    assert_eq!(refused(" \r\n "), WhyUnreadable::Empty);
    assert_eq!(refused("<!DOCTYPE html><html><body>502 Bad Gateway"), WhyUnreadable::Html);
    assert_eq!(refused("<HTML><p>no"), WhyUnreadable::Html);
    assert_eq!(refused("<Envelope><Body>"), WhyUnreadable::Malformed);
    assert_eq!(refused(&FINAL[..FINAL.len() / 2]), WhyUnreadable::Malformed);
    assert_eq!(refused("upstream timed out"), WhyUnreadable::Malformed);
    assert_eq!(refused("<Envelope><Body/></Envelope>"), WhyUnreadable::NotAMessage);
    assert_eq!(refused("<Envelope><Body><Ping/></Body></Envelope>"), WhyUnreadable::NotAMessage);
    assert_eq!(refused(r#"{"error":"x"}"#), WhyUnreadable::NotAMessage);
    assert_eq!(refused(&"[".repeat(10_000)), WhyUnreadable::Malformed);
    assert_eq!(refused(&" ".repeat(MAX_BODY + 1)), WhyUnreadable::TooLarge);
    assert!(matches!(
        reply(500, &[0xff, 0xfe]),
        Reply::Unreadable(Unreadable { why: WhyUnreadable::NotUtf8, .. })
    ));
}

#[test]
fn document_types_and_entities_are_refused() {
    let bomb = r#"<!DOCTYPE a [<!ENTITY b "c">]><Envelope><Body>&b;</Body></Envelope>"#;
    assert_eq!(refused(bomb), WhyUnreadable::Entities);
    assert_eq!(refused("<Envelope><Body>&b;</Body></Envelope>"), WhyUnreadable::Entities);
    assert_eq!(refused(r#"<Envelope a="&b;"/>"#), WhyUnreadable::Entities);
}

#[test]
fn a_second_element_where_one_may_stand_is_refused() {
    let status = r#"<mss:Status><mss:StatusCode Value="100"/></mss:Status>"#;
    for twice in ["<mss:MobileUser>", "<mss:Status>", "<mss:MSS_Signature>"] {
        let doubled = FINAL.replacen(twice, &format!("{}{twice}", twice.replace('>', "/>")), 1);
        assert_eq!(refused(&doubled), WhyUnreadable::Duplicate, "{twice}");
    }
    assert_eq!(
        refused(&FINAL.replacen("<mss:Status>", &format!("{status}<mss:Status>"), 1)),
        WhyUnreadable::Duplicate
    );
    let attribute = FINAL.replacen("MajorVersion=\"1\"", "MSSP_TransID=\"a\" mss:MSSP_TransID=\"b\"", 1);
    assert_eq!(refused(&attribute), WhyUnreadable::Duplicate);
}

#[test]
fn depth_and_count_are_limited() {
    let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
    assert_eq!(refused(&deep), WhyUnreadable::TooComplex);
    let many = format!("<a>{}</a>", "<b/>".repeat(2_100));
    assert_eq!(refused(&many), WhyUnreadable::TooComplex);
}

#[test]
fn base64_is_strict_but_for_white_space() {
    for wrong in ["AQID*", "AQI", "AQJ=", "QQ=="] {
        let body = FINAL.replace("AQID\n     BAUG", wrong);
        if wrong == "QQ==" {
            assert_eq!(response(&body).signature.unwrap().as_bytes(), b"A");
        } else {
            assert_eq!(refused(&body), WhyUnreadable::Base64, "{wrong}");
        }
    }
    assert_eq!(response(&FINAL.replace("AQID\n     BAUG", " \r\n ")).signature, None);
}

#[test]
fn debug_of_a_response_hides_password_and_number() {
    let shown = format!("{:?}", reply(200, FINAL.as_bytes()));
    assert!(!shown.contains("geheim") && !shown.contains("84900000000"), "{shown}");
}

proptest! {
    #[test]
    fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..400), http in 100u16..600) {
        let _ = reply(http, &bytes);
    }

    #[test]
    fn mutated_messages_give_an_answer(
        from_fault: bool,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..12),
    ) {
        let mut bytes = if from_fault { FAULT.as_bytes().to_vec() } else { FINAL.as_bytes().to_vec() };
        for (at, byte, kind) in edits {
            let at = at.index(bytes.len().max(1));
            match kind {
                0 if at < bytes.len() => bytes[at] = byte,
                1 => bytes.insert(at.min(bytes.len()), byte),
                2 => bytes.truncate(at.max(1)),
                _ => {
                    let piece = bytes[at.min(bytes.len())..].iter().copied().take(40).collect::<Vec<_>>();
                    bytes.splice(at.min(bytes.len())..at.min(bytes.len()), piece);
                }
            }
        }
        let _ = reply(500, &bytes);
    }
}
