//! Training policies: Direct Backprop for networks, search for heuristics.

mod choice;
mod crossed;
mod direct_backprop;
mod learner;
mod lesson;
mod lost_sales;
pub mod pretrain;
mod recipe;
mod setting;
mod tune;
pub(crate) mod windows;

pub use choice::{Choice, Trial};
pub use direct_backprop::{Progress, Trained, Training, direct_backprop};
pub use learner::{Candidates, Learned, Learner, LearningStage, Material};
pub use lesson::TrainingWindows;
pub use lost_sales::{LostSalesPolicy, LostSalesTraining, train_lost_sales};
pub use recipe::{Fitted, Recipe, TrainingEvent};
pub use setting::Setting;
pub use tune::{TunedFactors, groups_by_variation, tune_factors, tune_levels};
