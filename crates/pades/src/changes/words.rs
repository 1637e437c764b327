//! The sentences for changes: Vietnamese first, then English.

use super::{ChangeKind, Fact};

impl Fact {
    /// The class of the public report.
    pub fn kind(&self) -> ChangeKind {
        match self {
            Self::Signed { .. } | Self::NewSignatureField { .. } => ChangeKind::Signature,
            Self::Stamped { .. } | Self::SecurityStore | Self::SecurityStoreLost { .. } => {
                ChangeKind::LtaUpdate
            }
            Self::Filled { .. } => ChangeKind::FormFill,
            Self::Information | Self::Version | Self::Unreferenced { .. } => ChangeKind::Other,
            Self::Forbidden { kind, .. } => *kind,
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Signed { .. } => "signed",
            Self::Stamped { .. } => "document_timestamp",
            Self::NewSignatureField { .. } => "signature_field_added",
            Self::Filled { .. } => "field_filled",
            Self::SecurityStore => "security_store",
            Self::SecurityStoreLost { .. } => "security_store_lost",
            Self::Information => "document_information",
            Self::Version => "version",
            Self::Unreferenced { .. } => "unreferenced_objects",
            Self::Forbidden { code, .. } => code,
        }
    }

    /// The sentence, without judgement.
    pub fn words(&self) -> String {
        match self {
            Self::Signed { field, .. } => {
                both(&format!("Ký vào ô «{field}»."), &format!("Signed in field {field}."))
            }
            Self::Stamped { field, .. } => both(
                &format!("Thêm dấu thời gian văn bản «{field}»."),
                &format!("Document time stamp {field} added."),
            ),
            Self::NewSignatureField { field, .. } => {
                both(&format!("Thêm ô ký trống «{field}»."), &format!("Empty signature field {field} added."))
            }
            Self::Filled { field, value, .. } => {
                both(&format!("Điền ô «{field}»: “{value}”."), &format!("Field {field} filled."))
            }
            Self::SecurityStore => both(
                "Thêm dữ liệu xác minh lâu dài (chuỗi chứng thư, OCSP, CRL).",
                "Long-term validation data added.",
            ),
            Self::SecurityStoreLost { .. } => {
                both("Bỏ bớt dữ liệu xác minh lâu dài.", "Long-term validation data removed.")
            }
            Self::Information => both("Cập nhật thông tin mô tả tệp.", "Document information updated."),
            Self::Version => both("Nâng phiên bản PDF.", "PDF version or extensions raised."),
            Self::Unreferenced { count } => both(
                &format!("Ghi thêm {count} đối tượng không được dùng đến."),
                &format!("{count} objects written that nothing refers to."),
            ),
            Self::Forbidden { code, subject, .. } => forbidden(code, subject),
        }
    }
}

/// Vietnamese, then English.
pub(super) fn both(vietnamese: &str, english: &str) -> String {
    format!("{vietnamese} / {english}")
}

/// What was done that may not be done. An unknown code still gets a sentence.
pub(super) fn forbidden(code: &str, subject: &str) -> String {
    let (vietnamese, english) = match code {
        "page_changed" => ("Trang văn bản bị thay đổi", "a page was changed"),
        "page_tree_changed" => {
            ("Trang bị thêm, bớt hoặc đổi thứ tự", "pages were added, removed or reordered")
        }
        "content_changed" => ("Nội dung đã ký bị thay thế", "signed content was replaced"),
        "annotation_changed" => {
            ("Chú thích bị thêm, sửa hoặc xoá", "an annotation was added, changed or removed")
        }
        "catalog_changed" => ("Thiết lập của văn bản bị thay đổi", "a document-level setting was changed"),
        "trailer_changed" => ("Gốc của tệp bị thay đổi", "the file's root was changed"),
        "form_changed" => ("Cấu trúc biểu mẫu bị thay đổi", "the form's structure was changed"),
        "field_added" => ("Ô biểu mẫu mới được thêm sau khi ký", "a form field was added after signing"),
        "field_removed" => ("Ô biểu mẫu bị xoá", "a form field was removed"),
        "field_changed" => {
            ("Thuộc tính của ô biểu mẫu bị thay đổi", "a property of a form field was changed")
        }
        "field_moved" => ("Ô biểu mẫu bị dời chỗ hoặc đổi kích thước", "a form field was moved or resized"),
        "field_locked" => ("Ô đã bị khoá lại được sửa", "a locked field was changed"),
        "field_overlaps" => {
            ("Ô ký mới đè lên nội dung có sẵn", "a new signature field covers what was there")
        }
        "signature_replaced" => ("Chữ ký đã có bị thay thế", "an existing signature was replaced"),
        "signature_removed" => ("Chữ ký đã có bị xoá", "an existing signature was removed"),
        "value_without_appearance" => {
            ("Giá trị đổi mà hình hiển thị không đổi", "a value was changed without what is drawn")
        }
        "appearance_not_value" => {
            ("Chữ hiển thị khác giá trị của ô", "what is drawn is not the field's value")
        }
        "replaced_object_shared" => {
            ("Đối tượng bị thay còn được dùng ở nơi khác", "a replaced object is used elsewhere too")
        }
        "appearance_uses_old_content" => {
            ("Hình hiển thị mới dùng lại nội dung cũ", "a new appearance draws older content")
        }
        "need_appearances" => ("Yêu cầu phần mềm tự vẽ lại biểu mẫu", "viewers are told to redraw the form"),
        "security_store_changed" => {
            ("Dữ liệu xác minh bị sửa hoặc bớt", "validation data were changed or removed")
        }
        "object_removed" => ("Đối tượng đang dùng bị xoá", "an object in use was removed"),
        "hidden_reference" => (
            "Đối tượng mới lấp vào chỗ tham chiếu treo trong nội dung đã ký",
            "a new object fills a dangling reference in signed content",
        ),
        "after_certification" => {
            ("Chứng thực văn bản không cho phép thay đổi này", "the certification does not allow this change")
        }
        "bytes_outside_revision" => {
            ("Có dữ liệu nằm ngoài mọi lần lưu của tệp", "bytes lie outside every revision")
        }
        "revision_broken" => {
            ("Lần lưu sau khi ký bị hỏng cấu trúc", "a revision after the signature is malformed")
        }
        "too_much_to_analyse" => ("Thay đổi quá lớn để phân tích", "the change is too large to analyse"),
        _ => ("Thay đổi không được phép", "a change that is not allowed"),
    };
    if subject.is_empty() {
        both(&format!("{vietnamese}."), &format!("Not allowed: {english}."))
    } else {
        both(&format!("{vietnamese} ({subject})."), &format!("Not allowed: {english} ({subject})."))
    }
}
