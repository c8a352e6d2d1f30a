//! A run in progress: one step after another, each of which can be awaited. A CPU's step is done when it returns; a GPU's
//! is done when the device says so, and the page stays alive meanwhile.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use crate::error::{Code, Error, Result};
use crate::network::ValueId;
use crate::sentences::Sentence;
use crate::tensor::Tensor;

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step<'a> {
    /// Work done before this layer, as a share of all multiply-adds, 0 to 1.
    pub done: f32,
    /// Path of the layer that starts now, such as `decoder.3`.
    pub layer: &'a str,
}

/// Told before every layer, and now and then within a long one; `Break` ends the run with a `cancelled` error.
pub type Watch<'a> = &'a mut dyn FnMut(Step<'_>) -> ControlFlow<()>;

/// What may not be there yet.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + 'a>>;

/// A run in progress.
pub trait Run {
    /// Does the next step; `false` when there was none left.
    fn step<'s>(&'s mut self, watch: Watch<'s>) -> Pending<'s, bool>;

    /// The value of the description that the last step has computed, and its numbers, of the first image of a batch;
    /// `None` if it computed none of its own (a copy). For comparing engines.
    fn last_value(&self) -> Result<Option<(ValueId, Tensor)>>;

    /// What `forward` returns, after the last step.
    fn finish<'s>(self: Box<Self>) -> Pending<'s, Tensor>
    where
        Self: 's;
}

/// Runs to the end, awaiting every step.
pub async fn to_end(mut run: Box<dyn Run + '_>, watch: Watch<'_>) -> Result<Tensor> {
    while run.step(&mut *watch).await? {}
    run.finish().await
}

/// The result of something that never has to wait, such as a run on a CPU; `internal` error if it does.
pub fn ready<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Err(Error::new(Code::Internal, "This engine has to be awaited.")),
    }
}

/// The error of a run that its watcher broke off.
pub fn cancelled() -> Error {
    Error::said(Sentence::Cancelled {})
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// A device that is asked `waits` times before a step is done, and has three steps.
    struct Device {
        steps: f32,
        waits: u32,
    }

    impl Run for Device {
        fn step<'s>(&'s mut self, watch: Watch<'s>) -> Pending<'s, bool> {
            Box::pin(async move {
                if self.steps == 3.0 {
                    return Ok(false);
                }
                if watch(Step { done: self.steps / 3.0, layer: "layer" }).is_break() {
                    return Err(cancelled());
                }
                let mut left = self.waits;
                std::future::poll_fn(move |context| {
                    context.waker().wake_by_ref();
                    left = left.saturating_sub(1);
                    if left == 0 { Poll::Ready(()) } else { Poll::Pending }
                })
                .await;
                self.steps += 1.0;
                Ok(true)
            })
        }

        fn last_value(&self) -> Result<Option<(ValueId, Tensor)>> {
            Ok(None)
        }

        fn finish<'s>(self: Box<Self>) -> Pending<'s, Tensor>
        where
            Self: 's,
        {
            Box::pin(async move { Tensor::new([1], vec![self.steps]) })
        }
    }

    /// Polls until it is done; returns how often it had to.
    fn polled<T>(work: impl Future<Output = Result<T>>) -> (Result<T>, usize) {
        let (mut work, mut context) = (pin!(work), Context::from_waker(Waker::noop()));
        for polls in 1.. {
            if let Poll::Ready(outcome) = work.as_mut().poll(&mut context) {
                return (outcome, polls);
            }
        }
        unreachable!("it is polled until it is done")
    }

    #[test]
    fn a_run_that_waits_is_awaited_step_by_step() {
        let mut told = Vec::new();
        let mut watch = |step: Step<'_>| {
            told.push(step.done);
            ControlFlow::Continue(())
        };
        let (outcome, polls) = polled(to_end(Box::new(Device { steps: 0.0, waits: 4 }), &mut watch));
        assert_eq!(outcome.unwrap().data(), [3.0]);
        assert_eq!(polls, 1 + 3 * 3, "each of three steps waits three times");
        assert_eq!(told, [0.0, 1.0 / 3.0, 2.0 / 3.0]);
    }

    #[test]
    fn what_has_to_wait_is_no_result_and_what_has_not_is() {
        let mut go_on = |_: Step<'_>| ControlFlow::Continue(());
        let waits = ready(to_end(Box::new(Device { steps: 0.0, waits: 2 }), &mut go_on));
        assert_eq!(waits.unwrap_err().code, Code::Internal);
        let at_once = ready(to_end(Box::new(Device { steps: 0.0, waits: 1 }), &mut go_on));
        assert_eq!(at_once.unwrap().data(), [3.0]);
        let mut stop =
            |step: Step<'_>| if step.done > 0.5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let ended = ready(to_end(Box::new(Device { steps: 0.0, waits: 1 }), &mut stop));
        assert_eq!(ended.unwrap_err().code, Code::Cancelled);
    }
}
