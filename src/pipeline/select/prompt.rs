//! What a user points at.

use crate::error::{Code, Error, Result};

/// A click, or a stroke over a part of the photo.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// Places in photo pixels; those outside the photo count for nothing.
    pub points: Vec<(f32, f32)>,
    /// Whether the place belongs to the selection, or does not.
    pub adds: bool,
}

impl Prompt {
    /// Prompts as they cross from the page: x and y of all points in turn, how many points each prompt has, and whether it
    /// adds (not 0). `usage` error where these do not belong together.
    pub fn from_flat(points: &[f32], counts: &[u32], adds: &[u8]) -> Result<Vec<Self>> {
        let total = counts.iter().try_fold(0usize, |sum, &count| sum.checked_add(count as usize));
        if counts.len() != adds.len() || total.and_then(|total| total.checked_mul(2)) != Some(points.len()) {
            return Err(Error::new(Code::Usage, "The points of a selection do not belong together."));
        }
        let mut places = points.chunks_exact(2).map(|place| (place[0], place[1]));
        let prompt = |(&count, &adds): (&u32, &u8)| Self {
            points: places.by_ref().take(count as usize).collect(),
            adds: adds != 0,
        };
        Ok(counts.iter().zip(adds).map(prompt).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Prompt;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn prompts_are_taken_apart_as_they_were_put_together() {
        let prompts = Prompt::from_flat(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1, 0, 2], &[1, 1, 0]).unwrap();
        let points: Vec<_> = prompts.iter().map(|prompt| prompt.points.clone()).collect();
        assert_eq!(points, [vec![(1.0, 2.0)], vec![], vec![(3.0, 4.0), (5.0, 6.0)]]);
        assert_eq!(prompts.iter().map(|prompt| prompt.adds).collect::<Vec<_>>(), [true, true, false]);
        assert!(Prompt::from_flat(&[], &[], &[]).unwrap().is_empty());
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        for (points, counts, adds) in
            [(vec![1.0], vec![1], vec![1]), (vec![1.0, 2.0], vec![2], vec![1]), (vec![1.0, 2.0], vec![1], vec![])]
        {
            assert!(Prompt::from_flat(&points, &counts, &adds).is_err(), "{points:?} {counts:?} {adds:?}");
        }
        assert!(Prompt::from_flat(&[], &[u32::MAX, u32::MAX], &[1, 1]).is_err());
    }
}
