//! The stamp of urgency, ô 10b (NĐ 30/2020 Phụ lục I, Phần I, II; Mục IV): a red frame around HỎA TỐC, THƯỢNG KHẨN or
//! KHẨN, below number and symbol in the left column of page 1.
//!
//! The drafter proposes and the signer decides how urgent a document is, so the stamp is drawn at provisioning: it is part
//! of the base that everybody signs, and nothing draws or changes it later.

use serde::{Deserialize, Serialize};

use crate::provision::PagePlace;

/// A stamp of urgency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct UrgencyStamp {
    /// What it says.
    pub urgency: Urgency,
    /// In the middle of which place; `None`: the nearest room below number and symbol.
    #[serde(default)]
    pub place: Option<PagePlace>,
}

impl From<Urgency> for UrgencyStamp {
    fn from(urgency: Urgency) -> Self {
        Self { urgency, place: None }
    }
}

/// The degrees of urgency that have a stamp, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Urgency {
    /// Khẩn.
    #[serde(rename = "khan")]
    Urgent,
    /// Thượng khẩn.
    #[serde(rename = "thuong_khan")]
    VeryUrgent,
    /// Hỏa tốc.
    #[serde(rename = "hoa_toc")]
    Flash,
}

impl Urgency {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Urgent, Self::VeryUrgent, Self::Flash];

    /// As it is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Urgent => "khan",
            Self::VeryUrgent => "thuong_khan",
            Self::Flash => "hoa_toc",
        }
    }

    /// What the stamp says.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Urgent => "KHẨN",
            Self::VeryUrgent => "THƯỢNG KHẨN",
            Self::Flash => "HỎA TỐC",
        }
    }

    /// Width and height of its frame, over all, in millimetres.
    pub const fn millimetres(self) -> (f64, f64) {
        match self {
            Self::Urgent => (20.0, 8.0),
            Self::VeryUrgent => (40.0, 8.0),
            Self::Flash => (30.0, 8.0),
        }
    }

    /// The same in points.
    pub(crate) fn size(self) -> (f64, f64) {
        let (width, height) = self.millimetres();
        (width * 72.0 / 25.4, height * 72.0 / 25.4)
    }

    /// Size of the type: capitals of 13 to 14 points, upright and bold.
    pub(crate) const POINTS: f64 = 13.0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_stored_by_its_code() {
        for urgency in Urgency::ALL {
            assert_eq!(serde_json::to_value(urgency).unwrap(), urgency.code());
            let stamp: UrgencyStamp =
                serde_json::from_value(serde_json::json!({ "urgency": urgency.code() })).unwrap();
            assert_eq!(stamp, urgency.into());
        }
    }
}
