//! The results of a back-test with what the file and the command line say: what the JSON document, the page and the table hold.

use bandit_eval::equilibrium::PolicyGap;
use exo_idp::backtest::{
    Learning, Origins, Pair, PolicyResult, ProductResult, Results, Sample, Segmentation,
};
use serde::Serialize;
use serde::ser::Serializer;

/// How the run was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Run {
    /// The file, or what takes its place.
    pub(super) source: String,
    /// Rows read.
    pub(super) rows: usize,
    /// Products.
    pub(super) products: usize,
    /// Weeks without a row between a product's first and last.
    pub(super) missing_weeks: usize,
    /// First and last week for fitting and training, as the file writes them.
    pub(super) training: (String, String),
    /// First and last scored week.
    pub(super) held_out: (String, String),
    /// The law of lead times.
    pub(super) lead_time: String,
    /// The unit of money ("USD").
    pub(super) money: String,
    /// Further conventions by name: order of events, end of horizon, discount, holding cost, start.
    pub(super) conventions: Vec<(String, String)>,
}

/// A back-test in full.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Document {
    pub(super) run: Run,
    /// What a reader must know: sales taken as demand, a synthetic world, products left out.
    pub(super) notices: Vec<String>,
    pub(super) results: Results,
    /// Whether changing a small share of each policy's orders would have earned more.
    pub(crate) gaps: Vec<PolicyGap>,
}

impl Document {
    /// What was replayed.
    pub(crate) fn scope(&self) -> String {
        let run = &self.run;
        let products = super::tables::products(run.products);
        let (from, to) = &run.held_out;
        format!("{}: {products}, scored on weeks {from} to {to}", run.source)
    }

    /// What `hindsight bandit equilibrium` stores.
    pub(crate) fn gaps(&self) -> impl Serialize {
        #[derive(Serialize)]
        struct Gaps<'a> {
            run: &'a Run,
            gaps: &'a [PolicyGap],
        }
        Gaps {
            run: &self.run,
            gaps: &self.gaps,
        }
    }
}

/// The fields of the JSON document, in their order.
#[derive(Serialize)]
struct Fields<'a> {
    run: &'a Run,
    notices: &'a [String],
    policies: &'a [PolicyResult],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    gaps: &'a [PolicyGap],
    best_heuristic: &'a str,
    bound: f64,
    pairs: &'a [Pair],
    #[serde(skip_serializing_if = "Option::is_none")]
    origins: Option<&'a Origins>,
    learning: &'a Learning,
    group_names: &'a [String],
    splits: &'a [Segmentation],
    samples: &'a [Sample],
    products: &'a [ProductResult],
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let results = &self.results;
        let fields = Fields {
            run: &self.run,
            notices: &self.notices,
            policies: &results.policies,
            gaps: &self.gaps,
            best_heuristic: &results.best_heuristic,
            bound: results.bound,
            pairs: &results.pairs,
            origins: results.origins.as_ref(),
            learning: &results.learning,
            group_names: &results.group_names,
            splits: &results.splits,
            samples: &results.samples,
            products: &results.products,
        };
        fields.serialize(serializer)
    }
}
