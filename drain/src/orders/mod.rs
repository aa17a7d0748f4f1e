//! The order-by-order fulfilment simulator: what a system that meets each order as it comes would ship, from where, how and when.
//!
//! [`OutboundNetwork`] is where units may come from and what carrying them costs, [`Order`] what a customer asks for, [`fulfil`] goes through the orders
//! one by one, [`Ledger`] is what happened. It stands in for a production system: greedy, full of integers, deliberately not differentiable.
//! [`Referee`] turns units asked for by zone into orders and meets them.
//! [`relaxation`] is the linear programme that no such system can beat. All of it is our own formulation.

mod fulfil;
mod network;
mod order;
mod parcel;
mod referee;
mod relaxation;
#[cfg(test)]
mod tests;

pub use fulfil::{Ledger, Rules, fulfil};
pub use network::{OutboundNetwork, ShipOption, Warehouse};
pub use order::{Line, Order};
pub use parcel::Parcel;
pub use referee::{Place, Referee};
pub use relaxation::relaxation;
