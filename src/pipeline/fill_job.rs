//! One run over a photo: what is to be filled, what is done already, and who does it.

use super::hole_groups::HoleGroups;
use super::{FillOptions, Mask, Photo, Pixels, Rect};
use crate::error::{Code, Error, Result};
use crate::models::load::Loaded;
use crate::models::{ModelSpec, Role, Source, registry};
use crate::sentences::Sentence;

/// One rectangle of the filled photo; its pixels outside the mask equal the photo's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Where it lies.
    pub rect: Rect,
    /// `rect.width * rect.height * 4` bytes, straight RGBA.
    pub rgba: Vec<u8>,
}

/// Writes patches into a photo.
pub fn apply(photo: &mut Photo, patches: &[Patch]) {
    for Patch { rect, rgba } in patches {
        for (row, source) in rgba.chunks_exact(rect.width * 4).enumerate() {
            let start = ((rect.y + row) * photo.width + rect.x) * 4;
            photo.rgba[start..start + source.len()].copy_from_slice(source);
        }
    }
}

/// Which of the loaded networks does what.
pub struct Roles {
    /// Index of the one that paints.
    pub main: Option<usize>,
    /// What others give to it, and their indices; at most one for each source.
    pub givers: Vec<(Source, usize)>,
}

impl Roles {
    fn of(models: &[Loaded]) -> Result<Self> {
        let main = models.iter().position(|loaded| loaded.model.role == Role::Paints);
        let mut givers: Vec<(Source, usize)> = Vec::new();
        for (index, loaded) in models.iter().enumerate() {
            if let Role::Gives(source) = loaded.model.role
                && givers.iter().all(|(given, _)| *given != source)
            {
                givers.push((source, index));
            }
        }
        if main.is_none() && !models.is_empty() {
            let names: Vec<&str> = models.iter().map(|loaded| loaded.model.name.as_str()).collect();
            let names = names.join(" + ");
            return Err(Error::said(match painter_for(&givers) {
                Some(partner) => Sentence::PartnerMissing { names, partner },
                None => Sentence::PainterMissing { names },
            }));
        }
        Ok(Self { main, givers })
    }
}

/// A network that paints with what these give.
fn painter_for(givers: &[(Source, usize)]) -> Option<String> {
    let takes = |model: &ModelSpec| {
        let conventions = model.conventions(&model.published());
        model.role == Role::Paints && givers.iter().any(|(source, _)| conventions.takes(*source))
    };
    registry().iter().find(|model| takes(model)).map(|model| model.name.clone())
}

/// `usage` if norms were to take other statistics than those that a network was built with.
fn check_statistics(models: &[Loaded], options: &FillOptions) -> Result<()> {
    let Some(wanted) = options.norm_statistics else { return Ok(()) };
    match models.iter().find(|loaded| loaded.conventions.norm_statistics.is_some_and(|own| own != wanted)) {
        None => Ok(()),
        Some(loaded) => {
            let text = format!("{} was built with other norm statistics. Load it again with these.", loaded.model.name);
            Err(Error::new(Code::Usage, text))
        }
    }
}

/// One run, as far as it is.
pub struct FillJob<'a> {
    pub photo: &'a dyn Pixels,
    pub mask: &'a Mask,
    pub groups: HoleGroups,
    pub options: &'a FillOptions,
    pub roles: Roles,
    done: Vec<Patch>,
    /// Of the groups that are done.
    labels: Vec<u32>,
}

/// What one pixel is while a group is filled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pixel {
    /// Of the photo, or filled already.
    Known,
    /// To be filled now.
    Own,
    /// Of another group, not filled yet.
    Other,
    /// Fully transparent: nobody has seen its colour, so nothing follows from it.
    Clear,
}

impl<'a> FillJob<'a> {
    /// Before the first group is filled. `mask-size` unless mask and edges have the photo's size, `mask-empty` without a
    /// hole, `model-mismatch` if none of the models paints pictures, `usage` if one was
    /// built for other norm statistics, or if what is to go in does not fill its channels.
    pub fn new(photo: &'a dyn Pixels, mask: &'a Mask, models: &[Loaded], options: &'a FillOptions) -> Result<Self> {
        let groups = hole_groups(photo, mask, options)?;
        check_statistics(models, options)?;
        let roles = Roles::of(models)?;
        if let Some(main) = roles.main {
            options.input_tensors(&models[main].conventions.inputs)?;
        }
        Ok(Self { photo, mask, groups, options, roles, done: Vec::new(), labels: Vec::new() })
    }

    /// From now on this group counts as known.
    pub fn close(&mut self, label: u32, patch: Patch) {
        self.done.push(patch);
        self.labels.push(label);
    }

    /// The patches of the groups that are closed, in order.
    pub fn into_patches(self) -> Vec<Patch> {
        self.done
    }

    /// Width and height in pixels.
    pub fn photo_size(&self) -> (usize, usize) {
        (self.photo.width(), self.photo.height())
    }

    /// The photo with the groups filled so far.
    pub fn read(&self, rect: Rect) -> Vec<u8> {
        let mut rgba = self.photo.read(rect);
        for patch in self.done.iter().filter(|patch| patch.rect.touches(rect)) {
            let from = patch.rect;
            let (left, right) = (from.x.max(rect.x), (from.x + from.width).min(rect.x + rect.width));
            for y in from.y.max(rect.y)..(from.y + from.height).min(rect.y + rect.height) {
                let source = ((y - from.y) * from.width + left - from.x) * 4;
                let target = ((y - rect.y) * rect.width + left - rect.x) * 4;
                let length = (right - left) * 4;
                rgba[target..target + length].copy_from_slice(&patch.rgba[source..source + length]);
            }
        }
        rgba
    }

    /// What every pixel of the rectangle is while the group `own` is filled, row by row. `rgba` is what [`FillJob::read`]
    /// gives of it.
    pub fn pixels(&self, rect: Rect, own: u32, rgba: &[u8]) -> Vec<Pixel> {
        let pixel = |x: usize, y: usize| match self.mask.is_hole(x, y).then(|| self.groups.label(x, y)) {
            None => Pixel::Known,
            Some(label) if label == own => Pixel::Own,
            Some(label) if self.labels.contains(&label) => Pixel::Known,
            Some(_) => Pixel::Other,
        };
        let row = |y: usize| (rect.x..rect.x + rect.width).map(move |x| (x, y));
        let places = (rect.y..rect.y + rect.height).flat_map(row);
        let seen = |((x, y), colour): ((usize, usize), &[u8])| match pixel(x, y) {
            Pixel::Known if colour[3] == 0 => Pixel::Clear,
            pixel => pixel,
        };
        places.zip(rgba.chunks_exact(4)).map(seen).collect()
    }
}

/// The groups of holes, after checking that mask and edges have the photo's size and that there is a hole.
fn hole_groups(photo: &dyn Pixels, mask: &Mask, options: &FillOptions) -> Result<HoleGroups> {
    let (width, height) = (photo.width(), photo.height());
    if (mask.width, mask.height) != (width, height) || mask.holes.len() != width * height {
        let [photo_width, photo_height] = [width as u64, height as u64];
        let [width, height] = [mask.width as u64, mask.height as u64];
        return Err(Error::said(Sentence::MaskSize { width, height, photo_width, photo_height }));
    }
    if options.edges.as_ref().is_some_and(|edges| edges.len() != width * height) {
        return Err(Error::said(Sentence::EdgesLength { width: width as u64, height: height as u64 }));
    }
    let groups = HoleGroups::of(mask);
    if groups.boxes.is_empty() {
        return Err(Error::said(Sentence::MaskEmpty {}));
    }
    Ok(groups)
}
