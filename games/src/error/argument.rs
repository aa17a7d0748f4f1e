//! What an argument is called and which methods may fail: the typed parts of [`super::GamesError`].

use std::fmt;

/// An argument of this crate, as errors name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Argument {
    /// An action's number.
    Action,
    /// The number of actions.
    Actions,
    /// The number of actions of both players.
    ActionsOfBoth,
    /// The advantage of the correct side of a debate.
    Advantage,
    /// The values of the arguments of a debate.
    ArgumentTable,
    /// The branching or the depth of a tree of learners.
    Branching,
    /// The number of cells along an axis.
    Cells,
    /// The price at which demand ends.
    ChokePrice,
    /// The payoffs of the column player.
    ColumnMatrix,
    /// A firm's cost of a unit.
    Cost,
    /// The firms' costs.
    Costs,
    /// The slope of demand in the rivals' mean price.
    Cross,
    /// The number of debates, of their rounds or of strategies.
    Debates,
    /// The value where a debate ends without an answer.
    DefaultValue,
    /// The depth of a tree.
    Depth,
    /// A standard deviation.
    Deviation,
    /// The dispersion of tastes.
    Dispersion,
    /// The number of exchanges or of options of a debate.
    Exchanges,
    /// The operator's value of a unit sold.
    Experience,
    /// The exponent of demand.
    Exponent,
    /// The number of factors of an action.
    FactorCount,
    /// The number of options of each factor of an action.
    Factors,
    /// The share of revenue that is paid.
    Fee,
    /// The number of rounds planned.
    Horizon,
    /// Demand at price zero.
    Intercept,
    /// A distribution over profiles.
    Joint,
    /// The number of actions of a learner.
    LearnerActions,
    /// The label dropped first: a row, or the number of rows plus a column.
    Label,
    /// One learner a player.
    Learners,
    /// The payoffs of a zero-sum game.
    Matrix,
    /// One mixed strategy a player.
    MixedProfile,
    /// A player's mixed strategy.
    MixedStrategy,
    /// The monopoly price or profit.
    Monopoly,
    /// The Nash price or profit.
    Nash,
    /// The objective of a programme.
    Objective,
    /// The price or profit observed.
    Observed,
    /// The operator's cost of a unit.
    OperatorCost,
    /// The value of buying nothing.
    Outside,
    /// The seller's payoff elsewhere.
    OutsideOption,
    /// The slope of demand in the own price.
    Own,
    /// One player's payoffs.
    PayoffTensor,
    /// The payoffs of all players.
    Payoffs,
    /// A play: an action or a mixed strategy.
    Play,
    /// A player's number.
    Player,
    /// A price.
    Price,
    /// A list of prices.
    Prices,
    /// A probability vector.
    Probabilities,
    /// A pure profile.
    Profile,
    /// The number of pure profiles.
    Profiles,
    /// A firm's quality.
    Quality,
    /// A learning rate.
    Rate,
    /// The retailer's cost of a unit.
    RetailerCost,
    /// The retailer's price.
    RetailerPrice,
    /// The reward of an action.
    Reward,
    /// A round's rewards.
    Rewards,
    /// The payoffs of the row player.
    RowMatrix,
    /// The number of samples or of actions.
    Samples,
    /// The seller's cost of a unit.
    SellerCost,
    /// The seller's price.
    SellerPrice,
    /// The number of actions of each player.
    Shape,
    /// The number of steps of a curve.
    Steps,
    /// The operator's stock.
    Stock,
    /// How far one seller's stock replaces the other's.
    Substitutability,
    /// The temperature of sampling.
    Temperature,
    /// What a buyer pays at most.
    Value,
    /// The number of vertices of a best-reply polytope.
    Vertices,
    /// The probabilities of winning a debate.
    WinProbabilities,
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Action => "action",
            Self::Actions => "actions",
            Self::ActionsOfBoth => "number of actions of both players",
            Self::Advantage => "advantage",
            Self::ArgumentTable => "argument table",
            Self::Branching => "branching or depth",
            Self::Cells => "cells",
            Self::ChokePrice => "choke_price",
            Self::ColumnMatrix => "column player's matrix",
            Self::Cost => "cost",
            Self::Costs => "costs",
            Self::Cross => "cross",
            Self::Debates => "debates, rounds or strategies",
            Self::DefaultValue => "default",
            Self::Depth => "depth",
            Self::Deviation => "deviation",
            Self::Dispersion => "dispersion",
            Self::Exchanges => "exchanges or options",
            Self::Experience => "experience",
            Self::Exponent => "exponent",
            Self::FactorCount => "number of factors",
            Self::Factors => "factors",
            Self::Fee => "fee",
            Self::Horizon => "horizon",
            Self::Intercept => "intercept",
            Self::Joint => "joint",
            Self::LearnerActions => "actions of a learner",
            Self::Label => "label",
            Self::Learners => "learners",
            Self::Matrix => "matrix",
            Self::MixedProfile => "mixed profile",
            Self::MixedStrategy => "mixed strategy",
            Self::Monopoly => "monopoly",
            Self::Nash => "nash",
            Self::Objective => "objective",
            Self::Observed => "observed",
            Self::OperatorCost => "operator_cost",
            Self::Outside => "outside",
            Self::OutsideOption => "outside_option",
            Self::Own => "own",
            Self::PayoffTensor => "payoff tensor",
            Self::Payoffs => "payoffs",
            Self::Play => "play",
            Self::Player => "player",
            Self::Price => "price",
            Self::Prices => "prices",
            Self::Probabilities => "probabilities",
            Self::Profile => "profile",
            Self::Profiles => "number of profiles",
            Self::Quality => "quality",
            Self::Rate => "rate",
            Self::RetailerCost => "retailer_cost",
            Self::RetailerPrice => "retailer_price",
            Self::Reward => "reward",
            Self::Rewards => "rewards",
            Self::RowMatrix => "row player's matrix",
            Self::Samples => "samples or actions",
            Self::SellerCost => "seller_cost",
            Self::SellerPrice => "seller_price",
            Self::Shape => "shape",
            Self::Steps => "steps",
            Self::Stock => "stock",
            Self::Substitutability => "substitutability",
            Self::Temperature => "temperature",
            Self::Value => "value",
            Self::Vertices => "number of vertices of a best-reply polytope",
            Self::WinProbabilities => "win probabilities",
        })
    }
}

/// An iterative method of this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// A linear programme.
    DualSimplex,
    /// The programmes of a commitment.
    Commitment,
    /// The fixed point of sampled modification maps.
    SampledFixedPoint,
    /// Complementary pivoting.
    LemkeHowson,
    /// The iteration of best replies in prices.
    PriceIteration,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DualSimplex => "dual simplex",
            Self::Commitment => "multiple linear programmes",
            Self::SampledFixedPoint => "fixed point of sampled maps",
            Self::LemkeHowson => "Lemke-Howson pivoting",
            Self::PriceIteration => "price iteration",
        })
    }
}
