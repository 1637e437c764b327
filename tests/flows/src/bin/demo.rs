//! `make demo`: the whole product with an imaginary province around it, one document carried through the main job by
//! itself, each step said in a line. With `--once` it ends there and leaves its results in a folder; without, it keeps
//! serving for the visitor.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use serde_json::Value;
use trinhky_flows::judges::{self, Case};
use trinhky_flows::main_job::{self, Cast, Outcome, Steps};
use trinhky_flows::rig::{Plan, Rig};

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
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    std::fs::create_dir_all(&arguments.out)?;
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
        welcome(&rig);
        tokio::signal::ctrl_c().await?;
    }
    Ok(())
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

fn welcome(rig: &Rig) {
    eprintln!("\nHệ thống:        {}", rig.url);
    eprintln!("Điện thoại, SIM: {}", rig.world.page_url);
    eprintln!(
        "\n{:<10} {:<28} {:<14} {:<22} mã xác thực (base32)",
        "vai trò", "họ tên", "tên đăng nhập", "mật khẩu"
    );
    for account in &rig.world.accounts {
        eprintln!(
            "{:<10} {:<28} {:<14} {:<22} {}",
            account.role, account.full_name, account.username, account.password, account.totp_secret
        );
    }
    eprintln!("\nCtrl-C để dừng.");
}
