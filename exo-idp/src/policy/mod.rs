//! Policies: from what is seen to an order.

/// Name, parameters and signals of a rule that keeps them in the fields `theta` and `signals`: the part of [`Policy`] that all rules
/// of a few numbers share.
macro_rules! holds_theta_and_signals {
    ($self:ident, $name:expr) => {
        fn name(&$self) -> &str {
            $name
        }
        fn theta(&$self) -> &[f64] {
            &$self.theta
        }
        fn signals(&$self) -> Option<&Signals> {
            Some(&$self.signals)
        }
    };
}

mod base_stock;
mod constant;
mod fixed_order_cost;
mod interface;
mod known_weeks;
pub(crate) mod level;
mod neural;
mod newsvendor;
mod order_up_to;
mod plan;
mod promotion;
mod recorded;
mod selected;
pub mod trailing;

pub use crate::arrivals::LeadTimeLaw;
pub use crate::signals::Signals;
pub use base_stock::{BaseStock, CappedBaseStock};
pub use constant::ConstantOrder;
pub use fixed_order_cost::ReorderPoint;
pub use interface::{Observation, Policy};
pub use level::{Damage, LevelNetwork, LevelWeights, Normaliser};
pub use neural::{Anchor, Neural, NeuralConfig};
pub(crate) use newsvendor::coverage;
pub use newsvendor::{LeadTimeDemand, critical_ratio, target_position};
pub use order_up_to::OrderUpTo;
pub use plan::Plan;
pub use promotion::PromotionForecast;
pub use recorded::RecordedOrders;
pub use selected::Selected;
