//! DeepFill's contextual attention: patches are cut by slices, compared by a product, and pasted by a transposed convolution
//! whose filters they are.

use super::graph::{Attribute, Graph};
use super::layers::Layer;
use crate::error::{Code, Error, Result};
use crate::network::ops::ContextualAttention;
use crate::network::ops::contextual_attention::{Grid, KEY, LEAST_NORM, PATCH, SCALE, grid};

/// Both sides of the features in the mask's, twice halved.
const MASK_FACTOR: usize = 8;

impl Graph<'_> {
    /// Every value of an axis that is sampled.
    fn gathered(&mut self, from: String, axis: i64, places: &[usize], to: &str) -> String {
        let places: Vec<i64> = places.iter().map(|&place| place as i64).collect();
        let places = self.ints(&format!("{to}.places"), &places);
        self.node("Gather", &[from, places], to, &[("axis", Attribute::Int(axis))])
    }

    /// Both axes of a picture sampled.
    fn sampled(&mut self, from: String, [rows, columns]: [Vec<usize>; 2], to: &str) -> String {
        let rows = self.gathered(from, 2, &rows, &format!("{to}.rows"));
        self.gathered(rows, 3, &columns, to)
    }

    /// Windows of `side`, at every `step`-th pixel of what is padded by one: `[side * side, C, height, width]`.
    fn windows(&mut self, from: String, grid: Grid, (side, step): (usize, usize), to: &str) -> String {
        let padded = self.padded(from, [1; 4], "constant", &format!("{to}.padded"));
        let part = |at: usize, count: usize| [at as i64, (at + step * (count - 1) + 1) as i64, step as i64];
        let mut all = Vec::new();
        for y in 0..side {
            for x in 0..side {
                let parts = [(2, part(y, grid.height)), (3, part(x, grid.width))];
                all.push(self.sliced(padded.clone(), &parts, &format!("{to}.{y}.{x}")));
            }
        }
        self.node("Concat", &all, to, &[("axis", Attribute::Int(0))])
    }

    /// `s[i, j] + s[i - 1, j - 1] + s[i + 1, j + 1]` of a square `[1, 1, n, n]`, zeros outside.
    fn diagonals(&mut self, scores: String, n: usize, to: &str) -> String {
        let padded = self.padded(scores.clone(), [1; 4], "constant", &format!("{to}.padded"));
        let mut sum = scores;
        for (name, from) in [("before", 0), ("after", 2)] {
            let part = [from, from + n as i64, 1];
            let other = self.sliced(padded.clone(), &[(2, part), (3, part)], &format!("{to}.{name}"));
            sum = self.node("Add", &[sum, other], &format!("{to}.{name}.sum"), &[]);
        }
        sum
    }

    /// Scores of neighbours that move together, along rows and then along columns.
    fn fused(&mut self, scores: String, grid: Grid, to: &str) -> String {
        let (n, h, w) = (grid.patches() as i64, grid.height as i64, grid.width as i64);
        let turned = [("perm", Attribute::Ints(vec![1, 0, 3, 2]))];
        let square = self.reshaped(scores, &[1, 1, n, n], &format!("{to}.square"));
        let along = self.diagonals(square, grid.patches(), &format!("{to}.rows"));
        let split = self.reshaped(along, &[h, w, h, w], &format!("{to}.split"));
        let by_column = self.node("Transpose", &[split], &format!("{to}.by_column"), &turned);
        let square = self.reshaped(by_column, &[1, 1, n, n], &format!("{to}.column_square"));
        let down = self.diagonals(square, grid.patches(), &format!("{to}.columns"));
        let split = self.reshaped(down, &[w, h, w, h], &format!("{to}.column_split"));
        let by_row = self.node("Transpose", &[split], &format!("{to}.by_row"), &turned);
        self.reshaped(by_row, &[n, n], to)
    }

    /// The whole operator.
    pub(super) fn attention(&mut self, attention: ContextualAttention, layer: &Layer) -> Result<()> {
        let refused = |text: String| Error::new(Code::InputShape, text);
        let grid = grid(layer.inputs[0].1).map_err(refused)?;
        let (n, h, w) = (grid.patches() as i64, grid.height as i64, grid.width as i64);
        let channels = grid.channels as i64;
        let of = |factor: usize| [grid.height, grid.width].map(|count| attention.sampled(factor * count, count));
        let small = self.sampled(layer.input(), of(2), &layer.part("small"));
        let windows = self.windows(small, grid, (KEY, 1), &layer.part("windows"));
        let patches = self.reshaped(windows, &[(KEY * KEY) as i64 * channels, n], &layer.part("patches"));
        let axes = || [("axes", Attribute::Ints(vec![0]))];
        let norm = self.node("ReduceL2", std::slice::from_ref(&patches), &layer.part("norm"), &axes());
        let least = self.scalar(&layer.part("least"), LEAST_NORM);
        let norm = self.node("Max", &[norm, least], &layer.part("norm.least"), &[]);
        let keys = self.node("Div", &[patches.clone(), norm], &layer.part("keys"), &[]);
        let keys = self.node("Transpose", &[keys], &layer.part("keys.rows"), &[("perm", Attribute::Ints(vec![1, 0]))]);
        let mut scores = self.node("MatMul", &[keys, patches], &layer.part("scores"), &[]);
        if attention.fuse {
            scores = self.fused(scores, grid, &layer.part("fused"));
        }
        let known = self.known(attention, grid, layer);
        let scale = self.scalar(&layer.part("scale"), SCALE);
        let scaled = self.node("Mul", &[scores, scale], &layer.part("scaled"), &[]);
        let masked = self.node("Mul", &[scaled, known.clone()], &layer.part("masked"), &[]);
        let shares = self.node("Softmax", &[masked], &layer.part("softmax"), &[("axis", Attribute::Int(0))]);
        let shares = self.node("Mul", &[shares, known], &layer.part("shares"), &[]);
        let shares = self.reshaped(shares, &[1, n, h, w], &layer.part("maps"));
        let raw = self.windows(layer.input(), grid, (PATCH, 2), &layer.part("raw"));
        let raw = self.reshaped(raw, &[PATCH as i64, PATCH as i64, channels, n], &layer.part("raw.sides"));
        let order = [("perm", Attribute::Ints(vec![3, 2, 0, 1]))];
        let filters = self.node("Transpose", &[raw], &layer.part("filters"), &order);
        let attributes = [
            ("kernel_shape", Attribute::Ints(vec![PATCH, PATCH])),
            ("strides", Attribute::Ints(vec![2, 2])),
            ("pads", Attribute::Ints(vec![1, 1, 1, 1])),
        ];
        let pasted = self.node("ConvTranspose", &[shares, filters], &layer.part("pasted"), &attributes);
        let quarter = self.scalar(&layer.part("quarter"), 0.25);
        self.node("Mul", &[pasted, quarter], layer.name(), &[]);
        Ok(())
    }

    /// 1 for every patch that the hole does not touch, `[n, 1]`.
    fn known(&mut self, attention: ContextualAttention, grid: Grid, layer: &Layer) -> String {
        let places = [grid.height, grid.width].map(|count| attention.sampled(MASK_FACTOR * count, count));
        let mask = self.sampled(layer.inputs[1].0.clone(), places, &layer.part("mask"));
        let holes = self.node("Abs", &[mask], &layer.part("holes"), &[]);
        let attributes = [
            ("kernel_shape", Attribute::Ints(vec![KEY, KEY])),
            ("strides", Attribute::Ints(vec![1, 1])),
            ("pads", Attribute::Ints(vec![1, 1, 1, 1])),
        ];
        let near = self.node("MaxPool", &[holes], &layer.part("near"), &attributes);
        let zero = self.scalar("zero", 0.0);
        let one = self.scalar("one", 1.0);
        let touched = self.node("Greater", &[near, zero.clone()], &layer.part("touched"), &[]);
        let known = self.node("Where", &[touched, zero, one], &layer.part("known"), &[]);
        self.reshaped(known, &[grid.patches() as i64, 1], &layer.part("known.column"))
    }
}
