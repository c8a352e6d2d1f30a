//! The lines in which two texts differ.

use serde::Serialize;

/// One line that goes, or comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DiffLine {
    /// Where it stands in the text before: `line 12`, `code cell 3, line 4`.
    pub place: String,
    /// Whether it comes; else it goes.
    pub comes: bool,
    /// The line without its end.
    pub text: String,
}

/// What goes and what comes between two texts that differ in a few lines: numbers count the lines before.
pub fn changed(before: &str, after: &str) -> Vec<(usize, bool, String)> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let mut list = Vec::new();
    let (mut a, mut b) = (0, 0);
    while a < old.len() || b < new.len() {
        if a < old.len() && b < new.len() && old[a] == new[b] {
            (a, b) = (a + 1, b + 1);
            continue;
        }
        // The nearest place where both go on alike.
        let (left, right) = (old.len() - a, new.len() - b);
        let steps = (0..=left + right).flat_map(|sum| (0..=sum.min(left)).map(move |go| (go, sum - go)));
        let meets = |&(go, come): &(usize, usize)| {
            come <= right
                && match (old.get(a + go), new.get(b + come)) {
                    (Some(old), Some(new)) => old == new,
                    (None, None) => true,
                    _ => false,
                }
        };
        let (go, come) = steps.filter(|step| step.0 + step.1 > 0).find(meets).unwrap_or((left, right));
        list.extend((a..a + go).map(|line| (line + 1, false, old[line].to_owned())));
        list.extend((b..b + come).map(|line| ((a + go).max(1), true, new[line].to_owned())));
        (a, b) = (a + go, b + come);
    }
    list
}
