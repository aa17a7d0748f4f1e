//! Could this policy be bettered in hindsight, by changing a small share of its actions?
//!
//! An *equilibrium policy* in the sense of Foster, Jia and Madeka ("Contextual Bandits for Evaluating and Improving Inventory Control
//! Policies", 2310.16096) is one for which, in hindsight, altering only a small fraction of its actions would not have given materially more.
//! The notion is the paper's; everything below is our own formulation.
//!
//! An *arm* is a way to change an action; arm 0 keeps it. A *map* $\phi$ says which arm to take in which context $z$. Changing each action
//! with a small probability $\delta$, as $\phi$ says, gains per decision and per unit of $\delta$
//! $$ \text{gain}(\phi) = \frac{\sum_t \gamma^t A(s_t, \phi(z_t))}{\sum_t \gamma^t}, $$
//! with the advantage $A$ of one changed action over the path as it was. The *gap* is the largest gain over a class of maps: 0 for a policy that no
//! map of the class betters, and never less, as keeping is in every class. A gap of 0 is a local statement: it does not say that the policy is optimal.
//!
//! - [`GainTable`] holds what each arm gained in each decision: measured on the same path with and without the change (a replay), or estimated
//!   from a live log where one arm was taken ([`GainTable::from_log`]).
//! - [`GainTable::gap`] chooses a map of a [`MapClass`] on some products and measures it on others.
//! - [`plateau`] says whether the window of rewards is long enough.
//! - [`Explorer`] tries arms in live operation with known propensities and no overlapping windows, [`Improver`] accepts a map once its gain is
//!   beyond doubt, and takes it back when it disappoints.
//!
//! ```
//! use hindsight_bandit_eval::equilibrium::{GainTable, MapClass, Question};
//! use hindsight_bandit_eval::model::Features;
//! // One arm beside keeping, which gains 1 in context 1 and loses 1 in context 0.
//! let context: Vec<f64> = (0..400).map(|i| f64::from(i / 2 % 2)).collect();
//! let gains: Vec<f64> = context.iter().enumerate().map(|(i, z)| 2.0 * z - 1.0 + (i % 2) as f64 - 0.5).collect();
//! let product: Vec<u64> = (0..400).map(|i| i / 10).collect();
//! let table = GainTable::new(1, &gains, Features::new(1, &context)?, &product, None)?;
//! let gap = table.gap(MapClass::Tabular, &Question::default())?;
//! assert!(gap.interval.contains(0.5) && gap.is_material());
//! assert_eq!(gap.map.arm(&[1.0]), 1);
//! assert_eq!(gap.map.arm(&[0.0]), 0);
//! # Ok::<(), hindsight_bandit_eval::Error>(())
//! ```

#[cfg(feature = "exo-idp")]
mod examine;
mod explorer;
mod gap;
mod improver;
mod judged;
mod map;
mod plateau;
#[cfg(feature = "exo-idp")]
mod replay;
mod table;
mod tree;

#[cfg(feature = "exo-idp")]
#[cfg_attr(docsrs, doc(cfg(feature = "exo-idp")))]
pub use examine::{GapDifference, PolicyGap, WindowGaps};
pub use explorer::{Choice, Explorer};
pub use gap::{ContextGain, Gap, Question};
pub use improver::{Improver, Step};
pub use judged::{Judged, MapGain};
pub use map::{Map, MapClass};
pub use plateau::{Plateau, plateau};
#[cfg(feature = "exo-idp")]
#[cfg_attr(docsrs, doc(cfg(feature = "exo-idp")))]
pub use replay::{ReplayedGains, Tweak};
pub use table::{GainTable, LoggedArm};
