//! A small pool for short parallel loops: a counter over tasks, workers that spin briefly and then sleep.
//!
//! Natively the workers are std threads; in the browser they are web workers that call [`join_pool`] after they have
//! instantiated the same module on the same memory. Without either, every loop runs on the caller alone.
//!
//! Results must never depend on the number of threads: a task writes its own place and draws nothing from the others.

#![allow(unsafe_code)]

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};

use crate::limits::MAX_THREADS;

/// Looks at the generation before a thread goes to sleep: about a millisecond, longer than what a network does between
/// two loops. Waking a thread took 0.1 to 1 ms where this was measured, as long as many a loop. In wasm, `spin_loop` is
/// nothing and a look takes a nanosecond.
const SPINS: usize = if cfg!(target_arch = "wasm32") { 1_000_000 } else { 20_000 };

/// A parallel loop in progress. The pointer is valid until [`DONE`] has reached `tasks`: [`parallel`] does not return,
/// nor unwind, before that.
#[derive(Clone, Copy)]
struct Job {
    body: *const (dyn Fn(usize) + Sync),
    tasks: usize,
    generation: u32,
}

// SAFETY: a job is a pointer to a body that is Sync, so that any thread may call it; that it is called only while it
// lives is up to `take_part`, where it is dereferenced.
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
/// Whether a task of this loop has panicked: the tasks that are left are counted, but not run.
static PANICKED: AtomicBool = AtomicBool::new(false);
/// What the first task that panicked did it with.
static PANIC: Mutex<Option<Box<dyn Any + Send>>> = Mutex::new(None);
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

/// Lets `threads` threads take part from now on, at most [`MAX_THREADS`]; natively the missing ones are started.
pub fn set_count(threads: usize) {
    let threads = threads.clamp(1, MAX_THREADS);
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
/// A loop inside a loop runs on its own thread alone. A panic of a task goes on here, once no thread runs the body any
/// more; some of the tasks that had not begun by then are left out.
pub fn parallel(tasks: usize, body: &(dyn Fn(usize) + Sync)) {
    let is_alone = tasks < 2 || count() < 2 || u32::try_from(tasks).is_err();
    let Some(turn) = (if is_alone { None } else { my_turn() }) else { return (0..tasks).for_each(body) };
    let generation = GENERATION.load(Ordering::Relaxed).wrapping_add(1);
    // SAFETY: only the lifetime changes. The body outlives the job, because this function waits below until `DONE` has
    // reached `tasks`, and nothing before that unwinds: `take_part` catches what the body does.
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
    wait_for(tasks);
    *job() = None;
    let panic = PANIC.lock().unwrap_or_else(PoisonError::into_inner).take();
    PANICKED.store(false, Ordering::Relaxed);
    drop(turn);
    if let Some(panic) = panic {
        resume_unwind(panic);
    }
}

/// The right to hand out tasks; `None` while another loop has it.
fn my_turn() -> Option<MutexGuard<'static, ()>> {
    match BUSY.try_lock() {
        Ok(turn) => Some(turn),
        Err(TryLockError::Poisoned(turn)) => Some(turn.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Returns when this many tasks are done, whoever runs them.
fn wait_for(tasks: usize) {
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
}

/// Runs `body(i, chunk)` for every chunk of `length` values (the last may be shorter), each once, on all threads.
pub fn chunks<T: Send>(values: &mut [T], length: usize, body: &(dyn Fn(usize, &mut [T]) + Sync)) {
    struct Start<T>(*mut T);
    // SAFETY: threads share the pointer, but what it points to is handed on as chunks that do not overlap, each to one
    // task (below), and T may go to another thread.
    unsafe impl<T: Send> Sync for Start<T> {}
    let (all, length) = (values.len(), length.max(1));
    let start = Start(values.as_mut_ptr());
    let start = &start;
    parallel(all.div_ceil(length), &|index| {
        let from = index * length;
        // SAFETY: `from < all`, because there are `all.div_ceil(length)` tasks, so the range lies within `values`, which
        // is borrowed until `parallel` returns. `parallel` runs each index once, so no other task has this range.
        let chunk = unsafe { std::slice::from_raw_parts_mut(start.0.add(from), length.min(all - from)) };
        body(index, chunk);
    });
}

/// Takes tasks of this loop until none is left. Never unwinds: what a task panics with is kept for `parallel`.
fn take_part(job: Job) {
    loop {
        let next = NEXT.load(Ordering::Acquire);
        let index = (next & u64::from(u32::MAX)) as usize;
        if (next >> 32) as u32 != job.generation || index >= job.tasks {
            return;
        }
        if NEXT.compare_exchange_weak(next, next + 1, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            // SAFETY: this task was handed out by the exchange above and is counted only below, so `DONE` has not
            // reached `tasks`, and `parallel` still waits and keeps the body alive.
            let body = unsafe { &*job.body };
            if !PANICKED.load(Ordering::Relaxed)
                && let Err(panic) = catch_unwind(AssertUnwindSafe(|| body(index)))
            {
                PANICKED.store(true, Ordering::Relaxed);
                PANIC.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(panic);
            }
            count_done(job.tasks);
        }
    }
}

/// Counts a task as done; the last of them wakes the caller.
fn count_done(tasks: usize) {
    if DONE.fetch_add(1, Ordering::AcqRel) + 1 == tasks {
        let _slot = job();
        FINISHED.notify_all();
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
            take_part(job);
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

    /// A task on the calling thread panics while others run the body, which must not have gone when `parallel` ends.
    #[cfg(not(target_arch = "wasm32"))]
    #[test]
    fn a_panic_goes_on_when_no_thread_runs_the_body_any_more() {
        use std::time::{Duration, Instant};
        set_count(4);
        let (caller, running) = (std::thread::current().id(), AtomicUsize::new(0));
        let mut shared = 0;
        // Other tests may have the turn: then the loop runs alone, and is tried again.
        for _ in 0..100 {
            let are_others_seen = AtomicBool::new(false);
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                parallel(8, &|i| {
                    if std::thread::current().id() == caller {
                        let end = Instant::now() + Duration::from_millis(100);
                        while running.load(Ordering::SeqCst) == 0 && Instant::now() < end {
                            std::thread::yield_now();
                        }
                        are_others_seen.store(running.load(Ordering::SeqCst) > 0, Ordering::SeqCst);
                        panic!("task {i} as planned");
                    }
                    running.fetch_add(1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(10));
                    running.fetch_sub(1, Ordering::SeqCst);
                });
            }));
            assert_eq!(running.load(Ordering::SeqCst), 0, "the body still runs");
            // Where the others were quicker, nothing was left for the caller.
            let Err(panic) = outcome else { continue };
            assert!(panic.downcast_ref::<String>().unwrap().ends_with("as planned"));
            shared += usize::from(are_others_seen.into_inner());
            if shared == 3 {
                return;
            }
        }
        panic!("no other thread took part");
    }

    #[cfg(not(target_arch = "wasm32"))]
    #[test]
    fn all_threads_take_part_after_every_task_has_panicked() {
        set_count(2);
        assert!(catch_unwind(|| parallel(64, &|i| panic!("task {i} as planned"))).is_err());
        let threads = Mutex::new(std::collections::HashSet::new());
        // Other tests may have the turn: then this loop runs alone, and is tried again.
        for _ in 0..1000 {
            parallel(64, &|_| {
                threads.lock().unwrap().insert(std::thread::current().id());
                std::thread::sleep(std::time::Duration::from_micros(100));
            });
            if threads.lock().unwrap().len() > 1 {
                return;
            }
        }
        panic!("a panic has left one thread alone");
    }
}
