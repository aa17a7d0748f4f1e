//! Threads that work side by side, and what becomes of a panic in one of them.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// Calls `work` with every number below `threads`, each on a thread of its own; one thread is the caller's. A panic is resumed here once
/// all threads have ended: the first one that is not merely the end of waiting for another.
pub(super) fn side_by_side<R: Send>(threads: usize, work: impl Fn(usize) -> R + Sync) -> Vec<R> {
    if threads <= 1 {
        return (0..threads).map(work).collect();
    }
    let caught = |thread| catch_unwind(AssertUnwindSafe(|| work(thread)));
    let results: Vec<Result<R, Box<dyn Any + Send>>> = std::thread::scope(|scope| {
        let handles: Vec<_> = (1..threads)
            .map(|thread| scope.spawn(move || caught(thread)))
            .collect();
        let own = caught(0);
        let others = handles
            .into_iter()
            .map(|handle| handle.join().unwrap_or_else(Err));
        std::iter::once(own).chain(others).collect()
    });
    let mut done = Vec::with_capacity(threads);
    let mut panics = Vec::new();
    for result in results {
        match result {
            Ok(result) => done.push(result),
            Err(panic) => panics.push(panic),
        }
    }
    let of_another = |panic: &Box<dyn Any + Send>| panic.is::<Abandoned>();
    panics.sort_by_key(of_another);
    match panics.into_iter().next() {
        Some(panic) => resume_unwind(panic),
        None => done,
    }
}

/// Calls `work` on every index, on several threads, each with one of the `states`; the results are in the order of the indices.
pub(super) fn spread<S: Send, R: Send>(
    states: &mut [S],
    count: usize,
    work: impl Fn(&mut S, usize) -> R + Sync,
) -> Vec<R> {
    let threads = states.len().min(count);
    let next = AtomicUsize::new(0);
    let states: Vec<Mutex<&mut S>> = states.iter_mut().map(Mutex::new).collect();
    let taken = side_by_side(threads, |thread| {
        let mut state = states[thread]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut taken = Vec::new();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= count {
                break taken;
            }
            taken.push((i, work(&mut state, i)));
        }
    });
    let mut all: Vec<(usize, R)> = taken.into_iter().flatten().collect();
    all.sort_by_key(|&(i, _)| i);
    all.into_iter().map(|(_, result)| result).collect()
}

/// What a thread unwinds with when another one panicked while it waited.
struct Abandoned;

/// Where threads wait for one another, unless one of them panics: then none waits any more.
#[derive(Debug)]
pub(super) struct Meeting {
    threads: usize,
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: usize,
    round: usize,
    broken: bool,
}

impl Meeting {
    pub(super) fn new(threads: usize) -> Self {
        Meeting {
            threads,
            state: Mutex::default(),
            moved: Condvar::new(),
        }
    }

    /// Returns when all threads have come here; unwinds when one of them cannot come any more.
    pub(super) fn wait(&self) {
        if self.threads <= 1 {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let round = state.round;
        state.waiting += 1;
        if state.waiting == self.threads {
            (state.waiting, state.round) = (0, round.wrapping_add(1));
            self.moved.notify_all();
        }
        while state.round == round && !state.broken {
            state = self
                .moved
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.broken {
            drop(state);
            resume_unwind(Box::new(Abandoned));
        }
    }

    /// Runs the part of one thread; a panic in it breaks the meeting up and goes on.
    pub(super) fn attend<R>(&self, work: impl FnOnce() -> R) -> R {
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.broken = true;
            self.moved.notify_all();
            drop(state);
            resume_unwind(panic)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_index_is_taken_once(threads in 0_usize..5, count in 0_usize..40) {
            let mut states = vec![0_usize; threads.max(1)];
            let results = spread(&mut states, count, |calls, i| { *calls += 1; i * i });
            prop_assert_eq!(results, (0..count).map(|i| i * i).collect::<Vec<_>>());
            prop_assert_eq!(states.iter().sum::<usize>(), count);
        }

        /// Whoever panics, in whichever round: nobody waits for ever, and the caller sees that panic.
        #[test]
        fn a_panic_ends_the_meeting(threads in 2_usize..5, culprit in 0_usize..5, round in 0_usize..4) {
            let culprit = culprit % threads;
            let meeting = Meeting::new(threads);
            let run = catch_unwind(AssertUnwindSafe(|| {
                side_by_side(threads, |thread| meeting.attend(|| {
                    for t in 0..4 {
                        if thread == culprit && t == round {
                            resume_unwind(Box::new(thread));
                        }
                        meeting.wait();
                    }
                }))
            }));
            let panic = run.expect_err("a panic");
            prop_assert_eq!(panic.downcast_ref::<usize>(), Some(&culprit));
        }
    }
}
