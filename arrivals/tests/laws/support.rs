//! Small panels and replays.

use hindsight_arrivals::exo_idp::panel::Columns;
use hindsight_arrivals::exo_idp::policy::{BaseStock, Signals};
use hindsight_arrivals::exo_idp::{Conventions, Panel, Paths, Replay, Window};

/// `products` products over `weeks` weeks of uneven demand.
pub(crate) fn panel(products: usize, weeks: usize) -> Panel {
    let cells = products * weeks;
    let columns = Columns {
        demand: (0..cells).map(|i| ((i * 7919) % 13) as f64).collect(),
        price: vec![10.0; cells],
        cost: vec![6.0; cells],
        present: vec![true; cells],
        covariates: vec![],
    };
    let names = (0..products).map(|p| format!("p{p}")).collect();
    Panel::new(names, weeks, columns).unwrap()
}

pub(crate) fn replay<'p>(paths: &'p Paths<'p>, reference: f64) -> Replay<'p> {
    let weeks = paths.panel().weeks();
    let window = Window {
        scored: 10..weeks,
        warm_up: 0,
    };
    let reference = vec![reference; paths.panel().products()];
    Replay::new(paths, Conventions::default(), window, &reference).unwrap()
}

pub(crate) fn base_stock(panel: &Panel, level: f64) -> BaseStock {
    let level = Signals::constant(panel.weeks(), 1, panel.products(), move |_, p| {
        level + p as f64
    });
    BaseStock::new("base stock", 1.0, level)
}
