//! Layers whose tasks are some output rows each.

use std::ops::ControlFlow;

use super::view::View;
use crate::engine::run::cancelled;
use crate::error::Result;
use crate::threads;

/// How the rows of an output are shared out.
pub struct Tasks {
    /// Output rows of a task.
    pub rows: usize,
    /// Multiplications of an output row.
    pub row_macs: usize,
    /// Multiplications between two looks at the watcher, about.
    pub look_macs: usize,
}

impl Tasks {
    /// Output rows between two looks at the watcher: at least one task for every thread.
    fn batch(&self) -> usize {
        (self.look_macs / self.row_macs.max(1)).max(1).next_multiple_of(self.rows * threads::count())
    }

    /// Runs `task` with its first output row and its rows, borders left and right included; `tell` is asked now and then
    /// whether to go on.
    pub fn run(
        &self,
        (out, to): (&mut [f32], &View),
        tell: &mut dyn FnMut(f32) -> ControlFlow<()>,
        task: &(dyn Fn(usize, &mut [f32]) + Sync),
    ) -> Result<()> {
        let (height, pitch, batch) = (to.shape.height, to.pitch(), self.batch());
        let interior = &mut out[to.border[0] * pitch..][..height * pitch];
        for (index, rows) in interior.chunks_mut(batch * pitch).enumerate() {
            let start = index * batch;
            if tell(start as f32 / height as f32).is_break() {
                return Err(cancelled());
            }
            threads::chunks(rows, self.rows * pitch, &|index, rows| task(start + index * self.rows, rows));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_row_of_more_than_a_look_is_still_a_task() {
        let tasks = Tasks { rows: 4, row_macs: 1 << 30, look_macs: 1 << 29 };
        assert_eq!(tasks.batch(), 4 * threads::count());
    }
}
