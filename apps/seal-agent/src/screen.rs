//! The review at the terminal: what will be sealed, who approved it, and the question. Standard error only, so that
//! standard output stays one JSON object.
//!
//! For servers and desks without a browser; the window (`window`) shows the same and draws the pages besides.

use std::io::Write as _;

use crate::checks::{Outcome, Trail};
use crate::error::Error;
use crate::examine::Sealable;

/// Shows what was looked at and how it came out.
pub(crate) fn show_checks(trail: &Trail) {
    for row in trail.rows() {
        let mark = match row.outcome {
            Outcome::Passed => "✓",
            Outcome::Failed => "✗",
            Outcome::NotReached => "·",
        };
        eprintln!("{mark} {}", clean(&row.text));
    }
}

/// Shows what would be sealed.
pub(crate) fn show(sealable: &Sealable) {
    let Sealable { task, document, leaders, organisation, attributes, .. } = sealable;
    let mut lines = vec![
        "── ĐÓNG DẤU (chữ ký số của cơ quan) ──".to_owned(),
        format!("Văn bản:  {}", document.subject),
        format!("Số:       {}", task.number),
        format!("Ngày:     {}", task.date),
    ];
    for leader in leaders {
        let at = leader.at.map(|at| format!(", dấu thời gian {at}")).unwrap_or_default();
        lines.push(format!("Đã ký:    {} – {} ({}){at}", leader.title, leader.name, leader.field));
    }
    for fill in &task.fills {
        lines.push(format!("Sẽ điền:  {} = {}", fill.field, fill.text));
    }
    let names = document.recipients.iter().map(|recipient| recipient.name.as_str()).collect::<Vec<_>>();
    lines.push(format!("Nơi nhận: {}", names.join("; ")));
    lines.push(format!("Cơ quan:  {}", organisation.subject().common_name().unwrap_or_default()));
    lines.push(format!("Tệp:      {}", task.base.sha256));
    lines.push(format!("Sẽ ký:    {}", attributes.dtbs_digest()));
    eprintln!("{}", lines.iter().map(|line| clean(line)).collect::<Vec<_>>().join("\n"));
}

/// What people wrote may hold control characters, which could redraw the terminal.
fn clean(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).collect()
}

/// Says something the clerk must know.
pub(crate) fn warn(text: &str) {
    eprintln!("⚠ {text}");
}

/// Asks.
///
/// # Errors
/// [`Error::NotConfirmed`] if nobody can be asked.
pub(crate) fn confirmed() -> Result<bool, Error> {
    eprint!("Đóng dấu văn bản này? Gõ «dong dau» để xác nhận: ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(|_| Error::NotConfirmed)?;
    Ok(answer.trim() == "dong dau")
}
