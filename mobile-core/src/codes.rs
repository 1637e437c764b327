//! Codes for what only a device can meet, beside those of [`trinhky_protos::problem`]: the same rules hold.

/// Code and Vietnamese sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LocalCode {
    pub(crate) code: &'static str,
    pub(crate) vietnamese: &'static str,
}

pub(crate) const OFFLINE: LocalCode = LocalCode {
    code: "offline",
    vietnamese: "Không kết nối được máy chủ. Hãy kiểm tra mạng rồi thử lại.",
};
pub(crate) const ANSWER_UNREADABLE: LocalCode = LocalCode {
    code: "answer_unreadable",
    vietnamese: "Máy chủ trả lời không đúng định dạng. Hãy cập nhật ứng dụng hoặc báo quản trị.",
};
pub(crate) const DEVICE_KEY_NOT_ALLOWED: LocalCode = LocalCode {
    code: "device_key_not_allowed",
    vietnamese: "Bạn chưa cho phép dùng khóa của thiết bị nên chưa có gì được ký.",
};
pub(crate) const DEVICE_KEY_FAILED: LocalCode = LocalCode {
    code: "device_key_failed",
    vietnamese: "Kho khóa của thiết bị không dùng được. Hãy đăng ký lại thiết bị.",
};
pub(crate) const STORAGE_FAILED: LocalCode = LocalCode {
    code: "storage_failed",
    vietnamese: "Không ghi được vào bộ nhớ của ứng dụng. Hãy giải phóng dung lượng rồi thử lại.",
};
pub(crate) const NO_RANDOMNESS: LocalCode = LocalCode {
    code: "no_randomness",
    vietnamese: "Thiết bị không tạo được số ngẫu nhiên. Hãy khởi động lại thiết bị.",
};
pub(crate) const DISPLAY_TEXT_MISMATCH: LocalCode = LocalCode {
    code: "display_text_mismatch",
    vietnamese: "Dòng chữ SIM sẽ hiện không nói về văn bản này. Không ký.",
};
pub(crate) const CODE_KIND_CHANGED: LocalCode = LocalCode {
    code: "code_kind_changed",
    vietnamese: "Máy chủ đổi cách tính mã xác nhận so với lúc đăng ký thiết bị. Không ký; hãy hỏi quản trị, nếu cơ quan đổi thật thì đăng ký lại thiết bị.",
};
pub(crate) const MANIFEST_MISMATCH: LocalCode = LocalCode {
    code: "manifest_mismatch",
    vietnamese: "Bản kê các ô sẽ điền không khớp với văn bản đã xem. Không ký.",
};
pub(crate) const HISTORY_BROKEN: LocalCode = LocalCode {
    code: "history_broken",
    vietnamese: "Máy chủ nhớ khác với thiết bị về lần quyết định trước. Không ký; hãy báo quản trị.",
};
pub(crate) const VALIDITY_TOO_LONG: LocalCode = LocalCode {
    code: "validity_too_long",
    vietnamese: "Máy chủ cho quyết định này hiệu lực quá lâu, hoặc đồng hồ của thiết bị sai. Không ký; hãy chỉnh giờ của thiết bị hoặc báo quản trị.",
};
pub(crate) const STATEMENT_MISMATCH: LocalCode = LocalCode {
    code: "statement_mismatch",
    vietnamese: "Bản khai đăng ký không nói về bạn và thiết bị này. Không xác nhận.",
};
