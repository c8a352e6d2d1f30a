//! `infill select`: the mask of an object, by clicks or from a rough mask, as the page selects it.

use std::path::PathBuf;

use super::inpaint::{decoded, opened};
use crate::error::Result;
use crate::pipeline::select::{Prompt, Selector};
use crate::pipeline::{self, Mask, MaskOptions};

#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["click", "snap"])))]
pub struct Arguments {
    /// Photo: PNG, JPEG or WebP.
    #[arg(long)]
    image: PathBuf,
    /// A place of the object, in pixels of the upright photo: X,Y. Several places joined by colons are a stroke: X,Y:X,Y. With
    /// ",-" at the end the place is taken away. May be given several times.
    #[arg(long, allow_hyphen_values = true, value_parser = parse_click)]
    click: Vec<Prompt>,
    /// A rough mask (white is inside) that is moved to the edges of what it covers.
    #[arg(long)]
    snap: Option<PathBuf>,
    /// Where the mask goes: a gray PNG of the photo's size, white inside.
    #[arg(long)]
    output: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let (photo, _) = opened(&arguments.image)?;
    let size = (photo.width, photo.height);
    let mut selector = Selector::encode(&photo);
    let selection = match &arguments.snap {
        Some(path) => {
            let reading = decoded(path, |bytes| pipeline::read_mask(bytes, size, MaskOptions::default()))?;
            selector.snap(&reading.mask)?
        }
        None => selector.select(&arguments.click)?,
    };
    let (rect, bytes) = selector.enlarge(&photo, &selection);
    let mut mask = Mask { width: size.0, height: size.1, holes: vec![0; size.0 * size.1] };
    for (row, line) in bytes.chunks_exact(rect.width.max(1)).enumerate() {
        mask.holes[(rect.y + row) * size.0 + rect.x..][..rect.width].copy_from_slice(line);
    }
    super::write_file(&arguments.output, &pipeline::encode_mask(&mask)?)
}

/// `X,Y`, or a stroke `X,Y:X,Y:...`; with `,-` at the end it takes away.
fn parse_click(text: &str) -> Result<Prompt, String> {
    let (places, adds) = match text.strip_suffix(",-") {
        Some(places) => (places, false),
        None => (text, true),
    };
    let number = |text: &str| text.trim().parse::<f32>().ok().filter(|number| number.is_finite());
    let place = |text: &str| {
        let (x, y) = text.split_once(',')?;
        Some((number(x)?, number(y)?))
    };
    let points: Option<Vec<_>> = places.split(':').map(place).collect();
    points
        .map(|points| Prompt { points, adds })
        .ok_or_else(|| "give X,Y or X,Y:X,Y, in pixels; at the end ,- takes away".to_owned())
}

#[cfg(test)]
mod tests {
    use super::parse_click;

    #[test]
    fn clicks_and_strokes_are_read() {
        let read = |text: &str| parse_click(text).map(|prompt| (prompt.points, prompt.adds));
        assert_eq!(read("12,34"), Ok((vec![(12.0, 34.0)], true)));
        assert_eq!(read("12.5,-3,-"), Ok((vec![(12.5, -3.0)], false)));
        assert_eq!(read("1,2:3,4"), Ok((vec![(1.0, 2.0), (3.0, 4.0)], true)));
        for wrong in ["", "1", "1,", ",-", "1,2,3", "1,2:", "a,b", "NaN,1", "1,inf", "1;2"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
