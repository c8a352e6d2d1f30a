//! The order in which a scan visits its blocks (T.81, A.2).

use super::{Jpeg, Scan};

/// A block's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Index of its component.
    pub component: usize,
    pub column: usize,
    pub row: usize,
}

/// The blocks of a scan, MCU by MCU.
pub struct Walk {
    /// MCUs from left to right, and from top to bottom.
    mcus: (usize, usize),
    /// The blocks of the first MCU.
    first: Vec<Place>,
    /// How far the blocks of each component move from one MCU to the next, across and down.
    steps: Vec<(usize, usize)>,
}

impl Walk {
    /// Of one component: its own blocks, row by row; of several: whole MCUs.
    pub fn new(jpeg: &Jpeg, scan: &Scan) -> Self {
        let mut steps = vec![(1, 1); jpeg.components.len()];
        if let [only] = scan.components[..] {
            let first = vec![Place { component: only, column: 0, row: 0 }];
            return Self { mcus: jpeg.components[only].blocks, first, steps };
        }
        let mut first = Vec::new();
        for &index in &scan.components {
            let component = &jpeg.components[index];
            steps[index] = (component.across, component.down);
            for row in 0..component.down {
                first.extend((0..component.across).map(|column| Place { component: index, column, row }));
            }
        }
        let (across, down) = jpeg.sampling();
        Self { mcus: (jpeg.width.div_ceil(8 * across), jpeg.height.div_ceil(8 * down)), first, steps }
    }

    /// How many MCUs there are.
    pub fn count(&self) -> usize {
        self.mcus.0 * self.mcus.1
    }

    /// The blocks of one MCU.
    pub fn blocks(&self, mcu: usize) -> impl Iterator<Item = Place> + '_ {
        let (column, row) = (mcu % self.mcus.0, mcu / self.mcus.0);
        self.first.iter().map(move |place| {
            let (across, down) = self.steps[place.component];
            Place { column: place.column + column * across, row: place.row + row * down, ..*place }
        })
    }
}
