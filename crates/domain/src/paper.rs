//! The words a document is described with: how urgent, how secret, which kind, in which capacity it is signed.
//!
//! Decree 30/2020/NĐ-CP, Article 7 and Annex III.I (kinds and abbreviations), Annex I.II.3 and II.7 (capacity);
//! Vietnamese names are the legal ones.

use serde::{Deserialize, Serialize};

use crate::codes::codes;
use crate::email::EmailAddress;

codes! {
    /// Degree of urgency (độ khẩn), in rising order. The drafter proposes, the signer decides (R73, C1.9).
    Urgency "urgency" {
        /// Thường.
        Normal = "normal",
        /// Khẩn.
        Urgent = "khan",
        /// Thượng khẩn.
        VeryUrgent = "thuong_khan",
        /// Hỏa tốc.
        Flash = "hoa_toc",
    }
}

impl Urgency {
    /// The word as it stands on paper; `None` for an ordinary document, which carries no mark.
    pub const fn mark(self) -> Option<&'static str> {
        match self {
            Self::Normal => None,
            Self::Urgent => Some("KHẨN"),
            Self::VeryUrgent => Some("THƯỢNG KHẨN"),
            Self::Flash => Some("HỎA TỐC"),
        }
    }

    /// Whether the document is sent at once after signing (R73) instead of by the ordinary deadline.
    pub const fn is_urgent(self) -> bool {
        !matches!(self, Self::Normal)
    }

    /// The place in queues: higher goes first (R74).
    pub const fn rank(self) -> i64 {
        match self {
            Self::Normal => 0,
            Self::Urgent => 1,
            Self::VeryUrgent => 2,
            Self::Flash => 3,
        }
    }
}

codes! {
    /// Degree of secrecy (độ mật). Anything but `None` is refused at the door (R1).
    Secrecy "secrecy" {
        /// Thường, không mật.
        None = "none",
        /// Mật.
        Secret = "mat",
        /// Tối mật.
        TopSecret = "toi_mat",
        /// Tuyệt mật.
        Utmost = "tuyet_mat",
    }
}

codes! {
    /// Kind of administrative document (tên loại văn bản), C1.6.
    DocumentType "document_type" {
        /// Nghị quyết.
        Resolution = "nghi_quyet",
        /// Quyết định.
        Decision = "quyet_dinh",
        /// Chỉ thị.
        Directive = "chi_thi",
        /// Quy chế.
        Statute = "quy_che",
        /// Quy định.
        Regulation = "quy_dinh",
        /// Thông cáo.
        Communique = "thong_cao",
        /// Thông báo.
        Notice = "thong_bao",
        /// Hướng dẫn.
        Guideline = "huong_dan",
        /// Chương trình.
        Programme = "chuong_trinh",
        /// Kế hoạch.
        Plan = "ke_hoach",
        /// Phương án.
        Option = "phuong_an",
        /// Đề án.
        Scheme = "de_an",
        /// Dự án.
        Project = "du_an",
        /// Báo cáo.
        Report = "bao_cao",
        /// Biên bản.
        Minutes = "bien_ban",
        /// Tờ trình.
        Proposal = "to_trinh",
        /// Hợp đồng.
        Contract = "hop_dong",
        /// Công điện.
        Telegram = "cong_dien",
        /// Bản ghi nhớ.
        Memorandum = "ban_ghi_nho",
        /// Bản thỏa thuận.
        Agreement = "ban_thoa_thuan",
        /// Giấy ủy quyền.
        Authorisation = "giay_uy_quyen",
        /// Giấy mời.
        Invitation = "giay_moi",
        /// Giấy giới thiệu.
        Introduction = "giay_gioi_thieu",
        /// Giấy nghỉ phép.
        LeavePermit = "giay_nghi_phep",
        /// Phiếu gửi.
        SendingSlip = "phieu_gui",
        /// Phiếu chuyển.
        ForwardingSlip = "phieu_chuyen",
        /// Phiếu báo.
        ReportSlip = "phieu_bao",
        /// Công văn: the official letter, which has no abbreviation.
        Letter = "cong_van",
        /// Thư công: has no abbreviation either.
        OfficialNote = "thu_cong",
        /// Bản sao y.
        TrueCopy = "sao_y",
        /// Bản trích sao.
        Extract = "trich_sao",
        /// Bản sao lục.
        CopyOfCopy = "sao_luc",
    }
}

impl DocumentType {
    /// The abbreviation that stands in the symbol; `None` for công văn and thư công (C1.6: "CV" is only colloquial).
    pub const fn abbreviation(self) -> Option<&'static str> {
        Some(match self {
            Self::Resolution => "NQ",
            Self::Decision => "QĐ",
            Self::Directive => "CT",
            Self::Statute => "QC",
            Self::Regulation => "QyĐ",
            Self::Communique => "TC",
            Self::Notice => "TB",
            Self::Guideline => "HD",
            Self::Programme => "CTr",
            Self::Plan => "KH",
            Self::Option => "PA",
            Self::Scheme => "ĐA",
            Self::Project => "DA",
            Self::Report => "BC",
            Self::Minutes => "BB",
            Self::Proposal => "TTr",
            Self::Contract => "HĐ",
            Self::Telegram => "CĐ",
            Self::Memorandum => "BGN",
            Self::Agreement => "BTT",
            Self::Authorisation => "GUQ",
            Self::Invitation => "GM",
            Self::Introduction => "GGT",
            Self::LeavePermit => "GNP",
            Self::SendingSlip => "PG",
            Self::ForwardingSlip => "PC",
            Self::ReportSlip => "PB",
            Self::TrueCopy => "SY",
            Self::Extract => "TrS",
            Self::CopyOfCopy => "SL",
            Self::Letter | Self::OfficialNote => return None,
        })
    }

    /// The name as printed on the document.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resolution => "Nghị quyết",
            Self::Decision => "Quyết định",
            Self::Directive => "Chỉ thị",
            Self::Statute => "Quy chế",
            Self::Regulation => "Quy định",
            Self::Communique => "Thông cáo",
            Self::Notice => "Thông báo",
            Self::Guideline => "Hướng dẫn",
            Self::Programme => "Chương trình",
            Self::Plan => "Kế hoạch",
            Self::Option => "Phương án",
            Self::Scheme => "Đề án",
            Self::Project => "Dự án",
            Self::Report => "Báo cáo",
            Self::Minutes => "Biên bản",
            Self::Proposal => "Tờ trình",
            Self::Contract => "Hợp đồng",
            Self::Telegram => "Công điện",
            Self::Memorandum => "Bản ghi nhớ",
            Self::Agreement => "Bản thỏa thuận",
            Self::Authorisation => "Giấy ủy quyền",
            Self::Invitation => "Giấy mời",
            Self::Introduction => "Giấy giới thiệu",
            Self::LeavePermit => "Giấy nghỉ phép",
            Self::SendingSlip => "Phiếu gửi",
            Self::ForwardingSlip => "Phiếu chuyển",
            Self::ReportSlip => "Phiếu báo",
            Self::Letter => "Công văn",
            Self::OfficialNote => "Thư công",
            Self::TrueCopy => "Bản sao y",
            Self::Extract => "Bản trích sao",
            Self::CopyOfCopy => "Bản sao lục",
        }
    }

    /// Whether this is a copy, which draws from the one common series of all copies (C1.7).
    pub const fn is_copy(self) -> bool {
        matches!(self, Self::TrueCopy | Self::Extract | Self::CopyOfCopy)
    }
}

codes! {
    /// Which rules of number and layout the document follows (R32, C1.7).
    Family "family" {
        /// Văn bản hành chính: Decree 30/2020.
        Administrative = "administrative",
        /// Văn bản quy phạm pháp luật: the number carries the year, one series per kind.
        Legal = "legal",
    }
}

codes! {
    /// In which capacity the leader signs (quyền hạn ký), C1.8, R42.
    Capacity "capacity" {
        /// The head signs as such.
        Head = "head",
        /// TM., on behalf of the collective.
        Collective = "tm",
        /// KT., a deputy in the head's place.
        ForHead = "kt",
        /// TL., by order of the head.
        ByOrder = "tl",
        /// TUQ., by the head's written, dated, non-transferable authority.
        ByAuthority = "tuq",
        /// Q., acting head.
        Acting = "q",
    }
}

impl Capacity {
    /// The prefix printed before the title; `None` for the head.
    pub const fn prefix(self) -> Option<&'static str> {
        match self {
            Self::Head => None,
            Self::Collective => Some("TM."),
            Self::ForHead => Some("KT."),
            Self::ByOrder => Some("TL."),
            Self::ByAuthority => Some("TUQ."),
            Self::Acting => Some("Q."),
        }
    }
}

codes! {
    /// What a file is within a document's bundle (R11).
    FileRole "file_role" {
        /// The one PDF that is signed and released.
        Main = "main",
        /// Văn bản kèm theo, released with the main file.
        Attachment = "attachment",
        /// Hồ sơ trình: for the leader's eyes, never released.
        Background = "background",
    }
}

/// An outgoing copy's addressee (nơi nhận), R76: an office by its code, or a name off the exchange.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Recipient {
    /// Mã định danh of the receiving office, up to 35 characters (C4.3); absent for those off the exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Name as printed under "Nơi nhận".
    pub name: String,
    /// How the copy travels.
    pub channel: Channel,
    /// Where its mail goes, when it travels so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailAddress>,
}

codes! {
    /// How a copy reaches its addressee (R77).
    Channel "channel" {
        /// Trục liên thông, as edXML.
        Exchange = "exchange",
        /// Thư điện tử công vụ.
        Email = "email",
        /// Cổng thông tin điện tử.
        Portal = "portal",
        /// A print, without the seal image.
        Paper = "paper",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_letters_have_no_abbreviation() {
        let without: Vec<_> = DocumentType::ALL.iter().filter(|kind| kind.abbreviation().is_none()).collect();
        assert_eq!(without, [&DocumentType::Letter, &DocumentType::OfficialNote]);
    }

    #[test]
    fn no_two_kinds_share_an_abbreviation() {
        let mut seen: Vec<_> = DocumentType::ALL.iter().filter_map(|kind| kind.abbreviation()).collect();
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count);
    }

    #[test]
    fn words_come_back_as_the_case_that_made_them() {
        for urgency in Urgency::ALL {
            assert_eq!(urgency.as_str().parse(), Ok(*urgency));
        }
        assert!("Hỏa tốc".parse::<Urgency>().is_err());
    }

    #[test]
    fn urgency_ranks_as_the_decree_orders_it() {
        assert!(Urgency::ALL.windows(2).all(|pair| pair[0].rank() < pair[1].rank()));
    }
}
