//! Other numbers, `True` for `False`, and `bias=False`.

use super::super::lexer::{Kind, Token};
use super::{Edit, EditKind, Faults, is_mark, name};

/// Largest number that counts blocks rather than channels.
const MOST_BLOCKS: i64 = 64;

pub fn edits(tokens: &[Token], faults: &Faults) -> Vec<Edit> {
    let pairs = pairs(faults);
    let mut list = Vec::new();
    for token in tokens {
        match &token.kind {
            Kind::Int(number) => {
                let other =
                    |text: i64| Edit::one(EditKind::Number, token.line, token.start, token.end, text.to_string());
                list.extend(others(*number, &pairs, &faults.more).into_iter().map(other));
            }
            Kind::Name(word) if matches!(word.as_str(), "True" | "False") => {
                let other = if word == "True" { "False" } else { "True" };
                list.push(Edit::one(EditKind::Flag, token.line, token.start, token.end, other));
            }
            _ => {}
        }
    }
    list.extend(biases(tokens, faults));
    list
}

/// Sides that differ: the class's and the file's.
fn pairs(faults: &Faults) -> Vec<(i64, i64)> {
    let mut pairs = Vec::new();
    for (own, found) in faults.mismatched.iter().filter(|(own, found)| own.shape.len() == found.len()) {
        for (&own, &found) in own.shape.iter().zip(found) {
            let (Ok(own), Ok(found)) = (i64::try_from(own), i64::try_from(found)) else { continue };
            if own != found && own > 0 && found > 0 && !pairs.contains(&(own, found)) {
                pairs.push((own, found));
            }
        }
    }
    pairs
}

/// What a number may be instead: a side of the file, or what a side is a multiple of.
fn others(number: i64, pairs: &[(i64, i64)], more: &[i64]) -> Vec<i64> {
    let mut list = Vec::new();
    for &(own, found) in pairs {
        if number > 0 && own % number == 0 && found % (own / number) == 0 {
            list.push(found / (own / number));
        }
    }
    if (1..=MOST_BLOCKS).contains(&number) {
        list.extend(more.iter().map(|more| number + more).filter(|&other| other >= 0));
    }
    list.sort_unstable();
    list.dedup();
    list
}

/// `bias=False` in the calls on the lines of layers whose bias the file has not.
fn biases(tokens: &[Token], faults: &Faults) -> Vec<Edit> {
    let mut lines: Vec<usize> =
        faults.missing.iter().filter(|own| own.key.ends_with("bias") && own.line > 0).map(|own| own.line).collect();
    lines.sort_unstable();
    lines.dedup();
    let mut list = Vec::new();
    for (index, pair) in tokens.windows(2).enumerate() {
        let [callee, open] = pair else { continue };
        if name(callee).is_none() || !is_mark(open, "(") || !lines.contains(&callee.line) {
            continue;
        }
        let Some(close) = closing(tokens, index + 1) else { continue };
        let inside = &tokens[index + 2..close];
        if inside.iter().any(|token| name(token) == Some("bias")) {
            continue;
        }
        let text = match inside.last() {
            None => "bias=False",
            Some(last) if is_mark(last, ",") => " bias=False",
            Some(_) => ", bias=False",
        };
        let place = tokens[close].start;
        // Before a bracket on a line of its own, behind the last argument.
        let place = inside.last().map_or(place, |last| last.end);
        list.push(Edit::one(EditKind::Bias, tokens[close].line, place, place, text));
    }
    list
}

/// The bracket that closes the one at `open`.
fn closing(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            Kind::Mark("(" | "[" | "{") => depth += 1,
            Kind::Mark(")" | "]" | "}") => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(index);
                }
            }
            _ => {}
        }
    }
    None
}
