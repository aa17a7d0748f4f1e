//! The log of responses.

use llm_metrics::stats::text_key;

use super::{Args, each_row};
use crate::error::CliError;
use crate::inputs::Inputs;

/// The records of one generator or one round.
#[derive(Default)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) flops: Option<f64>,
    pub(super) prompt: Vec<u64>,
    pub(super) utility: Vec<f64>,
    pub(super) scores: Vec<Vec<f64>>,
}

impl Part {
    /// The generator's name before a sentence about it.
    pub(super) fn prefix(&self) -> String {
        if self.name.is_empty() {
            String::new()
        } else {
            format!("{}: ", self.name)
        }
    }
}

/// Reads the log, one part per generator or round.
pub(super) fn read(inputs: &Inputs, args: &Args) -> Result<Vec<Part>, CliError> {
    let split = args.generator.as_ref().or(args.round.as_ref());
    let mut fields = vec![args.prompt.clone(), args.utility.clone()];
    fields.extend(args.score.iter().cloned());
    let (part_field, flops_field) = (fields.len(), fields.len() + 1);
    fields.push(split.cloned().unwrap_or_default());
    fields.push(args.flops.clone().unwrap_or_default());
    let mut parts: Vec<Part> = Vec::new();
    each_row(
        inputs,
        &args.file,
        &fields,
        args.filter.as_deref(),
        |rows, row| {
            let name = if split.is_some() {
                rows.text(row, part_field)?
            } else {
                String::new()
            };
            let at = parts
                .iter()
                .position(|p| p.name == name)
                .unwrap_or(parts.len());
            if at == parts.len() {
                parts.push(Part {
                    name,
                    scores: vec![Vec::new(); args.score.len()],
                    ..Part::default()
                });
            }
            let part = &mut parts[at];
            part.prompt.push(text_key(&rows.text(row, 0)?));
            part.utility.push(rows.utility(row, 1)?);
            for (i, scores) in part.scores.iter_mut().enumerate() {
                scores.push(rows.number(row, 2 + i)?);
            }
            if args.flops.is_some() {
                let flops = rows.number(row, flops_field)?;
                if part.flops.is_some_and(|f| (f - flops).abs() > 1e-9 * f) {
                    return Err(rows.fault(
                        row,
                        flops_field,
                        format!("{flops} differs from earlier records of this generator"),
                    ));
                }
                part.flops = Some(flops);
            }
            Ok(())
        },
    )?;
    Ok(parts)
}
