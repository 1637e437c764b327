//! Attempts as phones see them.

use trinhky_domain::signing::{Attempt, AttemptState, AttemptStateName, Purpose};
use trinhky_protos::Base64Bytes;
use trinhky_protos::problem::Code;
use trinhky_protos::signing::AttemptView;
use trinhky_simpki::attempt as machine;
use trinhky_store::Tx;

use crate::error::ApiResult;

/// The attempt, with its place in the queue while it waits there.
///
/// # Errors
/// What the store says.
pub async fn attempt(tx: &mut Tx, attempt: &Attempt) -> ApiResult<AttemptView> {
    let name = attempt.state.name();
    let place = match attempt.state {
        AttemptState::Approved { .. } => Some(tx.place_in_queue(attempt.id).await?),
        _ => None,
    };
    let received =
        if name == AttemptStateName::Prepared { None } else { tx.signature_of(attempt.id).await? };
    let cms_from = match attempt.state {
        AttemptState::Verified { cms_from, .. }
        | AttemptState::Stamped { cms_from, .. }
        | AttemptState::Embedded { cms_from } => Some(cms_from.as_str().to_owned()),
        _ => None,
    };
    Ok(AttemptView {
        id: attempt.id,
        version: attempt.version.0.into(),
        purpose: match attempt.purpose {
            Purpose::Document { .. } => "document".to_owned(),
            Purpose::Enrolment { .. } => "enrolment".to_owned(),
        },
        state: name.as_str().to_owned(),
        ended: name.is_final(),
        place,
        message: told(attempt, name).to_owned(),
        signature: received
            .map(|received| Base64Bytes(received.raw))
            .filter(|_| name != AttemptStateName::SignedHeld),
        wants_cms: name == AttemptStateName::SignedRaw,
        cms_from,
        changed_at: attempt.changed,
    })
}

/// What happened, for people. Where the signature service gave a code, its sentence says more than the state's ("another
/// request is open on the SIM"); what the worker found out afterwards is not in the protocol, so states are compared.
fn told(attempt: &Attempt, name: AttemptStateName) -> &'static str {
    let spoken =
        attempt.protocol.as_deref().and_then(|text| serde_json::from_str::<machine::Attempt>(text).ok());
    match spoken {
        Some(spoken)
            if spoken.state_name() == name.as_str() && matches!(spoken.state(), machine::State::Ended(_)) =>
        {
            spoken.sentence().vi()
        }
        // No protocol: the gate found no grounds, and nobody was asked.
        None if name == AttemptStateName::Rejected => Code::DecisionUnmatched.vietnamese(),
        _ => sentence(name),
    }
}

/// What happened, for people.
const fn sentence(state: AttemptStateName) -> &'static str {
    match state {
        AttemptStateName::Prepared => "Đã chuẩn bị chữ ký. Chưa gửi yêu cầu nào tới SIM.",
        AttemptStateName::Approved => "Đã ghi nhận quyết định. Đang chờ đến lượt gửi tới SIM.",
        AttemptStateName::Sending => "Đang gửi yêu cầu ký tới SIM.",
        AttemptStateName::Accepted => "SIM đang hiện yêu cầu ký. Hãy so mã xác nhận rồi nhập PIN.",
        AttemptStateName::Indeterminate => {
            "Chưa rõ SIM đã nhận yêu cầu hay chưa. Hệ thống đang chờ và không gửi lại."
        }
        AttemptStateName::SignedRaw => "SIM đã ký. Đang kiểm tra chữ ký.",
        AttemptStateName::Verified => "Chữ ký hợp lệ. Đang lấy dấu thời gian.",
        AttemptStateName::Stamped => "Đã có dấu thời gian. Đang gắn chữ ký vào văn bản.",
        AttemptStateName::Embedded => "Đã ký xong.",
        AttemptStateName::Declined => "Bạn đã từ chối trên SIM. Văn bản chưa được ký.",
        AttemptStateName::Expired => "Quá thời gian nhập PIN trên SIM. Hãy quyết định lại nếu vẫn muốn ký.",
        AttemptStateName::Lapsed => {
            "Yêu cầu ký chờ quá lâu nên đã bị hủy trước khi gửi tới SIM. Hãy quyết định lại."
        }
        AttemptStateName::Undeliverable => {
            "Không liên lạc được với điện thoại. Hãy kiểm tra sóng rồi quyết định lại."
        }
        AttemptStateName::Blocked => "PIN ký số trên SIM đã bị khóa. Hãy liên hệ nhà cung cấp SIM.",
        AttemptStateName::NotEnrolled => "Số điện thoại này chưa có chữ ký số trên SIM.",
        AttemptStateName::CertInvalid => {
            "Chứng thư số trên SIM không còn hợp lệ hoặc đã thay đổi. Văn bản chưa được ký."
        }
        AttemptStateName::Rejected => {
            "Câu trả lời của SIM không khớp với yêu cầu nên không được dùng. Văn bản chưa được ký."
        }
        AttemptStateName::ProviderDown => "Dịch vụ ký trên SIM đang gián đoạn. Chưa có gì được gửi tới SIM.",
        AttemptStateName::SignedHeld => {
            "SIM đã ký sau khi yêu cầu bị rút lại. Chữ ký được cất giữ, chưa gắn vào văn bản; bạn quyết định dùng hay bỏ."
        }
        AttemptStateName::Voided => "Chữ ký đến muộn đã bị hủy theo quyết định của bạn.",
    }
}
