//! Debates as repeated games with oracles (arXiv 2312.04792): judges that count their calls and add noise, debates with exponentially many strategies, the four-arm comparison.
//!
//! No language model is needed: a debate is a matrix of win probabilities ([`WinMatrix`]), a chain of arguments ([`ArgumentChains`]) or a tree with few decisive leaves
//! ([`TruthTree`]).

mod arms;
mod judge;
mod structure;

pub use arms::{ARMS, Arm, ArmResult, ArmSettings, Estimate, compare_arms};
pub use judge::{Counted, Judge, Noisy, WinMatrix};
pub use structure::{ArgumentChains, TruthTree, chain_reward};
