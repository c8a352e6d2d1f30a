//! A small pool for short parallel loops: a counter over tasks, workers that spin briefly and then sleep.
//!
//! Natively the workers are std threads; in the browser they are web workers that call [`join_pool`] after they have
//! instantiated the same module on the same memory. Without either, every loop runs on the caller alone.
//!
//! Results must never depend on the number of threads: a task writes its own place and draws nothing from the others.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Looks at the generation before a thread goes to sleep: about a millisecond, longer than what a network does between
/// two loops. Waking a thread took 0.1 to 1 ms where this was measured, as long as many a loop. In wasm, `spin_loop` is
/// nothing and a look takes a nanosecond.
const SPINS: usize = if cfg!(target_arch = "wasm32") { 1_000_000 } else { 20_000 };

/// A parallel loop in progress. The pointer is valid while `done` has not reached `tasks`.
#[derive(Clone, Copy)]
struct Job {
    body: *const (dyn Fn(usize) + Sync),
    tasks: usize,
    generation: u32,
}

// SAFETY: the body is Sync, and `parallel` keeps it alive until every task that was handed out has ended.
unsafe impl Send for Job {}

/// Threads that wait for work, the caller not counted.
static WORKERS: AtomicUsize = AtomicUsize::new(0);
/// Most threads that may take part, the caller included; 0 is no limit.
static LIMIT: AtomicUsize = AtomicUsize::new(0);
/// Counts the loops; workers watch it.
static GENERATION: AtomicU32 = AtomicU32::new(0);
/// The generation in the upper half, the next task in the lower: a late worker can never take another loop's task.
static NEXT: AtomicU64 = AtomicU64::new(0);
static DONE: AtomicUsize = AtomicUsize::new(0);
static PANICKED: AtomicBool = AtomicBool::new(false);
static JOB: Mutex<Option<Job>> = Mutex::new(None);
/// Held by the caller of a loop; whoever finds it taken (a nested loop, another thread) runs alone.
static BUSY: Mutex<()> = Mutex::new(());
static WAKE: Condvar = Condvar::new();
static FINISHED: Condvar = Condvar::new();

fn job() -> MutexGuard<'static, Option<Job>> {
    JOB.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many threads take part in a loop, the caller included.
pub fn count() -> usize {
    let all = WORKERS.load(Ordering::Relaxed) + 1;
    match LIMIT.load(Ordering::Relaxed) {
        0 => all,
        limit => all.min(limit),
    }
}

/// Lets `threads` threads take part from now on; natively the missing ones are started.
pub fn set_count(threads: usize) {
    let threads = threads.max(1);
    LIMIT.store(threads, Ordering::Relaxed);
    #[cfg(not(target_arch = "wasm32"))]
    while WORKERS.load(Ordering::Relaxed) + 1 < threads {
        let index = WORKERS.fetch_add(1, Ordering::Relaxed) + 1;
        if std::thread::Builder::new().spawn(move || serve(index)).is_err() {
            WORKERS.fetch_sub(1, Ordering::Relaxed);
            break;
        }
    }
}

/// Makes the calling thread a worker for good: what an extra web worker calls. Never returns.
pub fn join_pool() {
    serve(WORKERS.fetch_add(1, Ordering::Relaxed) + 1);
}

/// Runs `body(0)` .. `body(tasks - 1)`, each once and in no order, on all threads, and returns when all have ended.
///
/// A loop inside a loop runs on its own thread alone. Panics if a task panicked on another thread.
pub fn parallel(tasks: usize, body: &(dyn Fn(usize) + Sync)) {
    let turn = if tasks < 2 || count() < 2 { None } else { BUSY.try_lock().ok() };
    let Some(_turn) = turn else { return (0..tasks).for_each(body) };
    let generation = GENERATION.load(Ordering::Relaxed).wrapping_add(1);
    // SAFETY: only the lifetime changes; this function does not return before the last task has ended.
    let body: *const (dyn Fn(usize) + Sync) = unsafe { std::mem::transmute(body) };
    let mine = Job { body, tasks, generation };
    {
        let mut slot = job();
        DONE.store(0, Ordering::Relaxed);
        NEXT.store(u64::from(generation) << 32, Ordering::Release);
        *slot = Some(mine);
        GENERATION.store(generation, Ordering::Release);
    }
    WAKE.notify_all();
    take_part(mine);
    let mut looks = 0;
    while DONE.load(Ordering::Acquire) < tasks {
        if looks < SPINS {
            looks += 1;
            std::hint::spin_loop();
        } else {
            let slot = job();
            if DONE.load(Ordering::Acquire) < tasks {
                drop(FINISHED.wait(slot));
            }
        }
    }
    *job() = None;
    assert!(!PANICKED.swap(false, Ordering::Relaxed), "a task of a parallel loop panicked");
}

/// Runs `body(i, chunk)` for every chunk of `length` values (the last may be shorter), each once, on all threads.
pub fn chunks<T: Send>(values: &mut [T], length: usize, body: &(dyn Fn(usize, &mut [T]) + Sync)) {
    struct Start<T>(*mut T);
    // SAFETY: the chunks are disjoint and each is visited by one task.
    unsafe impl<T: Send> Sync for Start<T> {}
    let (all, length) = (values.len(), length.max(1));
    let start = Start(values.as_mut_ptr());
    let start = &start;
    parallel(all.div_ceil(length), &|index| {
        let from = index * length;
        // SAFETY: `from < all`, and no other task touches this range.
        let chunk = unsafe { std::slice::from_raw_parts_mut(start.0.add(from), length.min(all - from)) };
        body(index, chunk);
    });
}

/// Takes tasks of this loop until none is left.
fn take_part(job: Job) {
    loop {
        let next = NEXT.load(Ordering::Acquire);
        let index = (next & u64::from(u32::MAX)) as usize;
        if (next >> 32) as u32 != job.generation || index >= job.tasks {
            return;
        }
        if NEXT.compare_exchange_weak(next, next + 1, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            let counted = Counted(job.tasks);
            // SAFETY: the task was handed out, so `parallel` still waits for it and the body lives.
            unsafe { (*job.body)(index) };
            drop(counted);
        }
    }
}

/// Counts a task as done when dropped, also while unwinding.
struct Counted(usize);

impl Drop for Counted {
    fn drop(&mut self) {
        if std::thread::panicking() {
            PANICKED.store(true, Ordering::Relaxed);
        }
        if DONE.fetch_add(1, Ordering::AcqRel) + 1 == self.0 {
            let _slot = job();
            FINISHED.notify_all();
        }
    }
}

fn serve(index: usize) {
    let mut seen = GENERATION.load(Ordering::Acquire);
    loop {
        let mut looks = 0;
        while GENERATION.load(Ordering::Acquire) == seen && looks < SPINS {
            looks += 1;
            std::hint::spin_loop();
        }
        let mut slot = job();
        while GENERATION.load(Ordering::Acquire) == seen {
            slot = WAKE.wait(slot).unwrap_or_else(PoisonError::into_inner);
        }
        seen = GENERATION.load(Ordering::Acquire);
        let current = *slot;
        drop(slot);
        let limit = LIMIT.load(Ordering::Relaxed);
        if let Some(job) = current.filter(|_| limit == 0 || index < limit) {
            // A panic is reported by `parallel`; the worker stays.
            let _ = std::panic::catch_unwind(AssertUnwindSafe(|| take_part(job)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn every_task_runs_once() {
        set_count(3);
        for tasks in [0, 1, 2, 7, 1000] {
            let hits: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
            for _ in 0..200 {
                parallel(tasks, &|i| {
                    hits[i].fetch_add(1, Ordering::Relaxed);
                });
            }
            assert!(hits.iter().all(|h| h.load(Ordering::Relaxed) == 200));
        }
    }

    #[test]
    fn a_loop_inside_a_loop_runs() {
        set_count(2);
        let sum = AtomicUsize::new(0);
        parallel(8, &|_| {
            parallel(8, &|j| {
                sum.fetch_add(j, Ordering::Relaxed);
            })
        });
        assert_eq!(sum.load(Ordering::Relaxed), 8 * 28);
    }

    #[test]
    fn chunks_cover_everything_once() {
        set_count(2);
        let mut values = vec![0usize; 1003];
        chunks(&mut values, 10, &|index, chunk| chunk.iter_mut().for_each(|v| *v += index + 1));
        assert!(values.iter().enumerate().all(|(i, &v)| v == i / 10 + 1));
    }

    #[cfg(not(target_arch = "wasm32"))]
    #[test]
    fn a_panic_reaches_the_caller() {
        set_count(2);
        let outcome = std::panic::catch_unwind(|| {
            parallel(64, &|i| assert!(i != 40, "as planned"));
        });
        assert!(outcome.is_err());
        let sum = AtomicUsize::new(0);
        parallel(64, &|i| {
            sum.fetch_add(i, Ordering::Relaxed);
        });
        assert_eq!(sum.load(Ordering::Relaxed), 2016);
    }
}
