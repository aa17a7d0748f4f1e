//! The account adds up, and its orders earn in the replay what it says.

use gpu::{DelayLine, Device, Scalar};
use proptest::prelude::*;

use super::*;
use crate::conventions::{Receipts, Terminal, Unmet};
use crate::panel::Columns;
use crate::period::States;
use crate::policy::{Observation, Policy, Signals};
use crate::{Conventions, LeadTimes, Panel, Paths, Window};

const WEEKS: usize = 14;

#[derive(Debug)]
struct Given(Signals);
impl Policy for Given {
    fn name(&self) -> &'static str {
        "given"
    }
    fn signals(&self) -> Option<&Signals> {
        Some(&self.0)
    }
    fn order<S: Scalar>(&self, _: &[S], seen: &Observation<'_, S>, _: &mut [DelayLine<S>]) -> S {
        seen.signals[0]
    }
}

fn conventions() -> impl Strategy<Value = Conventions> {
    let numbers = (0.9_f64..1.0, 0.0_f64..0.4, 0.0_f64..2.0);
    let share = prop_oneof![Just(0.0), Just(1.0), 0.0_f64..1.0];
    (numbers, share, any::<bool>(), any::<bool>()).prop_map(
        |((discount, holding, penalty), share, after, waits)| Conventions {
            receipts: [Receipts::BeforeDemand, Receipts::AfterDemand][usize::from(after)],
            unmet: [Unmet::Lost, Unmet::Backordered][usize::from(waits)],
            terminal: Terminal::ShareOfCost(share),
            discount,
            holding,
            penalty,
            ..Conventions::default()
        },
    )
}

fn panel() -> impl Strategy<Value = Panel> {
    let column = |numbers| prop::collection::vec(numbers, WEEKS);
    let demand = column(prop_oneof![Just(0.0), 0.0_f64..20.0].boxed());
    let price = column((4.0_f64..9.0).boxed());
    let cost = prop_oneof![
        column((1.0_f64..5.0).boxed()),
        (1.0_f64..5.0).prop_map(|cost| vec![cost; WEEKS])
    ];
    let present = prop::collection::vec(prop::bool::weighted(0.9), WEEKS);
    (demand, price, cost, present).prop_map(|(demand, price, cost, mut present)| {
        present[0] = true;
        let columns = Columns {
            demand,
            price,
            cost,
            present,
            covariates: vec![],
        };
        Panel::new(vec!["a".into()], WEEKS, columns).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// The weeks sum to the optimum, and nothing is short where stock is worth nothing at the end. What the orders of the account earn in
    /// the replay is what the account says, week by week.
    #[test]
    fn weeks_sum_to_the_optimum_and_are_those_of_its_orders(
        panel in panel(), conventions in conventions(), longest in 0_usize..4, seed in 0_u64..1000, on_hand in 0.0_f64..30.0,
        orders in prop::collection::vec(0.0_f64..9.0, 3), worth in 1.0_f64..5.0, warm_up in 0_usize..3,
    ) {
        let law = LeadTimes::uniform(0, longest, 0.3, seed).unwrap();
        let paths = Paths::new(&panel, &law, 1).unwrap();
        let states = States::new(
            vec![on_hand],
            orders[..longest].iter().map(|&units| vec![units]).collect(),
            vec![worth * (on_hand + orders[..longest].iter().sum::<f64>())],
        );
        let window = Window { scored: warm_up..WEEKS, warm_up };
        let replay = Replay::opened(&paths, conventions, window, states.unwrap()).unwrap();
        let account = hindsight_account(&replay, 0);
        let scale = 1e-7 * (1.0 + account.total.abs());
        prop_assert_eq!(account.total.to_bits(), crate::oracle::hindsight_optimum(&replay, 0).to_bits());
        prop_assert!((account.weeks.iter().sum::<f64>() - account.total).abs() < 1e-9 * (1.0 + account.total.abs()));

        let known = Known::of(&replay, 0);
        let deliveries = known.deliveries(&known.optimum().0);
        let (booked, _) = play(&replay, 0, &deliveries);
        let short = account.total - booked.iter().sum::<f64>();
        prop_assert!(short > -scale, "{short}");
        if conventions.salvage() <= 0.0 {
            prop_assert!(short < scale, "{short}");
        }
        let given = Signals::from_fn(WEEKS, 1, 1, |week, _, _| {
            let own = deliveries.iter().filter(|d| d.placed + warm_up == week);
            own.map(|d| d.units).sum()
        });
        let outcomes = replay.run_as::<f64, _, _>(&Given(given), &(), &Device::cpu(1)).unwrap();
        for (week, (own, booked)) in outcomes.accrued_reward(0).iter().zip(&booked).enumerate() {
            prop_assert!((own - booked).abs() < scale, "week {week}: {own} for {booked}");
        }
    }
}
