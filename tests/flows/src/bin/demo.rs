//! `make demo`: the whole product with an imaginary province around it, one document carried through the main job by
//! itself, each step said in a line. With `--once` it ends there and leaves its results in a folder; without, it keeps
//! serving for the visitor.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, ensure};
use clap::Parser;
use serde_json::Value;
use trinhky_flows::clerk::Answered;
use trinhky_flows::judges::{self, Case};
use trinhky_flows::main_job::{self, Cast, Outcome, Steps};
use trinhky_flows::rig::{Plan, Rig};
use trinhky_flows::sealer::{TOKEN_PIN, Window};

#[derive(Parser)]
#[command(about = "One document through the whole main job, on real parts")]
struct Arguments {
    /// End after the document is released.
    #[arg(long)]
    once: bool,
    /// A PDF of yours; without it the built-in document.
    #[arg(long)]
    pdf: Option<PathBuf>,
    /// Where the results go.
    #[arg(long, default_value = "target/demo")]
    out: PathBuf,
    /// Where the server listens, unless `--once` (then any free port).
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// `after_sign` (`nd30_default`) or `before_sign` (`kien_giang_2017`).
    #[arg(long, default_value = "after_sign")]
    numbering: Numbering,
    /// Ask the foreign judges too.
    #[arg(long)]
    judges: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Numbering {
    #[value(name = "after_sign")]
    AfterSign,
    #[value(name = "before_sign")]
    BeforeSign,
}

impl Numbering {
    const fn profile(self) -> &'static str {
        match self {
            Self::AfterSign => "nd30_default",
            Self::BeforeSign => "kien_giang_2017",
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    // Dropping the run stops everything it has started, whenever the visitor or a script ends it.
    let arguments = Arguments::parse();
    let once = arguments.once;
    let outcome = tokio::select! {
        outcome = run(arguments) => outcome,
        () = told_to_stop() => if once { Err(anyhow!("stopped before the document was released")) } else { Ok(()) },
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // What happened and why, in that order; a backtrace would help nobody who tries the product.
            eprintln!("demo: {}", error.chain().map(said).collect::<Vec<_>>().join(": "));
            ExitCode::FAILURE
        }
    }
}

async fn run(mut arguments: Arguments) -> Result<()> {
    std::fs::create_dir_all(&arguments.out).with_context(|| arguments.out.display().to_string())?;
    if let Some(pdf) = &mut arguments.pdf {
        *pdf = std::fs::canonicalize(&*pdf).with_context(|| format!("PDF={}", pdf.display()))?;
    }
    clear(&arguments.out)?;
    if !arguments.once {
        port_is_free(arguments.port)?;
    }
    let plan = Plan {
        port: if arguments.once { 0 } else { arguments.port },
        profile: arguments.numbering.profile(),
        ..Plan::default()
    };
    eprintln!("Trình Ký: dựng một tỉnh tưởng tượng và chạy toàn bộ hệ thống …");
    let rig = Rig::start(&plan).await?;
    let pdf = arguments.pdf.clone().unwrap_or_else(|| rig.world.demo_pdf.clone());
    let mut steps = Steps::aloud();
    let cast = steps.take("enrol", "Lãnh đạo đăng ký điện thoại, SIM ký một lần", Cast::gather(&rig)).await?;
    let outcome = main_job::run(&rig, &cast, &pdf, &arguments.out, &mut steps).await?;
    write_results(&rig, &cast, &arguments.out, &outcome).await?;
    let verdict = verify(&rig, &arguments.out, &outcome.released).await?;
    judge(&arguments, &rig, &pdf, &outcome).await?;
    ensure!(
        outcome.report.cms_from == "device",
        "the CMS came from {:?}, not from the device",
        outcome.report.cms_from
    );
    ensure!(outcome.report.sim_requests == 1, "the SIM was asked {} times", outcome.report.sim_requests);
    eprintln!(
        "Đã phát hành số {} ngày {}: {verdict}. Kết quả ở {}.",
        outcome.report.number,
        outcome.report.date,
        arguments.out.display()
    );
    if !arguments.once {
        // Two more wait for the visitor to seal, so that the clerk's window has something to show.
        for _ in 0..2 {
            main_job::numbered(&rig, &cast).await?;
        }
        let window = rig.sealer(&cast.clerk)?.window().await?;
        welcome(&rig, &window);
        std::future::pending::<()>().await;
    }
    Ok(())
}

/// Ctrl-C, or a script's `kill`.
async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};

    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => eprintln!(),
        _ = terminated.recv() => {}
    }
}

/// A refusal of the server in its own words, anything else as it is.
fn said(cause: &(dyn std::error::Error + 'static)) -> String {
    let problem = cause.downcast_ref::<Answered>().and_then(|answered| answered.problem.as_ref());
    problem.map_or_else(|| cause.to_string(), |problem| format!("{} ({})", problem.detail, problem.code))
}

/// What an earlier run left must not pass for this one's.
fn clear(out: &Path) -> Result<()> {
    for name in RESULTS {
        match std::fs::remove_file(out.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| out.join(name).display().to_string());
            }
            _ => {}
        }
    }
    Ok(())
}

const RESULTS: [&str; 8] = [
    "released.pdf",
    "evidence.zip",
    "roots.pem",
    "verify.json",
    "report.json",
    "judges.json",
    "base.pdf",
    "signed.pdf",
];

/// Said before anything is built up, not after half a minute.
fn port_is_free(port: u16) -> Result<()> {
    let listener = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, port));
    listener.map(drop).map_err(|_| {
        anyhow!(
            "port {port} of this machine is taken; choose another: make demo PORT={}",
            port.wrapping_add(1).max(1024)
        )
    })
}

async fn write_results(rig: &Rig, cast: &Cast, out: &Path, outcome: &Outcome) -> Result<()> {
    std::fs::copy(&rig.world.roots_pem, out.join("roots.pem"))?;
    std::fs::write(out.join("report.json"), serde_json::to_string_pretty(&outcome.report)? + "\n")?;
    let evidence = cast
        .clerk
        .request(reqwest::Method::GET, &format!("/v1/documents/{}/evidence", outcome.document.id))
        .send()
        .await?
        .error_for_status()
        .context("the evidence bundle")?;
    std::fs::write(out.join("evidence.zip"), evidence.bytes().await?)?;
    Ok(())
}

async fn verify(rig: &Rig, out: &Path, released: &Path) -> Result<String> {
    let trust = rig.world.roots_pem.display().to_string();
    let text = rig
        .trinhky(&[
            "verify",
            &released.display().to_string(),
            "--trust",
            &trust,
            "--revocation",
            "require",
            "--offline",
            "--format",
            "json",
        ])
        .await?;
    std::fs::write(out.join("verify.json"), &text)?;
    let report: Value = serde_json::from_str(&text)?;
    let signatures = report["signatures"].as_array().context("the report lists signatures")?;
    ensure!(signatures.len() == 2, "{} signatures, not 2", signatures.len());
    for signature in signatures {
        ensure!(
            signature["indication"] == "TOTAL-PASSED" && signature["level"] == "B-LT",
            "signature {} is {} at {}",
            signature["field"],
            signature["indication"],
            signature["level"]
        );
    }
    Ok(report["verdict"].as_str().unwrap_or_default().to_owned())
}

async fn judge(arguments: &Arguments, rig: &Rig, pdf: &Path, outcome: &Outcome) -> Result<()> {
    if !arguments.judges {
        return Ok(());
    }
    let case = Case {
        pdf: &outcome.released,
        trust: &rig.world.roots_pem,
        bases: &outcome.bases,
        pages_of: Some(pdf),
        signatures: 2,
    };
    let findings = judges::ask(&case).await?;
    std::fs::write(arguments.out.join("judges.json"), serde_json::to_string_pretty(&findings)?)?;
    Ok(())
}

fn welcome(rig: &Rig, window: &Window) {
    eprintln!("\nHệ thống:          {}", rig.url);
    eprintln!("Điện thoại, SIM:   {}", rig.world.page_url);
    eprintln!("Cửa sổ đóng dấu:   {} (mở được một lần)", window.address);
    eprintln!("Mã PIN con dấu:    {TOKEN_PIN} (hai văn bản đang chờ đóng dấu)");
    eprintln!(
        "\n{:<8} {:<26} {:<16} {:<22} mã xác thực (base32)",
        "vai trò", "họ tên", "tên đăng nhập", "mật khẩu"
    );
    for account in &rig.world.accounts {
        eprintln!(
            "{:<8} {:<26} {:<16} {:<22} {}",
            account.role, account.full_name, account.username, account.password, account.totp_secret
        );
    }
    eprintln!("\nCtrl-C để dừng.");
}
