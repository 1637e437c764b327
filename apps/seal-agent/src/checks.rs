//! What the agent looked at and how far it came: the list that the clerk sees, each check with its result.
//!
//! Checks run in one fixed order and stop at the first that fails; [`Trail`] records that course, it decides nothing
//! (`examine` does). What was not reached says so instead of looking good.

use serde::Serialize;

/// One kind of check, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// The bytes are the head that the task names.
    Base,
    /// A leader's signature stands under the agent's roots, by a listed leader.
    Signature,
    /// The leader's SIM enrolled the device that decided.
    Enrolment,
    /// The decision names this document, its bundle, recipients and urgency.
    Decision,
    /// The signature covers exactly what was decided on.
    Revision,
    /// Number and date are the register's and stand in their places.
    Fields,
    /// The organisation's certificate is good now.
    Certificate,
    /// The appended revision only fills number and date and adds the seal.
    Appended,
    /// The number went to no other document from this desk, and the document has no other that stands.
    Journal,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// It holds.
    Passed,
    /// It does not hold: nothing is sealed.
    Failed,
    /// Not reached, because one before it failed.
    NotReached,
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Row {
    #[serde(skip)]
    check: Check,
    /// What was asked, in Vietnamese.
    pub(crate) text: String,
    /// How it came out.
    pub(crate) outcome: Outcome,
}

/// The list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Trail(Vec<Row>);

impl Trail {
    /// Everything that will be looked at for a document with these signers.
    pub(crate) fn plan<'n>(signers: impl IntoIterator<Item = &'n str>) -> Self {
        let of_leader = [Check::Signature, Check::Enrolment, Check::Decision, Check::Revision];
        let leaders = signers.into_iter().flat_map(|name| of_leader.map(|check| (check, Some(name))));
        let rest = [Check::Fields, Check::Certificate, Check::Appended, Check::Journal];
        let all = std::iter::once((Check::Base, None)).chain(leaders).chain(rest.map(|check| (check, None)));
        let row = |(check, name): (Check, Option<&str>)| Row {
            check,
            text: check.vietnamese(name.unwrap_or_default()),
            outcome: Outcome::NotReached,
        };
        Self(all.map(row).collect())
    }

    /// `check` holds, and so the next one begins.
    pub(crate) fn pass(&mut self, check: Check) {
        if let Some(row) = self.next() {
            debug_assert_eq!(row.check, check, "checks run in the order of the plan");
            row.outcome = Outcome::Passed;
        }
    }

    /// The check under way does not hold.
    pub(crate) fn fail(&mut self) {
        if let Some(row) = self.next() {
            row.outcome = Outcome::Failed;
        }
    }

    /// The lines.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.0
    }

    fn next(&mut self) -> Option<&mut Row> {
        self.0.iter_mut().find(|row| row.outcome == Outcome::NotReached)
    }
}

impl Check {
    fn vietnamese(self, name: &str) -> String {
        match self {
            Self::Base => "Tệp nhận về đúng là bản đang chờ đóng dấu".to_owned(),
            Self::Signature => {
                format!("Chữ ký số của {name} nguyên vẹn, người ký có trong danh sách của cơ quan")
            }
            Self::Enrolment => format!("Điện thoại của {name} đã được chính SIM của người ký xác nhận"),
            Self::Decision => format!("{name} đã quyết định ký đúng hồ sơ, nơi nhận và độ khẩn này"),
            Self::Revision => format!("Chữ ký của {name} nằm trên đúng nội dung đã quyết định"),
            Self::Fields => "Số và ngày đúng như sổ đăng ký, nằm đúng vị trí quy định".to_owned(),
            Self::Certificate => "Chứng thư số của cơ quan còn hiệu lực".to_owned(),
            Self::Appended => "Phần bổ sung chỉ có số, ngày và dấu, không đổi trang văn bản".to_owned(),
            Self::Journal => {
                "Số này chưa đóng dấu cho văn bản nào khác, văn bản không có số nào khác còn giá trị"
                    .to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_reached_does_not_look_good() {
        let mut trail = Trail::plan(["An"]);
        trail.pass(Check::Base);
        trail.pass(Check::Signature);
        trail.fail();
        let outcomes: Vec<_> = trail.rows().iter().map(|row| row.outcome).collect();
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Passed).count(), 2);
        assert_eq!(outcomes[2], Outcome::Failed);
        assert!(outcomes[3..].iter().all(|outcome| *outcome == Outcome::NotReached));
        assert_eq!(trail.rows().len(), 9);
    }
}
