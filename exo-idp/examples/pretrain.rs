//! Rebuilds the pretrained weights of level networks, bit for bit:
//! `cargo run --release -p hindsight-exo-idp --features studies --example pretrain -- FILE [STEPS [RECORDS [NETWORKS]]]`.

use std::ops::ControlFlow;
use std::time::Instant;

use hindsight_exo_idp::gpu::Cpu;
use hindsight_exo_idp::train::pretrain::{Pretraining, Stage, pretrain};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let file = args.next().ok_or("which file?")?;
    let mut settings = Pretraining::default();
    if let Some(steps) = args.next() {
        settings.steps = steps.parse()?;
    }
    if let Some(records) = args.next() {
        settings.records = records.parse()?;
    }
    if let Some(networks) = args.next() {
        settings.ensemble_size = networks.parse()?;
    }
    let begun = Instant::now();
    let weights = pretrain(&settings, &Cpu::default(), |stage| {
        match stage {
            Stage::Records(n) if n % 200 == 0 => {
                println!("{:6.1} s  {n} records", begun.elapsed().as_secs_f64());
            }
            Stage::Records(_) => {}
            Stage::Steps {
                member,
                step,
                training,
                validation,
            } => println!(
                "{:6.1} s  member {member}, step {step}: training {training:.4}, validation {validation:.4}",
                begun.elapsed().as_secs_f64()
            ),
        }
        ControlFlow::Continue(())
    })?;
    std::fs::write(file, weights.to_bytes())?;
    Ok(())
}
