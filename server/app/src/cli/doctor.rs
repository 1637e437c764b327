//! `trinhky doctor`: whether every dependency answers. Exit 0 only then; every line says what to do.

use std::path::Path;
use std::process::ExitCode;

use trinhky_pades::tsp::TimestampRequest;

use crate::app::App;
use crate::trust::Trust;

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
