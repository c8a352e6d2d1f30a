//! Attributes under another name.

use super::super::lexer::{Kind, Token};
use super::{Change, Edit, EditKind, Faults, is_mark};
use crate::ordering;

/// Most names that are tried for each other.
const MOST_PAIRS: usize = 12;

pub fn edits(source: &str, tokens: &[Token], faults: &Faults) -> Vec<Edit> {
    let mut list = Vec::new();
    for (own, other) in pairs(faults) {
        for with_texts in [false, true] {
            list.extend(renamed(source, tokens, &own, &other, with_texts));
        }
    }
    list
}

/// Parts of keys that stand for each other in missing and unexpected keys of one shape, the most frequent first.
fn pairs(faults: &Faults) -> Vec<(String, String)> {
    let mut counts: Vec<((String, String), usize)> = Vec::new();
    for own in &faults.missing {
        let parts: Vec<&str> = own.key.split('.').collect();
        for (key, _) in faults.unexpected.iter().filter(|(_, shape)| *shape == own.shape) {
            let others: Vec<&str> = key.split('.').collect();
            let mut differing = parts.iter().zip(&others).filter(|(a, b)| a != b);
            let (Some((own, other)), None) = (differing.next(), differing.next()) else { continue };
            if parts.len() != others.len() || !is_name(own) || !is_name(other) {
                continue;
            }
            let pair = ((*own).to_owned(), (*other).to_owned());
            match counts.iter().position(|(known, _)| *known == pair) {
                Some(place) => counts[place].1 += 1,
                None if counts.len() < 4 * MOST_PAIRS => counts.push((pair, 1)),
                None => {}
            }
        }
    }
    ordering::sort_by(&mut counts, |a, b| b.1.cmp(&a.1));
    counts.into_iter().take(MOST_PAIRS).map(|(pair, _)| pair).collect()
}

fn is_name(part: &str) -> bool {
    let mut letters = part.chars();
    letters.next().is_some_and(|c| c.is_alphabetic() || c == '_') && letters.all(|c| c.is_alphanumeric() || c == '_')
}

/// The attribute under its other name wherever it stands; with texts that are the name alone, as `add_module` takes them.
fn renamed(source: &str, tokens: &[Token], own: &str, other: &str, with_texts: bool) -> Option<Edit> {
    let mut changes = Vec::new();
    let mut line = 0;
    for (index, token) in tokens.iter().enumerate() {
        let change = match &token.kind {
            Kind::Name(name) if name == own && index > 0 && is_mark(&tokens[index - 1], ".") => {
                Change { start: token.start, end: token.end, text: other.to_owned() }
            }
            Kind::Text(text) if with_texts && text == own => {
                let written = source.get(token.start..token.end)?;
                let place = token.start + written.find(own)?;
                Change { start: place, end: place + own.len(), text: other.to_owned() }
            }
            _ => continue,
        };
        line = if line == 0 { token.line } else { line };
        changes.push(change);
    }
    (!changes.is_empty()).then_some(Edit { kind: EditKind::Name, changes, line })
}
