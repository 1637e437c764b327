//! Bringing the register to a step that takes a number. Which number, and whether, is the rules' to say.

use time::Date;
use trinhky_domain::Document;
use trinhky_domain::calendar::day;
use trinhky_domain::ids::RegisterId;
use trinhky_domain::register::Register;
use trinhky_store::Tx;

use crate::app::App;
use crate::error::ApiResult;

/// The register that the document's number comes from today, locked until the transaction ends; none when the step takes
/// no number.
///
/// # Errors
/// What the store says.
pub async fn register_if(
    takes_number: bool,
    app: &App,
    tx: &mut Tx,
    document: &Document,
) -> ApiResult<Option<Register>> {
    if !takes_number {
        return Ok(None);
    }
    let now = app.clock.now();
    let new = RegisterId::at(now, app.random.chance());
    Ok(Some(tx.register(document.office, &document.series, day(now).year(), new).await?))
}

/// The date as ô 4 writes it: a day below ten and the months 1 and 2 have a leading zero (Decree 30/2020, Annex I.II.4).
pub fn date_in_words(date: Date) -> String {
    let month = u8::from(date.month());
    let month = if month < 3 { format!("{month:02}") } else { month.to_string() };
    format!("ngày {:02} tháng {month} năm {}", date.day(), date.year())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn dates_are_written_as_the_decree_says() {
        assert_eq!(date_in_words(date!(2026 - 02 - 05)), "ngày 05 tháng 02 năm 2026");
        assert_eq!(date_in_words(date!(2026 - 03 - 15)), "ngày 15 tháng 3 năm 2026");
        assert_eq!(date_in_words(date!(2026 - 12 - 31)), "ngày 31 tháng 12 năm 2026");
    }
}
