//! Laws of the replay, for every kind of policy, convention, opening stock and week.

mod accounts;
mod future;
mod numbers;
mod world;
