//! Training policies: Direct Backprop for networks, search for heuristics.

mod crossed;
mod direct_backprop;
mod lost_sales;
mod recipe;
mod setting;
mod tune;
pub(crate) mod windows;

pub use direct_backprop::{Progress, Trained, Training, direct_backprop};
pub use lost_sales::{LostSalesPolicy, LostSalesTraining, train_lost_sales};
pub use recipe::{Course, Fitted, Recipe};
pub use setting::Setting;
pub use tune::{groups_by_variation, tune_levels};
