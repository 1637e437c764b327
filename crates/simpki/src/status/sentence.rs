//! What the leader is told: one stable key per sentence, with its Vietnamese and English text.
//!
//! Apps may have their own wording under the same key; these texts are what stands where none is.

use serde::{Deserialize, Serialize};

/// A sentence for the leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sentence {
    /// Waiting for the SIM.
    Pending,
    /// The SIM signed.
    Signed,
    /// Certificates were found.
    Registered,
    /// The request as such was refused.
    BadRequest,
    /// The prompt's text was too long.
    DisplayTooLong,
    /// The organisation may not ask.
    NotAuthorised,
    /// The leader or the provider suspended the service.
    ServiceSuspended,
    /// No signing SIM behind this number.
    NotEnrolled,
    /// No suitable certificate on the SIM.
    NoProfile,
    /// Time ran out.
    Expired,
    /// The SIM was not reached.
    Unreachable,
    /// The leader declined.
    Declined,
    /// PIN blocked.
    PinBlocked,
    /// SIM blocked.
    SimBlocked,
    /// No key on the SIM.
    NoKey,
    /// Another prompt is live.
    Busy,
    /// No certificate, or an expired one.
    CertificateMissing,
    /// Certificate not good.
    CertificateInvalid,
    /// Certificate revoked.
    CertificateRevoked,
    /// Signature not good.
    SignatureInvalid,
    /// The provider is in trouble.
    ServiceDown,
    /// The provider said something unknown.
    ProviderError,
    /// Nobody knows whether the prompt is live.
    Indeterminate,
    /// We stopped waiting.
    Lapsed,
    /// The approval was not sent in time; no prompt was raised.
    NotSent,
    /// The answer did not belong to the question.
    EchoMismatch,
    /// Success without a signature.
    SignatureMissing,
}

impl Sentence {
    /// The stable key, `simpki.…`.
    pub const fn key(self) -> &'static str {
        self.texts().0
    }

    /// The sentence in Vietnamese.
    pub const fn vi(self) -> &'static str {
        self.texts().1
    }

    /// The sentence in English.
    pub const fn en(self) -> &'static str {
        self.texts().2
    }

    #[rustfmt::skip]
    const fn texts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Pending => ("simpki.pending", "Đang chờ xác nhận trên SIM", "Waiting for confirmation on the SIM"),
            Self::Signed => ("simpki.signed", "Đã ký", "Signed"),
            Self::Registered => ("simpki.registered", "Đã đọc được chứng thư số trên SIM", "The SIM's certificates were read"),
            Self::BadRequest => ("simpki.bad_request", "Hệ thống gửi yêu cầu không hợp lệ, đã báo quản trị", "The system sent an invalid request; the administrator was told"),
            Self::DisplayTooLong => ("simpki.display_too_long", "Nội dung hiển thị trên SIM quá dài, hãy ký lại với nội dung rút gọn", "The text for the SIM was too long; decide again with a shorter one"),
            Self::NotAuthorised => ("simpki.not_authorised", "Hệ thống chưa được cấp quyền ký, đã báo quản trị", "The system is not authorised to ask for signatures; the administrator was told"),
            Self::ServiceSuspended => ("simpki.service_suspended", "Dịch vụ ký của số điện thoại này đang bị tạm khoá", "The signing service of this number is suspended"),
            Self::NotEnrolled => ("simpki.not_enrolled", "Số điện thoại chưa đăng ký SIM ký số (hoặc SIM đã đổi)", "This number has no signing SIM (or the SIM was replaced)"),
            Self::NoProfile => ("simpki.no_profile", "SIM không có chứng thư phù hợp", "The SIM has no suitable certificate"),
            Self::Expired => ("simpki.expired", "Hết thời gian xác nhận, hãy ký lại", "The time to confirm has passed; sign again"),
            Self::Unreachable => ("simpki.unreachable", "Không liên lạc được SIM: kiểm tra sóng, tắt chế độ máy bay", "The SIM could not be reached: check reception and flight mode"),
            Self::Declined => ("simpki.declined", "Bạn đã từ chối trên SIM", "You declined on the SIM"),
            Self::PinBlocked => ("simpki.pin_blocked", "PIN ký đã khoá, liên hệ nơi cấp SIM", "The signing PIN is blocked; contact the issuer of the SIM"),
            Self::SimBlocked => ("simpki.sim_blocked", "SIM ký bị khoá", "The signing SIM is blocked"),
            Self::NoKey => ("simpki.no_key", "SIM chưa kích hoạt khoá ký", "The SIM's signing key is not activated"),
            Self::Busy => ("simpki.busy", "Đang có một yêu cầu ký khác trên SIM", "Another request is open on the SIM"),
            Self::CertificateMissing => ("simpki.certificate_missing", "Chưa có hoặc đã hết hạn chứng thư số", "There is no valid certificate"),
            Self::CertificateInvalid => ("simpki.certificate_invalid", "Chứng thư số không hợp lệ", "The certificate is not valid"),
            Self::CertificateRevoked => ("simpki.certificate_revoked", "Chứng thư số đã bị thu hồi", "The certificate has been revoked"),
            Self::SignatureInvalid => ("simpki.signature_invalid", "Chữ ký hoặc chứng thư không hợp lệ", "The signature or its certificate is not valid"),
            Self::ServiceDown => ("simpki.service_down", "Dịch vụ ký tạm gián đoạn, hãy thử lại sau", "The signing service is interrupted; try again later"),
            Self::ProviderError => ("simpki.provider_error", "Lỗi nhà cung cấp dịch vụ ký, đã báo quản trị", "The signing service reported an error; the administrator was told"),
            Self::Indeterminate => ("simpki.indeterminate", "Chưa rõ kết quả; không nhập PIN trên SIM nếu chưa thấy mã khớp", "The result is not known yet; do not enter the PIN unless the codes agree"),
            Self::Lapsed => ("simpki.lapsed", "Không nhận được kết quả; nếu SIM còn hiện yêu cầu, hãy từ chối rồi ký lại", "No result came; if the SIM still shows a request, decline it, then sign again"),
            Self::NotSent => ("simpki.not_sent", "Yêu cầu ký chưa được gửi đi và đã hết hạn, hãy ký lại", "The request was not sent in time; decide again"),
            Self::EchoMismatch => ("simpki.echo_mismatch", "Phản hồi không khớp với yêu cầu ký, đã báo quản trị", "The answer does not belong to the request; the administrator was told"),
            Self::SignatureMissing => ("simpki.signature_missing", "Phản hồi không có chữ ký, đã báo quản trị", "The answer holds no signature; the administrator was told"),
        }
    }
}
