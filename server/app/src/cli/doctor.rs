//! `trinhky doctor`: whether every dependency answers. Exit 0 only then; every line says what to do.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use trinhky_pades::tsp::TimestampRequest;

use crate::app::App;
use crate::jobs::KINDS;
use crate::trust::Trust;

/// A job that is due for longer means that nobody takes it: workers look every second at the latest.
const LATE: Duration = Duration::from_mins(1);

#[expect(clippy::print_stdout, reason = "the findings are this command's output")]
pub(super) fn run(settings: &Path) -> anyhow::Result<ExitCode> {
    let config = super::settings(settings)?;
    super::block_on(async {
        let app = App::open(config).await?;
        let mut well = true;
        for (what, found) in examine(&app).await {
            match found {
                Ok(said) => println!("ok    {what}: {said}"),
                Err(error) => {
                    well = false;
                    println!("WRONG {what}: {error:#}");
                }
            }
        }
        Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

async fn examine(app: &App) -> Vec<(&'static str, anyhow::Result<String>)> {
    vec![
        ("database", database(app).await),
        ("files", files(app)),
        ("clock", clock(app)),
        ("trust", trust(app)),
        ("time stamps", time_stamps(app).await),
        ("scanner", scanner(app).await),
        ("mail", mail(app).await),
        ("jobs", jobs(app).await),
        ("push", Ok(if app.gateways.push.is_some() { "set up" } else { "not set up" }.to_owned())),
    ]
}

async fn database(app: &App) -> anyhow::Result<String> {
    app.store.ping().await?;
    let offices = app.store.read().await?.offices().await?.len();
    Ok(format!("answers; {offices} offices"))
}

fn files(app: &App) -> anyhow::Result<String> {
    let mut writer = app.blobs.create()?;
    std::io::Write::write_all(&mut writer, b"doctor")?;
    Ok("can be written".to_owned())
}

fn clock(app: &App) -> anyhow::Result<String> {
    anyhow::ensure!(!app.clock.is_adjustable(), "TRINHKY_CLOCK is set: unset it outside of tests");
    Ok("the machine's".to_owned())
}

fn trust(app: &App) -> anyhow::Result<String> {
    let now = app.clock.now();
    let anchors: Vec<_> = app.trust.anchors.iter().collect();
    for anchor in &anchors {
        let subject = anchor.subject();
        anyhow::ensure!(
            anchor.is_valid_at(now),
            "the anchor {subject:?} is outside its validity: replace it"
        );
    }
    Ok(format!("{} anchors, {} intermediates", anchors.len(), app.trust.intermediates.len()))
}

async fn time_stamps(app: &App) -> anyhow::Result<String> {
    let request = TimestampRequest::over(b"doctor", app.random.bytes())?;
    let response = app.gateways.tsa.ask(request.as_der().to_vec()).await?;
    let token = request.accept(&response, Trust::provider())?;
    crate::verifying::authority_chain(app, &token)?;
    Ok(format!("the authority answers: {}", token.time()))
}

async fn scanner(app: &App) -> anyhow::Result<String> {
    if !app.gateways.scanner.is_on() {
        return Ok("off: files come in and go out unscanned".to_owned());
    }
    let most = app.config.limits.upload_bytes;
    app.gateways.scanner.takes(most).await.map_err(|error| {
        anyhow::anyhow!("{error}; it must take {most} bytes: see StreamMaxLength in clamd.conf")
    })?;
    Ok(format!("answers and takes {most} bytes"))
}

async fn mail(app: &App) -> anyhow::Result<String> {
    let Some(mail) = &app.gateways.mail else {
        return Ok("not set up: copies by e-mail wait until [mail] is in the settings".to_owned());
    };
    mail.greet().await?;
    Ok(format!("the server lets {} in", mail.from()))
}

async fn jobs(app: &App) -> anyhow::Result<String> {
    let now = app.clock.now();
    let mut read = app.store.read().await?;
    let mut since = None;
    for kind in KINDS {
        since = since.into_iter().chain(read.jobs_due_since(kind, now).await?).min();
    }
    if let Some(since) = since.filter(|since| now - *since > LATE) {
        anyhow::bail!("nobody has taken what is due since {since}: start `trinhky work`, or more of them");
    }
    Ok(match read.dead_jobs().await?.len() {
        0 => "taken in time, none given up".to_owned(),
        dead => format!("taken in time; {dead} given up: see `trinhky admin jobs`"),
    })
}
