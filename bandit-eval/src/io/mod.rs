//! Logs in: rounds from CSV or JSON lines, one at a time, in memory that does not depend on the file.
//!
//! ```
//! use hindsight_bandit_eval::io::{Columns, LogReader, Target};
//! use hindsight_bandit_eval::{Estimator, Evaluation, verdict::Limits};
//!
//! let log = "action,reward,propensity,target_hold,target_cut\n".to_owned()
//!     + &"hold,1,0.5,0.2,0.8\ncut,2,0.5,0.2,0.8\n".repeat(100);
//! let columns = Columns { target: Target::Probabilities("target_".into()), ..Columns::default() };
//! let mut reader = LogReader::new(log.as_bytes(), &columns)?;
//! let mut evaluation = Evaluation::new(&[Estimator::Snips])?;
//! while reader.next_round()? {
//!     reader.push_to(&mut evaluation)?;
//! }
//! let estimate = evaluation.estimate(Estimator::Snips, &Limits::default())?.expect("evaluable");
//! assert!((estimate.value - 1.8).abs() < 1e-9);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arms;
mod cells;
mod csv;
mod error;
mod json;
mod log;
mod number;
mod study;

pub use arms::{ArmColumns, ArmLog, CLASSES, OwnedHistory};
pub use error::{Problem, ReadError};
pub use log::{Columns, LogReader, Target};
pub use study::{Finding, Findings, Study};
