//! Weights as the shaders read them: for each layer once by inputs and once by outputs, in vectors of four.

use std::collections::HashMap;

use crate::record::{Dense, Plan};

/// Where a layer's weights lie, in vectors.
#[derive(Debug, Clone, Default)]
pub(super) struct Packed {
    /// `[input][output]`
    pub(super) forward: usize,
    /// For each segment `[output][input]`.
    pub(super) backward: Vec<usize>,
}

/// The weights of all layers.
#[derive(Debug, Clone, Default)]
pub(super) struct Packing {
    pub(super) layers: HashMap<usize, Packed>,
    pub(super) vectors: usize,
    /// For each parameter the places among the packed numbers that it goes to, as ranges of `places`.
    pub(super) first: Vec<u32>,
    pub(super) places: Vec<u32>,
}

impl Packing {
    pub(super) fn new(plan: &Plan) -> Packing {
        let mut packing = Packing::default();
        let mut pairs: Vec<(usize, usize)> = Vec::new();
        let mut known: HashMap<(usize, usize, Vec<usize>), usize> = HashMap::new();
        for (_, dense) in plan.dense_ops() {
            let rows: Vec<usize> = dense.segments.iter().map(|&(_, rows)| rows).collect();
            let key = (dense.weights, dense.outputs, rows);
            let packed = match known.get(&key) {
                Some(id) => packing.layers[id].clone(),
                None => packing.place(dense, &mut pairs),
            };
            known.insert(key, dense.id);
            packing.layers.insert(dense.id, packed);
        }
        pairs.sort_unstable();
        packing.first = vec![0; plan.shape.params + 1];
        for &(param, _) in &pairs {
            packing.first[param + 1] += 1;
        }
        for i in 0..plan.shape.params {
            packing.first[i + 1] += packing.first[i];
        }
        packing.places = pairs.iter().map(|&(_, place)| as_u32(place)).collect();
        packing
    }

    fn place(&mut self, dense: &Dense, pairs: &mut Vec<(usize, usize)>) -> Packed {
        let wide = dense.outputs.div_ceil(4);
        let forward = self.vectors;
        self.vectors += dense.width * wide;
        for i in 0..dense.width {
            for o in 0..dense.outputs {
                let place = (forward + i * wide) * 4 + o;
                pairs.push((dense.weights + o * dense.width + i, place));
            }
        }
        let mut column = 0;
        let mut backward = Vec::new();
        for &(_, rows) in &dense.segments {
            let (first, wide) = (self.vectors, rows.div_ceil(4));
            self.vectors += dense.outputs * wide;
            for o in 0..dense.outputs {
                for i in 0..rows {
                    let place = (first + o * wide) * 4 + i;
                    pairs.push((dense.weights + o * dense.width + column + i, place));
                }
            }
            column += rows;
            backward.push(first);
        }
        Packed { forward, backward }
    }
}

/// A place in a buffer; what does not fit is refused before.
pub(super) fn as_u32(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
