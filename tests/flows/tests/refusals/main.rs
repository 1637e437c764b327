//! What must not happen, each with its code, its status and a Vietnamese sentence, and nothing kept that should not be.
//! `docs/refusals.md` lists every refusal and the test that shows it; [`table`] compares it with the code.
//!
//! | module | what is refused |
//! |---|---|
//! | [`files`] | a file at the door |
//! | [`requests`] | a request, whatever it is about |
//! | [`documents`] | a draft, and what its maker wrote |
//! | [`lies`] | what a lying server prepared, by the leader's own device |
//! | [`decisions`] | a decision, a second one, a second one on the same number |
//! | [`certificates`] | a certificate that does not stand, or is another person's |
//! | [`signatures`] | a signature over other bytes or by somebody else |
//! | [`forgeries`] | a prompt, by the gate, when the rows were written by hand |
//! | [`seals`] | number and seal too early, by the wrong person |
//! | [`releases`] | a release that the leaders did not decide on, or whose signatures do not hold |

mod certificates;
mod decisions;
mod documents;
mod files;
mod forgeries;
mod lies;
mod releases;
mod requests;
mod said;
mod seals;
mod signatures;
mod table;
