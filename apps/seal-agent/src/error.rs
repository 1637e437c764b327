//! What can go wrong at the clerk's desk, each with a stable code and one Vietnamese sentence that says what to do.
//!
//! Codes are those of `trinhky_protos::problem` where one fits; those of the token are the agent's own.

use trinhky_mobile_core::CoreError;
use trinhky_protos::problem::Code;

use crate::token::PinState;

/// Why nothing was sealed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The configuration cannot be used.
    #[error("{file}: {why}")]
    Config { file: String, why: String },
    /// The server refused or was not reached, or a file is not the one named.
    #[error(transparent)]
    Server(#[from] CoreError),
    /// The document lacks a leader's good signature, decision or enrolment.
    #[error("{field}: {why}")]
    Leader { field: String, why: String },
    /// The base is not what the leaders decided on, or cannot be read.
    #[error("the document: {0}")]
    Document(String),
    /// The appended part does more than fill number and date and add this seal.
    #[error("the appended part: {why}")]
    Tail { changes_page: bool, why: String },
    /// A declared field lies where no number or date belongs.
    #[error("{0} lies outside its place")]
    FieldOutsidePlace(String),
    /// The organisation's certificate is not one of ours, or not good now.
    #[error("the organisation's certificate: {0}")]
    Certificate(String),
    /// The organisation's certificate, or one above it, is outside its validity.
    #[error("the organisation's certificate: {0}")]
    CertificateExpired(String),
    /// The journal says that this number went to another document, or is void.
    #[error("the journal: {0}")]
    NumberConflict(String),
    /// The journal says that this document has another number, which nothing has made void.
    #[error("the journal: {0}")]
    SecondNumber(String),
    /// A line of the journal cannot be read; nobody knows which number it kept.
    #[error("{file}, line {line}: {why}")]
    JournalDamaged { file: String, line: usize, why: String },
    /// The line that was to be repaired needs no repair.
    #[error("the journal: {0}")]
    NotDamaged(String),
    /// The journal cannot be written or read; without it nothing is sealed.
    #[error("the journal: {0}")]
    Journal(String),
    /// The module or the token is not there.
    #[error("the token: {0}")]
    TokenMissing(String),
    /// The PIN is wrong, and this is what the token says of the next try.
    #[error("wrong PIN")]
    PinWrong(PinState),
    /// No PIN was typed.
    #[error("no PIN")]
    PinMissing,
    /// The token is locked, or one more wrong PIN would lock it and nobody is there to say "go on".
    #[error("the token is locked, or the next wrong PIN locks it")]
    PinLocked,
    /// The token holds no such key, or more than one.
    #[error("the token's key: {0}")]
    KeyMissing(String),
    /// The token failed.
    #[error("the token: {0}")]
    TokenFailed(String),
    /// What the token signed does not fit the organisation's certificate.
    #[error("the token's key is not the key of the organisation's certificate: {0}")]
    KeyMismatch(String),
    /// A page cannot be shown, so nobody has seen what would be sealed.
    #[error("the page: {0}")]
    NotDrawn(String),
    /// The clerk said no.
    #[error("the clerk did not confirm")]
    NotConfirmed,
}

impl Error {
    /// The stable code.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Config { .. } => "config_invalid",
            Self::Server(error) => &error.told().code,
            Self::Leader { .. } => Code::LeaderSignatureMissing.as_str(),
            Self::Document(_) => Code::BaseChanged.as_str(),
            Self::Tail { changes_page: true, .. } => Code::TailChangesPage.as_str(),
            Self::Tail { changes_page: false, .. } => Code::TailForbidden.as_str(),
            Self::FieldOutsidePlace(_) => Code::FieldOutsidePlace.as_str(),
            Self::Certificate(_) => Code::CertificateInvalid.as_str(),
            Self::CertificateExpired(_) => Code::CertificateExpired.as_str(),
            Self::NumberConflict(_) => "number_conflict",
            Self::SecondNumber(_) => "second_number",
            Self::JournalDamaged { .. } => "journal_damaged",
            Self::NotDamaged(_) => "line_not_damaged",
            Self::Journal(_) => "journal_failed",
            Self::TokenMissing(_) => "token_missing",
            Self::PinWrong(_) => "pin_wrong",
            Self::PinMissing => "pin_missing",
            Self::PinLocked => "pin_locked",
            Self::KeyMissing(_) => "key_missing",
            Self::TokenFailed(_) => "token_failed",
            Self::KeyMismatch(_) => "key_mismatch",
            Self::NotDrawn(_) => "not_drawn",
            Self::NotConfirmed => "not_confirmed",
        }
    }

    /// What the clerk reads.
    pub(crate) fn vietnamese(&self) -> &str {
        match self {
            Self::Config { .. } => {
                "Tệp cấu hình của chương trình đóng dấu không dùng được. Hãy sửa dòng được nêu."
            }
            Self::Server(error) => &error.told().message,
            Self::Leader { .. } => Code::LeaderSignatureMissing.vietnamese(),
            Self::Document(_) => "Tệp nhận về không phải văn bản lãnh đạo đã quyết định. Không đóng dấu.",
            Self::Tail { changes_page: true, .. } => {
                "Phần bổ sung làm thay đổi trang văn bản. Không đóng dấu."
            }
            Self::Tail { changes_page: false, .. } => {
                "Phần bổ sung chứa nội dung ngoài số, ngày và dấu. Không đóng dấu."
            }
            Self::FieldOutsidePlace(_) => "Ô điền số hoặc ngày nằm ngoài vị trí quy định. Không đóng dấu.",
            Self::Certificate(_) => Code::CertificateInvalid.vietnamese(),
            Self::CertificateExpired(_) => {
                "Chứng thư số của cơ quan đã hết hạn hoặc chưa có hiệu lực. Hãy kiểm tra đồng hồ máy tính, rồi đề nghị đơn vị cấp gia hạn."
            }
            Self::NumberConflict(_) => {
                "Nhật ký đóng dấu cho thấy số này đã dùng cho văn bản khác hoặc đã bị hủy. Không đóng dấu; hãy báo quản trị đối soát."
            }
            Self::SecondNumber(_) => {
                "Nhật ký đóng dấu cho thấy văn bản này đã có số khác và số đó chưa bị hủy. Không đóng dấu; hãy báo quản trị đối soát."
            }
            Self::JournalDamaged { .. } => {
                "Nhật ký đóng dấu có dòng bị hỏng nên không biết số nào đã dùng. Không đóng dấu; hãy chạy lệnh doctor để biết dòng nào, rồi sửa bằng lệnh journal-repair theo sổ đăng ký."
            }
            Self::NotDamaged(_) => {
                "Dòng nhật ký này không hỏng nên không sửa. Hãy chạy lệnh doctor để biết dòng hỏng."
            }
            Self::Journal(_) => {
                "Không đọc hoặc ghi được nhật ký đóng dấu nên chưa đóng dấu. Hãy kiểm tra ổ đĩa."
            }
            Self::TokenMissing(_) => {
                "Không thấy thiết bị lưu khóa của cơ quan. Hãy cắm thiết bị rồi thử lại."
            }
            Self::PinWrong(PinState::FinalTry) => {
                "Sai mã PIN. Chỉ còn MỘT lần nhập: sai nữa thiết bị sẽ bị khóa. Nếu không chắc, hãy hỏi người giữ mã PIN."
            }
            Self::PinWrong(_) => "Sai mã PIN. Hãy nhập lại cẩn thận: sai nhiều lần thiết bị sẽ bị khóa.",
            Self::PinMissing => "Chưa nhập mã PIN của thiết bị.",
            Self::PinLocked => {
                "Thiết bị lưu khóa đã hoặc sắp bị khóa do sai mã PIN. Hãy liên hệ đơn vị cấp để mở khóa."
            }
            Self::KeyMissing(_) => "Không tìm thấy khóa ký của cơ quan trên thiết bị. Hãy kiểm tra cấu hình.",
            Self::TokenFailed(_) => "Thiết bị lưu khóa gặp lỗi. Hãy rút ra, cắm lại rồi thử lại.",
            Self::KeyMismatch(_) => "Khóa trên thiết bị không khớp chứng thư của cơ quan. Không đóng dấu.",
            Self::NotDrawn(_) => {
                "Không vẽ được trang văn bản trên máy này. Hãy mở tệp bằng phần mềm đọc PDF để xem trước khi đóng dấu."
            }
            Self::NotConfirmed => "Bạn chưa xác nhận nên văn bản chưa được đóng dấu.",
        }
    }
}
