//! The executor on processor cores: which threads take which tiles, and how much memory they may take.

use super::batch::Batch;
use super::cpu_session::CpuSession;
use super::indices;
use super::segment::Tape;
use super::session::{Executor, Session};
use super::workers::spread;
use crate::error::Error;
use crate::record::Program;

/// Runs programs on processor cores, in tiles of 64 lanes.
///
/// Tiles go through the whole horizon one by one, in cache. Where a group of lanes takes several tiles and something is summed over it, one
/// thread takes all of them period by period, or where there are fewer groups than threads, several threads share a group and wait for each
/// other at every sum. The results are the same bits for any number of threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cpu {
    threads: usize,
    tape: Tape,
}

impl Cpu {
    /// An executor with a number of threads; zero counts as one.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        Cpu {
            threads: threads.max(1),
            tape: Tape::default(),
        }
    }

    /// The same with at most about `bytes` for the periods that a differentiated run keeps, all threads together. Without it, 1 GiB; where
    /// lanes of several tiles are joined, 64 MiB a thread, and segments of 8 MiB, which stay in cache, where that does not suffice.
    ///
    /// Where a horizon does not fit, the wide rows of a period, such as those of the layers of a network, are computed once more before it is
    /// gone back through; where what is left does not fit either, the horizon is cut into segments that are run once more: slower
    /// by up to one forward run each, the same bits. What a period at least needs is taken, however small the number.
    ///
    /// ```
    /// use hindsight_gpu::Cpu;
    /// assert_eq!(Cpu::new(2).with_tape(64 << 20).threads(), 2);
    /// ```
    #[must_use]
    pub fn with_tape(self, bytes: usize) -> Self {
        Cpu {
            tape: Tape::of(bytes),
            ..self
        }
    }

    /// The number of threads.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The results of `work` on the numbers below `count`, in their order: work of the caller's own, on as many threads as programs run on.
    ///
    /// Each number is taken by whichever thread is free, so what `work` returns must depend on the number alone. A panic in `work` is
    /// resumed here.
    ///
    /// ```
    /// use hindsight_gpu::Cpu;
    /// assert_eq!(Cpu::new(2).map(4, |i| i * i), [0, 1, 4, 9]);
    /// ```
    pub fn map<R: Send>(&self, count: usize, work: impl Fn(usize) -> R + Sync) -> Vec<R> {
        spread(&mut vec![(); self.threads], count, |(), i| work(i))
    }
}

impl Default for Cpu {
    /// As many threads as the machine has cores.
    fn default() -> Self {
        Cpu::new(std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
    }
}

/// One implementation a number type, so that the engine is compiled here, once, and not again in every crate that runs programs.
macro_rules! runs_in {
    ($($number:ty),*) => {
        $(impl Executor<$number> for Cpu {
            fn open<'a>(
                &'a self,
                program: &'a Program,
                batch: Batch<'a, $number>,
            ) -> Result<Box<dyn Session<$number> + 'a>, Error> {
                batch.validate(program)?;
                indices::check(program, &batch)?;
                let session = CpuSession::new(self.threads, self.tape, program, batch)?;
                Ok(Box::new(session))
            }
        })*
    };
}
runs_in!(f32, f64);
