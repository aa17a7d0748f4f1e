//! Counter-based random streams.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A family of random streams: the numbers of a lane and period depend on the seed, the purpose, the lane and the period, and on
/// nothing else, so that a path does not change with the batch size, the number of threads or the order of the work.
///
/// ```
/// use hindsight_gpu::Stream;
/// use rand::RngExt;
/// let demand = Stream::new(7, "demand");
/// let x: f64 = demand.at(3, 10).random();
/// assert_eq!(x, Stream::new(7, "demand").at(3, 10).random::<f64>());
/// assert_ne!(x, Stream::new(7, "lead time").at(3, 10).random::<f64>());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    key: [u8; 32],
}

impl Stream {
    /// The streams of one seed and purpose.
    #[must_use]
    pub fn new(seed: u64, purpose: &str) -> Self {
        // FNV-1a: the purposes of one program are few, and named by their authors.
        let hash = |offset: u64| {
            purpose.bytes().fold(offset, |h, b| {
                (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)
            })
        };
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&hash(0xcbf2_9ce4_8422_2325).to_le_bytes());
        key[16..24].copy_from_slice(&hash(0x9ae1_6a3b_2f90_404f).to_le_bytes());
        key[24..].copy_from_slice(&(purpose.len() as u64).to_le_bytes());
        Stream { key }
    }

    /// The generator of one lane and period: a ChaCha8 stream of its own, with 2^36 numbers of 32 bits before it would meet
    /// that of the next period.
    #[must_use]
    pub fn at(&self, lane: u64, period: u32) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::from_seed(self.key);
        rng.set_stream(lane);
        rng.set_word_pos(u128::from(period) << 36);
        rng
    }
}
