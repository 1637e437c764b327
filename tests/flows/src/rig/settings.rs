//! The settings file of a rig.

use std::path::Path;

use anyhow::{Context, Result};

use super::{MailBy, Plan, WorldView};
use crate::process::{command, output};

/// What `trinhky` reads, for this plan and province.
pub(super) async fn settings_text(
    plan: &Plan,
    database: &str,
    world: &WorldView,
    folder: &Path,
) -> Result<String> {
    let vapid = folder.join("vapid.pem");
    let mut openssl = command("openssl");
    openssl.args(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out"]).arg(&vapid);
    output(openssl).await?;
    let scanner = plan.scanner.as_ref().map_or_else(
        || "mode = \"off\"".to_owned(),
        |address| format!("mode = \"required\"\naddress = \"{address}\""),
    );
    let ocsp_host = host(&world.ocsp_url)?;
    let push_host = host(&world.push_base)?;
    let push_name = push_host.split(':').next().unwrap_or_default();
    let roots = world.roots_pem.display();
    Ok(format!(
        r#"[server]
listen = "127.0.0.1:{port}"

[database]
url = "{database}"

[files]
url = "file:files"

[trust]
roots = ["{roots}"]
intermediates = ["{chain}"]

[tsa]
url = "{tsa}"

[revocation]
allow = ["{ocsp_host}"]

[scanner]
{scanner}

[jobs]
poll_milliseconds = 50
retry_milliseconds = 200
retry_max_milliseconds = 1000
lease_seconds = 2

[push]
vapid_key = "{vapid}"
subject = "mailto:quantri@example.vn"
allow = ["{push_host}", "{push_name}"]
allow_private = true

{mail}
[seal]
certificate = "{seal}"
image = "{seal_image}"

[gate]
mssp_url = "{mssp}"
mssp_ca = "{mssp_ca}"
ap_cert = "{ap_cert}"
ap_key = "{ap_key}"
ap_id = "{ap_id}"
ap_password_file = "{ap_password}"
journal = "journal"
roots = ["{roots}"]
poll_milliseconds = 200
lease_milliseconds = {lease}
dialog_seconds = {dialog}
grace_seconds = 5

[policy]
profile = "{profile}"
{more}
"#,
        port = plan.port,
        chain = world.chain_pem.display(),
        tsa = world.tsa_url,
        vapid = vapid.display(),
        mail = mail_section(plan, world),
        seal = world.seal.certificate_pem.display(),
        seal_image = world.seal_image.display(),
        mssp = world.mssp_url,
        mssp_ca = world.mssp_ca_pem.display(),
        ap_cert = world.ap_cert_pem.display(),
        ap_key = world.ap_key_pem.display(),
        ap_id = world.ap_id,
        ap_password = world.ap_password_file.display(),
        dialog = plan.dialog_seconds,
        lease = plan.lease_milliseconds,
        profile = plan.profile,
        more = plan.settings,
    ))
}

fn mail_section(plan: &Plan, world: &WorldView) -> String {
    let url = match plan.mail {
        MailBy::StartTls => &world.smtp_url,
        MailBy::TlsFirst => &world.smtps_url,
        MailBy::NotSetUp => return String::new(),
    };
    format!(
        r#"[mail]
url = "{url}"
ca = "{ca}"
from = "{from}"
username = "{from}"
password_file = "{password}"
"#,
        ca = world.mail_ca_pem.display(),
        from = world.mail_from,
        password = world.mail_password_file.display(),
    )
}

fn host(url: &str) -> Result<String> {
    let rest = url.split_once("://").context("a URL has a scheme")?.1;
    Ok(rest.split('/').next().unwrap_or_default().to_owned())
}
