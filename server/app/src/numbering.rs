//! Bringing the register to a step that takes a number. Which number, and whether, is the rules' to say.

use time::{Date, OffsetDateTime};
use trinhky_domain::Document;
use trinhky_domain::calendar::day;
use trinhky_domain::ids::RegisterId;
use trinhky_domain::people::Actor;
use trinhky_domain::register::Register;
use trinhky_pades::manifest::FieldKind;
use trinhky_protos::problem::Code;
use trinhky_store::Tx;

use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::{jobs, notices, pdfs};

/// The register that the document's number comes from on the day of `now`, locked until the transaction ends; none when the
/// step takes no number. The number is taken at that same `now`, whatever midnight passes meanwhile.
///
/// # Errors
/// [`Code::PrintedDiffers`] when the page has another month or year printed than that day's; what the store says.
pub async fn register_if(
    takes_number: bool,
    app: &App,
    tx: &mut Tx,
    document: &Document,
    now: OffsetDateTime,
) -> ApiResult<Option<Register>> {
    if !takes_number {
        return Ok(None);
    }
    register(app, tx, document, now).await.map(Some)
}

/// The number of a year that has ended is void and the next one is taken, in the caller's transaction; the base is made anew
/// by the worker.
///
/// # Errors
/// What the rules refuse; as [`register_if`].
pub async fn renumber(
    app: &App,
    tx: &mut Tx,
    document: Document,
    by: Option<&Actor>,
    now: OffsetDateTime,
) -> ApiResult<()> {
    let register = register(app, tx, &document, now).await?;
    let change = document.renumber(by, &register, now)?;
    notices::apply(tx, &change, &*app.random, now).await?;
    jobs::draw_number::enqueue_if_due(app, tx, &change).await
}

async fn register(app: &App, tx: &mut Tx, document: &Document, now: OffsetDateTime) -> ApiResult<Register> {
    agrees(app, document, day(now)).await?;
    let new = RegisterId::at(now, app.random.chance());
    Ok(tx.register(document.office, &document.series, day(now).year(), new).await?)
}

/// The same as it stands now, not locked: to draw the number it will most likely give.
///
/// # Errors
/// As [`register_if`].
pub async fn peek_if(
    takes_number: bool,
    app: &App,
    tx: &mut Tx,
    document: &Document,
    now: OffsetDateTime,
) -> ApiResult<Option<Register>> {
    if !takes_number {
        return Ok(None);
    }
    agrees(app, document, day(now)).await?;
    let year = day(now).year();
    let found = tx.peek_register(document.office, &document.series, year).await?;
    Ok(Some(found.unwrap_or_else(|| {
        let id = RegisterId::at(now, app.random.chance());
        Register::new(id, document.office, document.series.clone(), year)
    })))
}

/// What the drafter printed of the date goes with the day on which the number is taken. Told before one is taken: the page
/// cannot be changed any more, and a number in the book cannot be given back.
async fn agrees(app: &App, document: &Document, today: Date) -> ApiResult<()> {
    let (_, manifest) = pdfs::manifest(app, document.manifest).await?;
    let date = manifest.of_kind(FieldKind::Date).filter(|date| date.text.is_none());
    match date.and_then(|date| date.contradicted(&date_in_words(today))) {
        None => Ok(()),
        Some(printed) => Err(ApiError::new(Code::PrintedDiffers).with(printed)),
    }
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
