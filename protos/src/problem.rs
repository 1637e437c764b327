//! RFC 9457 problem details and the one list of stable codes, each with its HTTP status and its sentences.
//!
//! A code never changes its meaning; sentences may be bettered. Vietnamese comes first: it is what people read.

use serde::{Deserialize, Serialize};

/// An error answer, `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `urn:trinhky:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The stable code, see [`Code`].
    pub code: String,
    /// The HTTP status.
    pub status: u16,
    /// One English sentence.
    pub title: String,
    /// One Vietnamese sentence that says what the reader can do.
    pub detail: String,
    /// What exactly, for this occurrence: a member, a digest, a limit. Never a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
}

impl Problem {
    /// The problem for `code`, with nothing particular to add.
    pub fn new(code: Code) -> Self {
        Self {
            kind: format!("urn:trinhky:problem:{}", code.as_str()),
            code: code.as_str().to_owned(),
            status: code.status(),
            title: code.english().to_owned(),
            detail: code.vietnamese().to_owned(),
            what: None,
        }
    }

    /// The same, with what exactly is wrong here.
    #[must_use]
    pub fn with(mut self, what: impl Into<String>) -> Self {
        self.what = Some(what.into());
        self
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal, $vietnamese:literal, $english:literal;)+) => {
        /// Every stable error code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $english] $(#[$doc])* $name,)+
        }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// As it travels.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status),+ }
            }

            /// What a person reads.
            pub const fn vietnamese(self) -> &'static str {
                match self { $(Self::$name => $vietnamese),+ }
            }

            /// The same in English.
            pub const fn english(self) -> &'static str {
                match self { $(Self::$name => $english),+ }
            }

            /// The code written `text`, if there is one.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == text)
            }
        }
    };
}

codes! {
    // The file.
    NotAPdf = "not_a_pdf", 422, "Tệp này không phải PDF. Hãy xuất văn bản ra PDF rồi tải lên lại.", "The file is not a PDF.";
    Truncated = "truncated", 422, "Tệp PDF bị cụt, thiếu phần cuối. Hãy tải lên lại từ bản gốc.", "The PDF ends too early.";
    Encrypted = "encrypted", 422, "Tệp PDF được đặt mật khẩu hoặc mã hóa. Hãy bỏ mã hóa rồi tải lên lại.", "The PDF is encrypted.";
    EmptyFile = "empty_file", 422, "Tệp rỗng (0 byte). Hãy chọn lại tệp.", "The file is empty.";
    TooLarge = "too_large", 413, "Tệp lớn hơn mức cho phép. Hãy giảm dung lượng ảnh quét rồi tải lên lại.", "The file is over the limit.";
    BrokenPdf = "broken_pdf", 422, "Tệp PDF hỏng đến mức không thể ký an toàn. Hãy xuất lại tệp từ bản gốc.", "The PDF is too broken to be signed safely.";
    UnsupportedPdf = "unsupported_pdf", 422, "Tệp PDF có nội dung động (XFA) không thể ký. Hãy xuất lại tệp ở dạng PDF thường.", "The PDF uses a construct that must not be signed.";
    InvalidSignaturePresent = "invalid_signature_present", 422, "Tệp đã có một chữ ký số không hợp lệ. Hãy dùng bản gốc chưa ký hoặc bản có chữ ký hợp lệ.", "The file already carries an invalid signature.";
    Infected = "infected", 422, "Trình quét phát hiện mã độc trong tệp. Tệp không được lưu.", "The virus scanner found malware.";
    ScannerUnavailable = "scanner_unavailable", 503, "Trình quét mã độc chưa sẵn sàng nên chưa nhận tệp. Hãy thử lại sau ít phút.", "The virus scanner does not answer.";

    // The request.
    Malformed = "malformed", 400, "Yêu cầu không đúng định dạng.", "The request cannot be read.";
    Classified = "classified", 422, "Văn bản mật, tối mật, tuyệt mật không được trình ký qua hệ thống này.", "Classified documents are not taken.";
    MissingMetadata = "missing_metadata", 422, "Thiếu thông tin bắt buộc của văn bản.", "Required metadata is missing.";
    UnknownSigner = "unknown_signer", 422, "Người ký không có trong hệ thống hoặc không có thẩm quyền ký.", "The signer is not known here or may not sign.";
    UnknownPerson = "unknown_person", 422, "Người được nêu không có trong hệ thống hoặc không có vai trò cần thiết.", "A person named is not known here or lacks the role.";
    UnknownFile = "unknown_file", 422, "Tệp được nêu chưa được tải lên.", "A file named was not uploaded.";
    BadPlace = "bad_place", 422, "Vị trí chữ ký nằm ngoài trang hoặc không hợp lệ.", "A field's place is not on the page.";
    PrintedDiffers = "printed_differs", 422, "Số, ký hiệu hoặc tháng, năm in sẵn trên trang 1 không khớp với sổ đăng ký. Hãy sửa văn bản, để trống phần văn thư điền, rồi trình lại.", "What page 1 has printed of number or date is not what the register says.";
    NotFound = "not_found", 404, "Không tìm thấy, hoặc bạn không có quyền xem.", "Not found, or not yours to see.";
    IdempotencyMismatch = "idempotency_mismatch", 422, "Khóa lặp lại này đã dùng cho một yêu cầu khác.", "The idempotency key was used with another request.";
    InFlight = "in_flight", 409, "Yêu cầu này đang được xử lý.", "The same request is being handled.";
    RateLimited = "rate_limited", 429, "Quá nhiều lần thử. Hãy đợi rồi thử lại.", "Too many tries.";

    // Who.
    Unauthenticated = "unauthenticated", 401, "Hãy đăng nhập lại.", "Sign in first.";
    BadCredentials = "bad_credentials", 401, "Tên đăng nhập, mật khẩu hoặc mã xác thực không đúng.", "Wrong name, password or code.";
    NotYours = "not_yours", 403, "Việc này thuộc người khác.", "This is another person's to do.";
    NotTheClerk = "not_the_clerk", 403, "Chỉ văn thư được giao văn bản này mới được cấp số, đóng dấu và phát hành.", "Only the assigned clerk may do this.";

    // The decision.
    WrongState = "wrong_state", 409, "Văn bản đã sang bước khác. Hãy tải lại.", "The document is in another state.";
    HeadMoved = "head_moved", 409, "Nội dung văn bản đã thay đổi sau khi bạn mở. Hãy xem lại trước khi ký.", "The document's bytes are no longer those shown.";
    Stale = "stale", 409, "Có người vừa thay đổi văn bản này. Hãy tải lại rồi thử lại.", "The version given is no longer the newest.";
    AlreadyDeciding = "already_deciding", 409, "Văn bản này đang có một yêu cầu ký.", "A decision on this revision is under way.";
    DecisionInvalid = "decision_invalid", 422, "Quyết định ký không khớp với nội dung hệ thống chuẩn bị, nên không được nhận.", "The decision does not match what was prepared.";
    DecisionReplayed = "decision_replayed", 409, "Quyết định này đã được dùng.", "The decision was used before.";
    DecisionExpired = "decision_expired", 409, "Quyết định đã quá hạn. Hãy mở lại văn bản và quyết định lại.", "The decision or its challenge has expired.";
    DecisionUnmatched = "decision_unmatched", 403, "Không có quyết định hợp lệ, chưa dùng, cho yêu cầu ký này.", "No valid unused decision matches the request.";
    DeviceUnknown = "device_unknown", 403, "Thiết bị chưa được đăng ký hoặc đã bị khóa. Hãy đăng ký thiết bị trước khi ký.", "The device is not enrolled or is frozen.";
    AttemptEnded = "attempt_ended", 409, "Lần ký này đã kết thúc.", "The attempt has ended.";
    OutsideDecision = "outside_decision", 409, "Tệp đính kèm hoặc nơi nhận không nằm trong quyết định của lãnh đạo.", "An attachment or recipient is not in the leader's decision.";

    // The certificate and the signature.
    CertificateInvalid = "certificate_invalid", 422, "Chứng thư số không hợp lệ hoặc không do cơ quan tin cậy cấp.", "The certificate is not valid or not trusted.";
    CertificateExpired = "certificate_expired", 422, "Chứng thư số đã hết hạn hoặc chưa có hiệu lực.", "The certificate is outside its validity.";
    CertificateRevoked = "certificate_revoked", 422, "Chứng thư số đã bị thu hồi.", "The certificate is revoked.";
    CertificateMismatch = "certificate_mismatch", 422, "Chữ ký không do chứng thư của người ký được giao tạo ra.", "The signature is by another person's certificate.";
    RevocationUnavailable = "revocation_unavailable", 503, "Chưa kiểm tra được tình trạng thu hồi chứng thư nên chưa gửi yêu cầu tới SIM. Hãy thử lại sau.", "Revocation cannot be checked now; the SIM was not asked.";
    SignatureInvalid = "signature_invalid", 422, "Chữ ký không khớp với văn bản.", "The signature does not fit the bytes.";
    CmsMismatch = "cms_mismatch", 422, "Gói chữ ký từ thiết bị khác với gói hệ thống tính được.", "The device's CMS differs from what it must be.";

    // The tail, as the core and the seal agent see it.
    BaseChanged = "base_changed", 422, "Nội dung nhận về không phải nội dung bạn đã xem. Không ký.", "The bytes are not those that were shown.";
    TailChangesPage = "tail_changes_page", 422, "Phần bổ sung làm thay đổi trang văn bản. Không ký.", "The appended part changes a page.";
    TailForbidden = "tail_forbidden", 422, "Phần bổ sung chứa nội dung ngoài chữ ký. Không ký.", "The appended part does more than add this signature.";
    FieldOutsidePlace = "field_outside_place", 422, "Ô điền số hoặc ngày nằm ngoài vị trí quy định. Không ký.", "A declared field lies outside ô 3 or ô 4.";

    // The clerk.
    LeaderSignatureMissing = "leader_signature_missing", 409, "Văn bản chưa có đủ chữ ký của người có thẩm quyền nên chưa thể đóng dấu.", "A leader's signature is missing; the seal must wait.";
    SignatureBroken = "signature_broken", 409, "Một chữ ký trên văn bản không còn hợp lệ nên không thể phát hành.", "A signature on the document is missing or broken.";
    RegisterClosed = "register_closed", 409, "Sổ đăng ký đang đóng để đối soát sau khôi phục.", "The register is shut until it has been reconciled.";

    // Us.
    Unavailable = "unavailable", 503, "Hệ thống đang bận hoặc tạm gián đoạn. Hãy thử lại sau ít phút.", "Busy or interrupted for a moment.";
    Internal = "internal", 500, "Có lỗi trong hệ thống. Lỗi đã được ghi lại; hãy thử lại hoặc báo quản trị.", "An error of ours; it was logged.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_snake_case_and_have_an_error_status() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            let text = code.as_str();
            assert!(seen.insert(text), "{text} twice");
            assert!(text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{text}");
            assert!((400..600).contains(&code.status()), "{text}");
            assert!(code.vietnamese().ends_with('.') && code.english().ends_with('.'), "{text}");
            assert_eq!(Code::parse(text), Some(*code));
        }
        assert_eq!(Code::parse("no_such_code"), None);
    }

    #[test]
    fn a_problem_reads_as_rfc_9457_says() {
        let json = serde_json::to_value(Problem::new(Code::TooLarge).with("100 MB")).expect("serialises");
        assert_eq!(json["type"], "urn:trinhky:problem:too_large");
        assert_eq!(json["status"], 413);
        assert_eq!(json["what"], "100 MB");
    }
}
