//! A coordinator as a market of replays, and limits from files.

use hindsight_capacity::gpu::Device;
use hindsight_capacity::limits::Limits;
use hindsight_capacity::market::{PricedBuyer, PricedCapacity};
use hindsight_capacity::{Cases, Cohort, Course, Error, HISTORY, Model, Record, World};
use hindsight_exo_idp::period::States;
use hindsight_exo_idp::replay::Quantity;
use hindsight_exo_idp::{Conventions, Paths, Replay, Window};

const PRODUCTS: usize = 12;
const WEEKS: usize = 20;

/// All products of a panel, replayed in the market of a coordinator, use what the joint roll-out of the same cohort says, and are charged what
/// its prices come to.
#[test]
fn a_replay_in_the_market_is_the_joint_roll_out() {
    let world = World::new(PRODUCTS, HISTORY + WEEKS, 5).unwrap();
    let paths = Paths::new(world.panel(), &world.lead_times().unwrap(), 1).unwrap();
    let (resources, index) = (world.resources().unwrap(), world.index().to_vec());
    let record = Record::new(&paths, resources, index, vec![2.0; PRODUCTS]).unwrap();
    let (device, model) = (Device::best(), Model::new(&record.shape(), 8, 2));
    let course = Course {
        weeks: WEEKS,
        ..Course::default()
    };
    let cohort = Cohort {
        products: (0..PRODUCTS).collect(),
        start: HISTORY,
    };
    let row =
        |level: f64| -> Vec<f64> { (0..20_u32).map(|t| level + 5.0 * f64::from(t)).collect() };
    let limits = Limits::new(vec![row(300.0), row(100.0)], 6).unwrap();
    let cases = Cases::<f32>::new(&record, &[cohort], course).unwrap();
    let cases = cases.with_limits(std::slice::from_ref(&limits)).unwrap();
    let roll = cases.coordinate(&model, &device).unwrap();

    // The market counts weeks from the first of the panel.
    let early = |row: &[f64]| [vec![row[0]; HISTORY], row.to_vec()].concat();
    let all = vec![early(limits.of(0)), early(limits.of(1))];
    let all = Limits::new(all, 6).unwrap();
    let market = PricedCapacity::new(model.coordinator.clone(), &record, &all).unwrap();
    let buyer = PricedBuyer::new(model.buyer.clone(), &record);
    let (stock, orders) = cases.opening(0);
    let lanes = vec![0.0; PRODUCTS];
    let states = States::new(stock, orders, lanes).unwrap();
    let window = Window {
        scored: HISTORY..HISTORY + WEEKS,
        warm_up: 0,
    };
    let replay = Replay::opened(&paths, Conventions::default(), window, states).unwrap();
    let outcomes = replay.run_in(&buyer, &market, &device).unwrap();
    let volume = |r: usize, p: usize| record.resources()[r].volumes()[p];
    for week in 0..WEEKS {
        let mut charged = 0.0;
        for (r, quantity) in [Quantity::OnHand, Quantity::Received]
            .into_iter()
            .enumerate()
        {
            let own = |p| volume(r, p) * outcomes.mean(quantity, p, HISTORY + week);
            let used: f64 = (0..PRODUCTS).map(own).sum();
            let expected = roll.usage[0][r][week];
            assert!(
                (used - expected).abs() < 1e-3 * (1.0 + expected),
                "{used} {expected}"
            );
            charged += roll.prices[0][week][r * 14] * expected;
        }
        let charge = |p| outcomes.mean(Quantity::Charge, p, HISTORY + week);
        let found: f64 = (0..PRODUCTS).map(charge).sum();
        assert!(
            (found - charged).abs() < 1e-3 * (1.0 + charged),
            "{found} {charged}"
        );
    }
    let short = Limits::new(vec![vec![1.0; 5]; 2], 1).unwrap();
    let error = PricedCapacity::new(model.coordinator, &record, &short).unwrap_err();
    assert!(matches!(
        error,
        Error::TooShort {
            needed: 28,
            found: 5
        }
    ));
}

#[cfg(feature = "io")]
mod files {
    use hindsight_capacity::limits::{read_limits, read_volumes};
    use hindsight_capacity::{Error, limits::Limits};
    use sheet::{Format, Sheet};

    fn table(text: &str) -> Sheet {
        let owned = text.to_owned().into_bytes();
        Sheet::from_reader(std::io::Cursor::new(owned), "file.csv", Format::default()).unwrap()
    }

    fn limits(text: &str) -> Result<Limits, Error> {
        read_limits(&mut table(text), &["storage", "inbound"], 3, 13)
    }

    #[test]
    fn limits_come_back_as_they_were_written() {
        let read = limits("inbound,week,storage\n7,12,900\n8,13,800.5\n9,14,0\n").unwrap();
        assert_eq!(read.of(0), [900.0, 800.5, 0.0]);
        assert_eq!(read.of(1), [7.0, 8.0, 9.0]);
    }

    #[test]
    fn weeks_of_limits_may_be_dates() {
        for weeks in [
            ["2024-12-23", "2024-12-30", "2025-01-06"],
            ["23.12.2024", "30.12.2024", "06.01.2025"],
            ["2024-W52", "2025-W01", "2025-W02"],
        ] {
            let [a, b, c] = weeks;
            let text = format!("week,storage,inbound\n{a},2,3\n{b},4,5\n{c},1,1\n");
            assert_eq!(limits(&text).unwrap().of(0), [2.0, 4.0, 1.0]);
            let gap = format!("week,storage,inbound\n{a},2,3\n{c},4,5\n{c},1,1\n");
            assert!(limits(&gap).unwrap_err().to_string().contains("follows"));
        }
    }

    /// Every fault is named with file, line and column.
    #[test]
    fn faults_in_limits_are_named_with_line_and_column() {
        for (text, words) in [
            (
                "week,storage,inbound\n1,2,3\n2,-4,3\n3,1,1\n",
                "file.csv:3: column \"storage\": \"-4\" is negative",
            ),
            (
                "week,storage,inbound\n1,2,3\n2,4,NaN\n3,1,1\n",
                "file.csv:3: column \"inbound\": \"NaN\"",
            ),
            (
                "week,storage,inbound\n1,2,3\n2,4,5\n",
                "file.csv:3: limits of 2 weeks, and 3 are needed",
            ),
            (
                "week,storage,inbound\n1,2,3\n2,4,5\n3,1,1\n4,1,1\n",
                "file.csv:5: limits of 4 weeks, and 3 are needed, a row for each week that is judged",
            ),
            (
                "week,storage,inbound\n1,2,3\n4,4,5\n5,1,1\n",
                "file.csv:3: column \"week\": week \"4\" is no whole number or date that follows the week before",
            ),
        ] {
            let error = limits(text).unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
        }
        let error = limits("week,storage\n1,2\n").unwrap_err().to_string();
        assert!(error.contains("inbound"), "{error}");
    }

    #[test]
    fn faults_in_volumes_are_named_with_line_and_column() {
        let products = ["tea".to_owned(), "rice".to_owned()];
        let read = |text: &str| read_volumes(&mut table(text), &products, &["storage", "inbound"]);
        let same = read("product,volume\nrice,2\ntea,0.5\n").unwrap();
        assert_eq!(same, [[0.5, 2.0], [0.5, 2.0]]);
        for (text, words) in [
            (
                "product,volume\nrice,2\nsalt,1\n",
                "file.csv:3: column \"product\": there is no product \"salt\"",
            ),
            (
                "product,volume\nrice,0\ntea,1\n",
                "file.csv:2: column \"volume\": \"0\" is zero",
            ),
            (
                "product,volume\nrice,1\nrice,1\n",
                "file.csv:3: column \"product\": product \"rice\" is named twice",
            ),
            (
                "product,volume\nrice,1\n",
                "file.csv: the volume of product \"tea\" is not given",
            ),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
        }
    }
}
