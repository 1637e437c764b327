//! A recipient's copy as its readers see it: states and hindrances in the words of QCVN 102:2016 and of the office.

use trinhky_domain::release::{Copy, CopyState, Hindrance};
use trinhky_protos::copies::CopyView;

use crate::wire;

/// The copy, shown.
pub(crate) fn view(copy: &Copy) -> CopyView {
    CopyView {
        id: copy.id,
        document: copy.document,
        version: copy.version.0.into(),
        recipient: wire::recipient(&copy.recipient),
        state: copy.state.as_str().to_owned(),
        state_text: state(copy.state).to_owned(),
        since: copy.since,
        waiting_for: copy.hindrance.map(|hindrance| hindrance.as_str().to_owned()),
        note: note(copy),
    }
}

/// Why it waits, then what the other side said.
fn note(copy: &Copy) -> Option<String> {
    let why = copy.hindrance.map(|hindrance| {
        if copy.state == CopyState::RecallAsked { recall_waits(hindrance) } else { waits(hindrance) }
    });
    match (why, copy.note.as_deref()) {
        (Some(why), Some(said)) => Some(format!("{why} Máy chủ thư trả lời: {said}")),
        (Some(why), None) => Some(why.to_owned()),
        (None, said) => said.map(str::to_owned),
    }
}

const fn state(state: CopyState) -> &'static str {
    match state {
        CopyState::Queued => "Chờ gửi",
        CopyState::Undeliverable => "Không gửi được",
        CopyState::Handed => "Đã gửi",
        CopyState::Arrived => "Đã đến",
        CopyState::Accepted => "Đã tiếp nhận",
        CopyState::Assigned => "Phân công xử lý",
        CopyState::Processing => "Đang xử lý",
        CopyState::Done => "Hoàn thành",
        CopyState::Refused => "Từ chối tiếp nhận",
        CopyState::RecallAsked => "Yêu cầu lấy lại",
        CopyState::Recalled => "Đã lấy lại",
        CopyState::RecallRefused => "Từ chối lấy lại",
    }
}

const fn waits(hindrance: Hindrance) -> &'static str {
    match hindrance {
        Hindrance::ByHand => "Chờ văn thư giao bản giấy rồi xác nhận đã giao.",
        Hindrance::ChannelNotSetUp => {
            "Hệ thống chưa kết nối kênh gửi này. Hãy gửi bằng kênh khác rồi xác nhận đã giao, hoặc nhập địa chỉ thư điện tử để gửi."
        }
        Hindrance::MailNotSetUp => {
            "Chưa thiết lập máy chủ thư: quản trị hãy bổ sung mục [mail] trong tệp cấu hình. Thư sẽ tự gửi khi có thiết lập."
        }
        Hindrance::MailUnreachable => "Máy chủ thư chưa nhận. Hệ thống tự gửi lại.",
        Hindrance::AddressRefused => {
            "Máy chủ thư không nhận thư gửi tới địa chỉ này. Hãy sửa địa chỉ rồi gửi lại, hoặc giao bản giấy."
        }
        Hindrance::TooLarge => {
            "Văn bản và tệp kèm theo lớn hơn mức máy chủ thư cho phép. Hãy giao bằng cách khác rồi xác nhận đã giao."
        }
        Hindrance::RecallWaits => "Thư đề nghị thu hồi sắp được gửi.",
    }
}

const fn recall_waits(hindrance: Hindrance) -> &'static str {
    match hindrance {
        Hindrance::ByHand | Hindrance::ChannelNotSetUp => {
            "Chờ văn thư tự thông báo thu hồi cho nơi nhận: hệ thống không gửi được qua kênh này."
        }
        Hindrance::AddressRefused | Hindrance::TooLarge => {
            "Máy chủ thư không nhận thư đề nghị thu hồi. Văn thư hãy thông báo cho nơi nhận bằng cách khác."
        }
        Hindrance::MailNotSetUp => {
            "Thư đề nghị thu hồi chưa gửi được vì chưa thiết lập máy chủ thư (mục [mail] trong tệp cấu hình)."
        }
        Hindrance::MailUnreachable => "Thư đề nghị thu hồi chưa gửi được. Hệ thống tự gửi lại.",
        Hindrance::RecallWaits => "Thư đề nghị thu hồi sắp được gửi.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_its_words() {
        for known in CopyState::ALL {
            assert!(!state(*known).is_empty());
        }
        for hindrance in Hindrance::ALL {
            assert!(
                waits(*hindrance).ends_with('.') && recall_waits(*hindrance).ends_with('.'),
                "{hindrance}"
            );
        }
    }
}
