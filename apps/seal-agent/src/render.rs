//! Pages as pictures, drawn from the bytes that were verified, by a child process that can be killed.
//!
//! Drawing runs over every font, image and function a PDF may bring; a fault there must not take the agent and its open
//! token with it. The child is this same program: the PDF on its standard input, one PNG on its standard output, no
//! environment, and limits on memory and time.
//!
//! ```text
//! trinhky-seal-agent draw --page N --width PIXELS   < verified.pdf   > page.png
//! ```

use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::Pdf;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::error::Error;

/// Width of a page on the clerk's screen, in pixels: an A4 page at 150 dpi.
pub(crate) const WIDTH: u16 = 1240;

/// The PNG of page `number` (from 1), drawn by a child.
///
/// # Errors
/// [`Error::NotDrawn`] if the child fails, is too slow or gives no picture.
pub(crate) async fn page(pdf: Arc<Vec<u8>>, number: u32) -> Result<Vec<u8>, Error> {
    let failed = |error: std::io::Error| Error::NotDrawn(error.to_string());
    let mut child = Command::new(std::env::current_exe().map_err(failed)?)
        .args(["draw", "--page", &number.to_string(), "--width", &WIDTH.to_string()])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let input = child.stdin.take();
    let feed = async move {
        if let Some(mut input) = input {
            // A child that died has closed its end; what it said counts, not this.
            let _ = input.write_all(&pdf).await;
        }
    };
    let drawn =
        tokio::time::timeout(PATIENCE, async { tokio::join!(feed, child.wait_with_output()).1 }).await;
    let output = drawn
        .map_err(|_| Error::NotDrawn(format!("page {number} took longer than {} s", PATIENCE.as_secs())))?
        .map_err(failed)?;
    if !output.status.success() || !output.stdout.starts_with(PNG) {
        return Err(Error::NotDrawn(format!("page {number}: {}", output.status)));
    }
    Ok(output.stdout)
}

/// The child: reads a PDF, writes a PNG.
///
/// # Errors
/// What is wrong, for the parent's log; the picture is written whole or not at all.
pub(crate) fn draw(number: u32, width: u16) -> Result<(), String> {
    limit_this_process()?;
    let mut pdf = Vec::new();
    std::io::stdin().take(MOST_BYTES).read_to_end(&mut pdf).map_err(|error| error.to_string())?;
    let png = picture(pdf, number, width)?;
    std::io::stdout().write_all(&png).map_err(|error| error.to_string())
}

fn picture(pdf: Vec<u8>, number: u32, width: u16) -> Result<Vec<u8>, String> {
    let pdf = Pdf::new(pdf).map_err(|error| format!("{error:?}"))?;
    let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    let page = index.and_then(|index| pdf.pages().get(index)).ok_or("there is no such page")?;
    let (points_wide, points_high) = page.render_dimensions();
    if !(points_wide >= 1.0 && points_high >= 1.0) {
        return Err("the page has no size".to_owned());
    }
    // A very tall page becomes narrower rather than larger than memory allows.
    let scale = (f32::from(width) / points_wide).min(MOST_HIGH / points_high);
    let settings = PixmapSettings { x_scale: scale, y_scale: scale, bg_color: WHITE };
    let (cache, interpreter) = (RenderCache::new(), InterpreterSettings::default());
    let pixmap = hayro::render(page, &cache, &interpreter, &RenderSettings::default(), &settings);
    pixmap.into_png().map_err(|error| error.to_string())
}

/// Memory and processor time; where the platform has no such limits, the parent's patience is the limit.
#[cfg(unix)]
fn limit_this_process() -> Result<(), String> {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let at_most = |amount| Rlimit { current: Some(amount), maximum: Some(amount) };
    for (resource, amount) in [
        (Resource::As, MOST_MEMORY),
        (Resource::Cpu, PATIENCE.as_secs()),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
    ] {
        setrlimit(resource, at_most(amount)).map_err(|error| format!("{resource:?}: {error}"))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn limit_this_process() -> Result<(), String> {
    Ok(())
}

const PATIENCE: Duration = Duration::from_secs(20);
const MOST_MEMORY: u64 = 2 << 30;
const MOST_BYTES: u64 = 256 << 20;
const MOST_HIGH: f32 = 4000.0;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_becomes_a_picture_of_the_width_asked_for() {
        let png = picture(trinhky_pades::pdf::minimal(), 1, 620).unwrap();
        assert!(png.starts_with(PNG));
        assert_eq!(u32::from_be_bytes(png[16..20].try_into().unwrap()), 620);
    }

    #[test]
    fn what_cannot_be_drawn_is_said() {
        assert!(picture(b"%PDF-1.7 nothing".to_vec(), 1, 620).is_err());
        assert!(picture(trinhky_pades::pdf::minimal(), 2, 620).is_err());
        assert!(picture(trinhky_pades::pdf::minimal(), 0, 620).is_err());
    }
}
