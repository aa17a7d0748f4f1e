use std::error::Error;
use std::time::Instant;
use hindsight_capacity::gpu::Device;
use hindsight_capacity::*;
use hindsight_exo_idp::Paths;

fn td(size: usize, cohorts: usize, seed: u64) -> Draw {
    Draw { products: 0..400, weeks: 0..150, size, cohorts, families: vec![Family::Haar], roomy: 0.25, notice: 13, seed }
}
fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let n: usize = args[0].parse()?;
    let size: usize = args[1].parse()?;
    let what = &args[2];
    let device = Device::best();
    let world = World::new(600, 220, 1)?;
    let paths = Paths::new(world.panel(), &world.lead_times()?, 1)?;
    let record = Record::new(&paths, world.resources()?, world.index().to_vec(), vec![2.0; 600])?;
    let course = Course::default();
    let file = "/tmp/cap/buyer.txt";
    let model = if let Ok(t) = std::fs::read_to_string(file) { Model::from_text(&t)? } else {
        let t = Instant::now();
        let mut model = Model::new(&record.shape(), 48, 3);
        let pool = Cases::new(&record, &td(8, 256, 1).cohorts(course)?, course)?;
        model.train_buyer(&pool, &Training { steps: 5000, ..Training::default() }, &device)?;
        println!("buyer {:.0} s", t.elapsed().as_secs_f64());
        std::fs::write(file, model.to_text())?;
        model
    };
    let test = Draw { products: 400..600, weeks: 150..220, families: Family::HELD_OUT.to_vec(), roomy: 0.0, ..td(size, n, 5) };
    let cases = test.cases(&record, &model.buyer, course, &device)?;
    let free = cases.play(&model.buyer, None, &device)?;
    let base: f64 = free.reward.iter().sum();
    let show = |name: &str, roll: &Roll, t: Instant| {
        let s = cases.scores(roll);
        let m = |f: &dyn Fn(&Score) -> f64| 100.0 * s.iter().map(f).sum::<f64>() / s.len() as f64;
        println!("{name}: reward {:.2} violation {:.2} p95 {:.1} weeks>5% {:.1} err13 {:.2} ({:.1} s)", 100.0 * roll.reward.iter().sum::<f64>() / base, m(&|s| s.violation), m(&|s| s.violation_p95), m(&|s| s.violated[1]), m(&|s| s.forecast_error[3])/100.0, t.elapsed().as_secs_f64());
    };
    let t = Instant::now();
    show("free", &free, t);
    if what == "base" || what == "dual" { if what == "base" {
        for s in [0.02, 0.05, 0.1, 0.2] { let t = Instant::now(); show(&format!("constant {s}"), &cases.at_constant(&model.buyer, &[s; 2], &device)?, t); }
        for g in [Gate::ProRata, Gate::Greedy] { let t = Instant::now(); show(&format!("{g:?}"), &cases.gated(&model.buyer, g, &device)?, t); }
} for steps in [args[3].parse::<usize>()?] { for margin in args[4].split(',').map(|m| m.parse::<f64>().unwrap()) {
            let t = Instant::now();
            let (roll, settled) = cases.hindsight_dual(&model.buyer, &Ascent { steps, largest: args[5].parse()?, ..Ascent::default() }, margin, &device)?;
            show(&format!("dual {steps} {margin}"), &roll, t);
            let k = settled.len() as f64;
            println!("   steps {:.0} violation {:.4} slack {:.4}", settled.iter().map(|s| s.steps as f64).sum::<f64>() / k, settled.iter().map(|s| s.violation).sum::<f64>() / k, settled.iter().map(|s| s.slack).sum::<f64>() / k);
        } }
    }
    if what == "look" {
        let (roll, _) = cases.hindsight_dual(&model.buyer, &Ascent { steps: args[4].parse()?, largest: 0.5, ..Ascent::default() }, 0.0, &device)?;
        let least = cases.unordered();
        let (mut sum, mut low) = ([0.0; 2], [0.0; 2]);
        for g in 0..n { for r in 0..2 { for t in 8..52 { let k = cases.limits()[g].of(r)[t]; sum[r] += (roll.usage[g][r][t] / k - 1.0).max(0.0) / (n * 44) as f64; low[r] += (least[g][r][t] / k - 1.0).max(0.0) / (n * 44) as f64; } } }
        println!("by resource {sum:?} floor {low:?}");
        for g in args[3].split(',') { let g: usize = g.parse()?; let u = &cases.unit_prices()[g]; for r in 0..2 { println!("group {g} resource {r}"); for t in 8..52 { println!("{t} K {:.0} free {:.0} used {:.0} least {:.0} price {:.3}", cases.limits()[g].of(r)[t], free.usage[g][r][t], roll.usage[g][r][t], least[g][r][t], roll.prices[g][t][r * 14] / u[r]); } } }
    }
    if what == "coord" {
        let t = Instant::now();
        let lesson = td(size, 256, 2).cases(&record, &model.buyer, course, &device)?;
        println!("lesson {:.1}", t.elapsed().as_secs_f64());
        let alone = std::cell::RefCell::new(());
        let _ = alone;
        for w in args[4].split(',') { for st in args[5].split(',') {
            let mut m = model.clone();
            let t = Instant::now();
            let loss = Loss { reward: w.parse()?, stability: st.parse()?, slackness: 0.02, ..Loss::default() };
            let curve = m.train_coordinator(&lesson, &loss, &Training { batch: 8, steps: args[3].parse()?, rate: args.get(6).map_or(3e-3, |r| r.parse().unwrap()), ..Training::default() }, &device)?;
            let k = curve.len() / 10;
            println!("trained {:.0} s; {:?}", t.elapsed().as_secs_f64(), curve.chunks(k).map(|c| (c.iter().sum::<f64>() / c.len() as f64 * 1000.0).round() / 1000.0).collect::<Vec<_>>());
            std::fs::write(format!("/tmp/cap/coord_{w}_{st}.txt"), m.to_text())?;
            let t = Instant::now();
            show(&format!("coord reward {w} stability {st}"), &cases.coordinate(&m, &device)?, t);
        } }
    }
    if what == "mpc" {
        for steps in args[3].split(',') { for margin in args[4].split(',') {
            for truth in [false] {
            let t = Instant::now();
            let f = if truth { Forecaster::True(&world) } else { Forecaster::Fitted(150) };
            let c = Predictive { scenarios: 4, ascent: Ascent { steps: steps.parse()?, largest: args[5].parse()?, ..Ascent::default() }, margin: margin.parse()?, lead_times: &[0.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0], seed: 3 };
            show(&format!("mpc {steps} {margin} {truth}"), &cases.predictive(&record, &model.buyer, &c, &f, &device)?, t);
        } } }
    }
    Ok(())
}
