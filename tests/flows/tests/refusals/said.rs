//! How a refusal is told: by the server over HTTP, by the leader's core, by a whole program.

use anyhow::{Context, Result, bail, ensure};
use trinhky_flows::clerk::{Answered, refusal};
pub(crate) use trinhky_flows::main_job::submitted_to;
use trinhky_flows::phone::Phone;
pub(crate) use trinhky_flows::phone::enrolled;
pub(crate) use trinhky_flows::sims::{behave, control, msisdn};
use trinhky_mobile_core::{CoreError, Error};
use trinhky_protos::problem::{Code, Problem};

/// Asserts that the server refused: its code, its status, its Vietnamese sentence.
pub(crate) fn refused<T>(answer: Result<T>, code: Code) -> Result<()> {
    let Err(error) = answer else { bail!("taken, and not refused with {code:?}") };
    ensure!(refusal(&error) == code.as_str(), "refused with {error:#}, not {code:?}");
    let answered = error.downcast_ref::<Answered>().context("the server answered")?;
    says(answered.status.as_u16(), answered.problem.as_ref().context("it is a problem")?, code)
}

/// Asserts that the server refused what a phone asked of it, and that the core passes the sentence on.
pub(crate) fn phone_refused<T>(phone: &Phone, answer: Result<T>, code: Code) -> Result<()> {
    core_refused(answer, code.as_str(), code.vietnamese())?;
    let (status, problem) = phone.last_refusal().context("the server refused")?;
    says(status, &problem, code)
}

/// Asserts that the core refused by itself, and what its app would show.
pub(crate) fn core_refused<T>(answer: Result<T>, code: &str, sentence: &str) -> Result<()> {
    let Err(error) = answer else { bail!("taken, and not refused with {code}") };
    let told = CoreError::from(error.downcast::<Error>().context("the core refused")?);
    let told = told.told();
    ensure!(told.code == code, "refused with {told:?}, not {code}");
    ensure!(told.message == sentence, "the sentence is {:?}", told.message);
    Ok(())
}

/// Asserts that a program of ours ended with this refusal, in code and sentence.
pub(crate) fn program_refused<T>(answer: Result<T>, code: &str, sentence: &str) -> Result<()> {
    let Err(error) = answer else { bail!("done, and not refused with {code}") };
    let said = format!("{error:#}");
    ensure!(said.contains(code) && said.contains(sentence), "it said {said}, not {code}");
    Ok(())
}

fn says(status: u16, problem: &Problem, code: Code) -> Result<()> {
    ensure!(status == code.status(), "{code:?} came with {status}");
    ensure!(problem.code == code.as_str(), "the problem is {problem:?}");
    ensure!(problem.detail == code.vietnamese(), "the sentence is {:?}", problem.detail);
    Ok(())
}
