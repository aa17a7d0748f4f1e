//! The fixed point of an average of modification maps, on the few actions that they touch.

use super::sampled::Map;
use super::stationary::stationary;
use crate::error::{GamesError, Method, real};

/// Stationary distribution of the average of the maps, on the actions they touch.
pub(super) fn fixed_point(maps: &[Map]) -> Result<Vec<(u64, f64)>, GamesError> {
    let mut nodes: Vec<u64> = maps
        .iter()
        .flat_map(|m| match *m {
            Map::Constant(j) => [j, j],
            Map::Replace(i, j) => [i, j],
        })
        .collect();
    nodes.sort_unstable();
    nodes.dedup();
    let n = nodes.len();
    let at = |action: u64| nodes.partition_point(|&a| a < action);
    let mut constants = vec![0.0; n];
    let mut out = vec![0.0; n];
    let mut incoming: Vec<Vec<usize>> = vec![Vec::new(); n];
    let mut count = 0.0;
    for map in maps {
        match *map {
            Map::Constant(j) => {
                constants[at(j)] += 1.0;
                count += 1.0;
            }
            Map::Replace(i, j) if i != j => {
                out[at(i)] += 1.0;
                incoming[at(j)].push(at(i));
            }
            Map::Replace(..) => {}
        }
    }
    let residual = |x: &[f64]| -> f64 {
        let total: f64 = x.iter().sum();
        (0..n)
            .map(|s| {
                let arrive: f64 = incoming[s].iter().map(|&i| x[i]).sum();
                (total * constants[s] + arrive - x[s] * (count + out[s])).abs()
            })
            .sum::<f64>()
            / real(maps.len())
    };
    let finish = |x: Vec<f64>| -> Vec<(u64, f64)> {
        nodes
            .iter()
            .copied()
            .zip(x)
            .filter(|(_, p)| *p > 0.0)
            .collect()
    };
    if count == 0.0 {
        // Nothing leaves such an action: it is a fixed point.
        if let Some(s) = (0..n).find(|&s| out[s] == 0.0) {
            let mut x = vec![0.0; n];
            x[s] = 1.0;
            return Ok(finish(x));
        }
    } else {
        // Gauss-Seidel on x_s (count + out_s) = constants_s + arrivals_s.
        let mut x: Vec<f64> = constants.iter().map(|c| c / count).collect();
        for sweep in 0..400 {
            for s in 0..n {
                let arrive: f64 = incoming[s].iter().map(|&i| x[i]).sum();
                x[s] = (constants[s] + arrive) / (count + out[s]);
            }
            if sweep % 4 == 3 {
                let total: f64 = x.iter().sum();
                x.iter_mut().for_each(|v| *v /= total);
                if residual(&x) < 1e-13 {
                    return Ok(finish(x));
                }
            }
        }
    }
    let mut matrix = vec![0.0; n * n];
    for (s, row) in matrix.chunks_exact_mut(n).enumerate() {
        for (r, c) in row.iter_mut().zip(&constants) {
            *r = c / real(maps.len());
        }
        row[s] += 1.0 - (count + out[s]) / real(maps.len());
    }
    for (j, sources) in incoming.iter().enumerate() {
        for &i in sources {
            matrix[i * n + j] += 1.0 / real(maps.len());
        }
    }
    let mut x = vec![0.0; n];
    stationary(&mut matrix, &mut x);
    let left = residual(&x);
    if left > 1e-10 {
        return Err(GamesError::NotConverged {
            method: Method::SampledFixedPoint,
            residual: left,
            iterations: 400,
        });
    }
    Ok(finish(x))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::RngExt;

    use super::super::learner::opponents::rng;
    use super::*;

    #[test]
    fn fixed_points_are_fixed() {
        let mut generator = rng(11);
        for case in 0..300u64 {
            let m = 1 + usize::try_from(case % 40).unwrap();
            let maps: Vec<Map> = (0..m)
                .map(|_| {
                    let (i, j) = (generator.random_range(0..12), generator.random_range(0..12));
                    if generator.random_range(0..10) < case % 10 {
                        Map::Constant(j)
                    } else {
                        Map::Replace(i, j)
                    }
                })
                .collect();
            let x = fixed_point(&maps).unwrap();
            let total: f64 = x.iter().map(|p| p.1).sum();
            assert!((total - 1.0).abs() < 1e-9);
            let mut image = BTreeMap::new();
            for map in &maps {
                for &(a, p) in &x {
                    let to = match *map {
                        Map::Constant(j) => j,
                        Map::Replace(i, j) => {
                            if a == i {
                                j
                            } else {
                                a
                            }
                        }
                    };
                    *image.entry(to).or_insert(0.0) += p / maps.len() as f64;
                }
            }
            for (a, p) in x {
                *image.entry(a).or_insert(0.0) -= p;
            }
            assert!(image.values().map(|v: &f64| v.abs()).sum::<f64>() < 1e-9);
        }
    }
}
