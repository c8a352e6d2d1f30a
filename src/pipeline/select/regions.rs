//! What is known of each superpixel, and of the border between two.

use super::palette::Palette;
use super::superpixels::Superpixels;
use super::working_copy::{Lab, WorkingCopy, gap2};

/// Mean contrast of a picture in which nothing stands out, in Lab units: less is noise.
const LEAST_CONTRAST: f32 = 0.5;

/// One superpixel's pixels in sum.
#[derive(Clone, Default)]
pub struct Region {
    /// Pixels.
    pub size: f32,
    /// Mean colour.
    pub colour: Lab,
    /// Centre, in pixels of the working copy.
    pub x: f32,
    pub y: f32,
    /// How many of its pixels lie on the picture's border.
    pub rim: f32,
}

/// The border between two neighbours.
#[derive(Clone, Copy)]
pub struct Border {
    pub nodes: [u32; 2],
    /// Pairs of pixels across it.
    pub length: f32,
    /// How much the colour changes across it: 1 is the picture's mean.
    pub contrast: f32,
}

/// The graph of superpixels.
pub struct Regions {
    /// What is known of each.
    pub list: Vec<Region>,
    pub borders: Vec<Border>,
    /// Each region's borders: where they begin in `around`.
    pub first: Vec<u32>,
    /// Indices of borders.
    pub around: Vec<u32>,
    /// How often each colour of the palette occurs in each region: `regions * Palette::LENGTH` counts.
    pub histograms: Vec<u16>,
}

impl Regions {
    pub fn new(copy: &WorkingCopy, blurred: &[Lab], superpixels: &Superpixels) -> (Self, Palette) {
        let list = sums(copy, superpixels);
        let palette = Palette::new(&list);
        let mut histograms = vec![0u16; list.len() * Palette::LENGTH];
        for (&colour, &label) in copy.lab.iter().zip(&superpixels.label) {
            let count = &mut histograms[label as usize * Palette::LENGTH + palette.nearest(colour)];
            *count = count.saturating_add(1);
        }
        add_detail(&mut histograms, copy, blurred, superpixels, &list);
        let borders = borders(copy, blurred, superpixels, &list);
        let (first, around) = index(&borders, list.len());
        (Self { list, borders, first, around, histograms }, palette)
    }

    /// A region's borders, and who lies on the other side of each.
    pub fn neighbours(&self, region: usize) -> impl Iterator<Item = (&Border, usize)> {
        self.around[self.first[region] as usize..self.first[region + 1] as usize].iter().map(move |&border| {
            let border = &self.borders[border as usize];
            let [a, b] = border.nodes.map(|node| node as usize);
            (border, if a == region { b } else { a })
        })
    }

    /// How often each colour of the palette occurs in a region.
    pub fn histogram(&self, region: usize) -> &[u16] {
        &self.histograms[region * Palette::LENGTH..][..Palette::LENGTH]
    }
}

/// Each region's borders as indices, and where they begin.
fn index(borders: &[Border], regions: usize) -> (Vec<u32>, Vec<u32>) {
    let mut first = vec![0u32; regions + 1];
    for border in borders {
        border.nodes.iter().for_each(|&node| first[node as usize + 1] += 1);
    }
    for node in 1..first.len() {
        first[node] += first[node - 1];
    }
    let mut free = first.clone();
    let mut around = vec![0u32; borders.len() * 2];
    for (i, border) in (0u32..).zip(borders) {
        for node in border.nodes {
            around[free[node as usize] as usize] = i;
            free[node as usize] += 1;
        }
    }
    (first, around)
}

/// How detailed each region is, as counts of all its pixels.
fn add_detail(
    histograms: &mut [u16],
    copy: &WorkingCopy,
    blurred: &[Lab],
    superpixels: &Superpixels,
    regions: &[Region],
) {
    let mut sums = vec![0.0f32; regions.len()];
    for ((&label, &colour), &around) in superpixels.label.iter().zip(&copy.lab).zip(blurred) {
        sums[label as usize] += gap2(colour, around).sqrt();
    }
    for ((region, sum), histogram) in regions.iter().zip(sums).zip(histograms.chunks_exact_mut(Palette::LENGTH)) {
        let place = Palette::detail(sum / region.size.max(1.0));
        let (low, share) = (place as usize, place.fract());
        let size = region.size.min(60_000.0);
        histogram[Palette::COLOURS + low] += (size * (1.0 - share)) as u16;
        histogram[Palette::COLOURS + (low + 1).min(Palette::DETAILS - 1)] += (size * share) as u16;
    }
}

fn sums(copy: &WorkingCopy, superpixels: &Superpixels) -> Vec<Region> {
    let (w, h) = (copy.width, copy.height);
    let mut regions = vec![Region::default(); superpixels.count];
    for (at, (&label, colour)) in superpixels.label.iter().zip(&copy.lab).enumerate() {
        let region = &mut regions[label as usize];
        let (x, y) = (at % w, at / w);
        region.size += 1.0;
        region.x += x as f32;
        region.y += y as f32;
        region.colour.iter_mut().zip(colour).for_each(|(sum, value)| *sum += value);
        region.rim += f32::from(u8::from(x == 0 || y == 0 || x + 1 == w || y + 1 == h));
    }
    for region in &mut regions {
        let size = region.size.max(1.0);
        region.x /= size;
        region.y /= size;
        region.colour.iter_mut().for_each(|sum| *sum /= size);
    }
    regions
}

/// The borders, in the order of their regions.
fn borders(copy: &WorkingCopy, blurred: &[Lab], superpixels: &Superpixels, regions: &[Region]) -> Vec<Border> {
    let mut out: Vec<Border> = steps(copy, blurred, superpixels).into_iter().flatten().collect();
    for border in &mut out {
        let [a, b] = border.nodes.map(|node| regions[node as usize].colour);
        border.contrast = 0.5 * border.contrast / border.length + 0.5 * gap2(a, b).sqrt();
    }
    let length: f32 = out.iter().map(|border| border.length).sum();
    let mean = out.iter().map(|border| border.contrast * border.length).sum::<f32>() / length.max(1.0);
    out.iter_mut().for_each(|border| border.contrast /= mean.max(LEAST_CONTRAST));
    out
}

/// For each region its borders with those of higher numbers; `contrast` is the sum of the steps of colour across it.
fn steps(copy: &WorkingCopy, blurred: &[Lab], superpixels: &Superpixels) -> Vec<Vec<Border>> {
    let (w, h) = (copy.width, copy.height);
    let label = &superpixels.label;
    let mut out: Vec<Vec<Border>> = vec![Vec::new(); superpixels.count];
    // One pixel farther on either side, where there is one: an edge is rarely sharper than that.
    let mut pair = |a: usize, b: usize, before: usize, after: usize| {
        let nodes = [label[a].min(label[b]), label[a].max(label[b])];
        if nodes[0] == nodes[1] {
            return;
        }
        let step = gap2(blurred[before], blurred[after]).sqrt();
        let known = &mut out[nodes[0] as usize];
        match known.iter_mut().find(|border| border.nodes == nodes) {
            Some(border) => (border.length, border.contrast) = (border.length + 1.0, border.contrast + step),
            None => known.push(Border { nodes, length: 1.0, contrast: step }),
        }
    };
    for y in 0..h {
        for x in 0..w {
            let at = y * w + x;
            if x + 1 < w {
                pair(at, at + 1, at - usize::from(x > 0), at + 1 + usize::from(x + 2 < w));
            }
            if y + 1 < h {
                pair(at, at + w, at - w * usize::from(y > 0), at + w + w * usize::from(y + 2 < h));
            }
        }
    }
    out
}
