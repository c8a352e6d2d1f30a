//! Selecting an object by a click or a rough stroke, and snapping a rough mask to the edges of what it covers, without
//! any weights.
//!
//! [`Selector::encode`] looks at a photo once; [`Selector::select`] and [`Selector::snap`] then answer quickly, at the size
//! of a working copy; [`Selector::enlarge`] brings an answer to the photo's pixels. A network that encodes a picture and
//! decodes clicks can stand behind the same calls.

mod amend;
mod candidates;
mod depth;
mod palette;
mod prompt;
mod refine;
mod regions;
mod segment;
mod superpixels;
mod working_copy;

pub use prompt::Prompt;

use super::{Mask, Pixels, Rect};
use crate::error::{Code, Error, Result};
use crate::limits::{MAX_SELECT_PIXELS, MAX_SELECT_POINTS, MAX_SELECT_PROMPTS};
use crate::sentences::Sentence;
use segment::Graph;
use superpixels::Superpixels;
use working_copy::WorkingCopy;

/// Superpixels of a photo, about.
const SUPERPIXELS: usize = 2500;

/// A photo that selections are made in.
pub struct Selector {
    /// Width and height of the photo.
    size: (usize, usize),
    copy: WorkingCopy,
    superpixels: Superpixels,
    graph: Graph,
    /// The prompts of the last answer and what each led to, so that a further one costs no more than itself.
    answered: Vec<(Prompt, Vec<bool>)>,
}

/// What was selected, at the size of the working copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Width of the working copy.
    pub width: usize,
    /// Height of the working copy.
    pub height: usize,
    /// `width * height`: whether a pixel belongs to it.
    pub inside: Vec<bool>,
}

impl Selector {
    /// Looks at a photo once, for all selections that follow.
    pub fn encode(photo: &dyn Pixels) -> Self {
        let copy = WorkingCopy::new(photo, MAX_SELECT_PIXELS);
        let blurred = copy.blurred();
        let superpixels = Superpixels::new(&copy, &blurred, SUPERPIXELS);
        let (regions, palette) = regions::Regions::new(&copy, &blurred, &superpixels);
        let graph = Graph { regions, palette };
        Self { size: (photo.width(), photo.height()), copy, superpixels, graph, answered: Vec::new() }
    }

    /// The object at the first prompt that adds, changed by those that follow. Empty where none adds a place of the photo.
    /// The same prompts give the same selection. `usage` error where there are more than `limits.rs` allows.
    pub fn select(&mut self, prompts: &[Prompt]) -> Result<Selection> {
        check(prompts)?;
        let same = self.answered.iter().zip(prompts).take_while(|((before, _), now)| before == *now).count();
        self.answered.truncate(same);
        for prompt in &prompts[same..] {
            let chosen = self.answer(prompt);
            self.answered.push((prompt.clone(), chosen));
        }
        let inside = match self.answered.last() {
            Some((_, chosen)) => refine::recut(&self.copy, &self.pixels(chosen)),
            None => vec![false; self.copy.lab.len()],
        };
        Ok(Selection { width: self.copy.width, height: self.copy.height, inside })
    }

    /// A rough mask of the photo's size, moved to the edges near its own. `mask-size` error unless it has the photo's size.
    pub fn snap(&self, mask: &Mask) -> Result<Selection> {
        if (mask.width, mask.height) != self.size {
            let [photo_width, photo_height] = [self.size.0 as u64, self.size.1 as u64];
            let [width, height] = [mask.width as u64, mask.height as u64];
            return Err(Error::said(Sentence::MaskSize { width, height, photo_width, photo_height }));
        }
        let (w, h) = (self.copy.width, self.copy.height);
        let middle = |i: usize, count: usize, of: usize| (i * 2 + 1) * of / (2 * count);
        let rough: Vec<bool> =
            (0..w * h).map(|i| mask.is_hole(middle(i % w, w, mask.width), middle(i / w, h, mask.height))).collect();
        let area = rough.iter().filter(|&&inside| inside).count();
        if area == 0 {
            return Ok(Selection { width: w, height: h, inside: rough });
        }
        let mut depth = vec![0.0; self.graph.len()];
        for (&label, pixel) in self.superpixels.label.iter().zip(depth::depths(&rough, w)) {
            depth[label as usize] += pixel / self.graph.regions.list[label as usize].size;
        }
        let chosen = amend::snapped(&self.graph, &depth, area as f32);
        Ok(Selection { width: w, height: h, inside: refine::recut(&self.copy, &self.pixels(&chosen)) })
    }

    /// A selection at the size of the photo that was encoded: the rectangle that holds it, and its bytes (255 inside, 0
    /// outside).
    pub fn enlarge(&self, photo: &dyn Pixels, selection: &Selection) -> (Rect, Vec<u8>) {
        refine::enlarge(&self.copy, &selection.inside, photo)
    }

    /// Which superpixels belong to the selection after one more prompt.
    fn answer(&self, prompt: &Prompt) -> Vec<bool> {
        let before = match self.answered.last() {
            Some((_, chosen)) => chosen.clone(),
            None => vec![false; self.graph.len()],
        };
        let starts = self.regions_at(prompt);
        if starts.is_empty() {
            return before;
        }
        let mut fixed = vec![None; self.graph.len()];
        for prompt in self.answered.iter().map(|(prompt, _)| prompt).chain([prompt]) {
            self.regions_at(prompt).into_iter().for_each(|region| fixed[region] = Some(prompt.adds));
        }
        let total = self.copy.lab.len() as f32;
        match before.contains(&true) {
            true => {
                let before = (&before[..], self.answered.len());
                amend::amended(&self.graph, before, &starts, prompt.adds, &fixed, total)
            }
            false if prompt.adds => candidates::best(&self.graph, &starts, &fixed, total),
            false => before,
        }
    }

    /// The superpixels under a prompt.
    fn regions_at(&self, prompt: &Prompt) -> Vec<usize> {
        let (w, h) = self.size;
        let region = |&(x, y): &(f32, f32)| {
            (x >= 0.0 && y >= 0.0 && x < w as f32 && y < h as f32).then(|| {
                let (x, y) = (x as usize * self.copy.width / w, y as usize * self.copy.height / h);
                self.superpixels.label[y * self.copy.width + x] as usize
            })
        };
        let mut found = vec![false; self.graph.len()];
        prompt.points.iter().filter_map(region).for_each(|region| found[region] = true);
        (0..found.len()).filter(|&region| found[region]).collect()
    }

    /// The pixels of the superpixels chosen.
    fn pixels(&self, chosen: &[bool]) -> Vec<bool> {
        self.superpixels.label.iter().map(|&label| chosen[label as usize]).collect()
    }
}

/// `usage` error where there are too many prompts or points.
fn check(prompts: &[Prompt]) -> Result<()> {
    let points: usize = prompts.iter().map(|prompt| prompt.points.len()).sum();
    if prompts.len() > MAX_SELECT_PROMPTS || points > MAX_SELECT_POINTS {
        let text = format!(
            "A selection takes up to {MAX_SELECT_PROMPTS} clicks or strokes of {MAX_SELECT_POINTS} points together. Begin a new one."
        );
        return Err(Error::new(Code::Usage, text));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
