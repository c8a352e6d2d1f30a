//! Layers taken out of a list of them, and norms put in.

use super::super::lexer::{Kind, Token};
use super::{Edit, EditKind, Faults, is_mark, name};

/// Most places where a layer is taken out or put in.
const MOST: usize = 256;
/// What does nothing where a network runs.
const NEUTRAL: [&str; 5] = ["Dropout", "Dropout2d", "Dropout3d", "AlphaDropout", "Identity"];

/// A call among the items between two brackets.
struct Item {
    /// Its tokens.
    begin: usize,
    end: usize,
    /// The comma before it, and the one behind it.
    before: Option<usize>,
    behind: Option<usize>,
    /// What is called, such as `nn.Conv2d`.
    callee: String,
}

pub fn edits(source: &str, tokens: &[Token], faults: &Faults) -> Vec<Edit> {
    if faults.missing.is_empty() && faults.unexpected.is_empty() {
        return Vec::new();
    }
    let items = items(tokens);
    let mut list: Vec<Edit> = items.iter().take(MOST).map(|item| removed(source, tokens, item)).collect();
    list.extend(statements(tokens).into_iter().take(MOST));
    list.extend(norms(source, tokens, &items, faults).into_iter().take(MOST));
    list
}

/// Every item that is a call of a layer.
fn items(tokens: &[Token]) -> Vec<Item> {
    // Of each open bracket: where its present item begins, and the comma before it.
    let mut open: Vec<(usize, Option<usize>)> = Vec::new();
    let mut list = Vec::new();
    let mut item = |begin: usize, end: usize, before: Option<usize>, behind: Option<usize>| {
        let callee = callee(tokens.get(begin..end).unwrap_or_default());
        list.extend(callee.map(|callee| Item { begin, end, before, behind, callee }));
    };
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Mark("(" | "[" | "{") => open.push((index + 1, None)),
            Kind::Mark(",") => {
                if let Some((begin, before)) = open.last_mut() {
                    item(*begin, index, *before, Some(index));
                    (*begin, *before) = (index + 1, Some(index));
                }
            }
            Kind::Mark(")" | "]" | "}") => {
                if let Some((begin, before)) = open.pop() {
                    item(begin, index, before, None);
                }
            }
            _ => {}
        }
    }
    list
}

/// What these tokens call, if they are one call of a name that begins like a class's.
fn callee(tokens: &[Token]) -> Option<String> {
    let open = tokens.iter().position(|token| is_mark(token, "("))?;
    let called: String = tokens[..open]
        .iter()
        .map(|token| match &token.kind {
            Kind::Name(name) => Some(name.as_str()),
            Kind::Mark(".") => Some("."),
            _ => None,
        })
        .collect::<Option<String>>()?;
    let is_class = last(&called).starts_with(|c: char| c.is_uppercase());
    (is_class && tokens.last().is_some_and(|token| is_mark(token, ")"))).then_some(called)
}

fn last(callee: &str) -> &str {
    callee.rsplit('.').next().unwrap_or_default()
}

fn taken_out(callee: &str) -> EditKind {
    EditKind::Removed { is_neutral: NEUTRAL.contains(&last(callee)) }
}

fn removed(source: &str, tokens: &[Token], item: &Item) -> Edit {
    let (first, end) = (&tokens[item.begin], tokens[item.end - 1].end);
    let (mut start, mut end) = match (item.behind, item.before) {
        (Some(comma), _) => (first.start, tokens[comma].end),
        (None, Some(comma)) => (tokens[comma].start, end),
        (None, None) => (first.start, end),
    };
    if item.behind.is_some() {
        let rest = &source[end..];
        let spaces = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let line_start = source[..start].rfind('\n').map_or(0, |place| place + 1);
        let is_alone = source[line_start..start].trim().is_empty();
        if is_alone && source[end + spaces..].starts_with('\n') {
            (start, end) = (line_start, end + spaces + 1);
        } else {
            end += spaces;
        }
    }
    Edit::one(taken_out(&item.callee), first.line, start, end, "")
}

/// `layers.append(nn.Dropout(0.5))` and `layers += [nn.Dropout(0.5)]`.
fn statements(tokens: &[Token]) -> Vec<Edit> {
    let mut list = Vec::new();
    for line in tokens.split(|token| matches!(token.kind, Kind::Line | Kind::Indent | Kind::Dedent)) {
        let Some(bracket) = line.iter().position(|token| is_mark(token, "(") || is_mark(token, "[")) else { continue };
        let is_append = bracket > 1 && name(&line[bracket - 1]) == Some("append") && is_mark(&line[bracket - 2], ".");
        let is_added = bracket > 0 && is_mark(&line[bracket - 1], "+=");
        let inside = line.get(bracket + 1..line.len() - 1).unwrap_or_default();
        if let (true, Some(callee), [first, .., last]) = (is_append || is_added, callee(inside), line) {
            list.push(Edit::one(taken_out(&callee), first.line, first.start, last.end, "pass"));
        }
    }
    list
}

/// `nn.BatchNorm2d(..)` behind the layers before those that the file has and the class has not.
fn norms(source: &str, tokens: &[Token], items: &[Item], faults: &Faults) -> Vec<Edit> {
    let is_norm = |key: &str| key.strip_suffix("running_mean").is_some();
    let mut sides: Vec<usize> = faults
        .unexpected
        .iter()
        .filter(|(key, _)| is_norm(key))
        .filter_map(|(_, shape)| shape.first().copied())
        .collect();
    // Where indices move, the norm's own place may hold another layer's key; its statistics are still nobody else's.
    sides.sort_unstable();
    sides.dedup();
    let mut list = Vec::new();
    for item in items.iter().filter(|item| last(&item.callee).starts_with("Conv")) {
        let prefix = item.callee.rsplit_once('.').map_or(String::new(), |(module, _)| format!("{module}."));
        let (first, end) = (&tokens[item.begin], tokens[item.end - 1].end);
        let line_start = source[..first.start].rfind('\n').map_or(0, |place| place + 1);
        let indent = &source[line_start..first.start];
        let is_alone = indent.trim().is_empty();
        for side in &sides {
            let norm = format!("{prefix}BatchNorm2d({side})");
            let (place, text) = match (item.behind, is_alone) {
                (Some(comma), true) => (tokens[comma].end, format!("\n{indent}{norm},")),
                (None, true) => (end, format!(",\n{indent}{norm}")),
                (_, false) => (end, format!(", {norm}")),
            };
            list.push(Edit::one(EditKind::Norm, first.line, place, place, text));
        }
    }
    list
}
