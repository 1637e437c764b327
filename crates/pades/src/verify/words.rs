//! The one sentence of a report: Vietnamese, then English.

use super::report::{Report, SignatureReport, Verdict};

/// The sentence for a report whose other members are set.
pub(super) fn reason(report: &Report) -> String {
    let count = report.signatures.len();
    let troubled: Vec<&SignatureReport> =
        report.signatures.iter().filter(|one| one.sub_indication.is_some()).collect();
    let (vietnamese, english) = match (report.verdict, troubled.first()) {
        (Verdict::NoSignature, _) => {
            ("Tệp không có chữ ký số.".to_owned(), "The file bears no signature.".to_owned())
        }
        (Verdict::TotalPassed, _) if count == 1 => (
            "Chữ ký số hợp lệ, nội dung không bị thay đổi sau khi ký.".to_owned(),
            "The signature is valid and nothing was changed that it forbids.".to_owned(),
        ),
        (Verdict::TotalPassed, _) | (_, None) => (
            format!("Cả {count} chữ ký số đều hợp lệ, nội dung không bị thay đổi sau khi ký."),
            format!("All {count} signatures are valid and nothing was changed that they forbid."),
        ),
        (verdict, Some(first)) => {
            let (why, why_english) = trouble(first);
            let what = if verdict == Verdict::TotalFailed {
                "không hợp lệ"
            } else {
                "chưa xác định được"
            };
            let what_english =
                if verdict == Verdict::TotalFailed { "is not valid" } else { "could not be decided" };
            (
                format!("Chữ ký «{}» {what}: {why}.", first.field),
                format!("Signature {} {what_english}: {why_english}.", first.field),
            )
        }
    };
    format!("{vietnamese} / {english}")
}

fn trouble(one: &SignatureReport) -> (String, String) {
    if let Some(change) = one.later_changes.iter().find(|change| !change.allowed)
        && one.checks.integrity.reason.as_deref() == Some("changed_after_signing")
    {
        let (vietnamese, english) = change.what.split_once(" / ").unwrap_or((&change.what, &change.what));
        let trim = |text: &str| text.trim_end_matches('.').to_owned();
        return (trim(vietnamese), trim(english));
    }
    let checks = &one.checks;
    let failed = [&checks.integrity, &checks.signature, &checks.certificate]
        .into_iter()
        .find(|check| !check.ok)
        .and_then(|check| check.reason.clone())
        .or_else(|| checks.timestamp.reason.clone())
        .unwrap_or_default();
    let (vietnamese, english) = sentence(&failed);
    (vietnamese.to_owned(), english.to_owned())
}

fn sentence(code: &str) -> (&'static str, &'static str) {
    match code {
        "digest_mismatch" => ("nội dung đã bị sửa sau khi ký", "the content was changed after signing"),
        "signature_value_wrong" => ("giá trị chữ ký sai", "the signature value is wrong"),
        "byte_range_malformed"
        | "byte_range_start"
        | "byte_range_gap"
        | "byte_range_end"
        | "byte_ranges_cross" => {
            ("chữ ký không bao trùm trọn vẹn nội dung", "the signature does not cover the content as a whole")
        }
        "padding_not_zero" => {
            ("có dữ liệu lạ trong phần đệm của chữ ký", "there are foreign bytes in the padding")
        }
        "contents_missing"
        | "contents_shared"
        | "contents_empty"
        | "contents_not_hexadecimal"
        | "cms_malformed" => ("dữ liệu chữ ký bị hỏng", "the signature data are damaged"),
        "signing_certificate_mismatch" | "signing_certificate_attribute_missing" => (
            "chữ ký không gắn với chứng thư của người ký",
            "the signature is not bound to the signer's certificate",
        ),
        "no_certificate_chain" => (
            "chứng thư không thuộc tổ chức chứng thực được tin cậy",
            "the certificate does not lead to a trusted authority",
        ),
        "too_many_checks" => {
            ("tệp đòi kiểm tra quá nhiều", "the file asks for more checks than are made for one file")
        }
        "certificate_revoked" => ("chứng thư đã bị thu hồi", "the certificate was revoked"),
        "certificate_expired" => ("chứng thư đã hết hạn", "the certificate has expired"),
        "certificate_not_yet_valid" => ("chứng thư chưa có hiệu lực", "the certificate is not valid yet"),
        "certificate_usage" => {
            ("chứng thư không dùng để ký văn bản", "the certificate is not for signing documents")
        }
        "revocation_unknown" => ("chưa kiểm tra được trạng thái thu hồi", "revocation could not be checked"),
        "revocation_weak" => (
            "thông tin thu hồi được ký bằng thuật toán hoặc khoá quá yếu",
            "what tells revocation is signed with an algorithm or a key that is too weak",
        ),
        "weak_algorithm" => ("thuật toán hoặc khoá quá yếu", "the algorithm or the key is too weak"),
        "file_repaired" => ("cấu trúc tệp bị hỏng", "the file's structure is broken"),
        "bytes_outside_revision" => {
            ("có dữ liệu nằm ngoài phần đã ký", "there are bytes outside what was signed")
        }
        _ if code.starts_with("timestamp") => ("dấu thời gian không hợp lệ", "the time stamp is not valid"),
        _ => ("chữ ký sai quy cách", "the signature is malformed"),
    }
}
