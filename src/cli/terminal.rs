//! What is written to a terminal: lines of our own, in which a file's keys and names cannot move the cursor, start another
//! line or set the clipboard.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{ErrorKind, Write};

use crate::error::{Code, Error, Result};

/// Whether a terminal would act on this character, or show the text around it in another order.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

/// The text with every control character written as an escape, such as `\u{1b}` or `\n`.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_control) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_control(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// One JSON value, in which control characters that JSON allows in strings are escaped as well.
pub fn json(value: &serde_json::Value) -> String {
    let mut out = String::new();
    for c in value.to_string().chars() {
        // Outside its strings, compact JSON has no such characters; all of them lie below U+10000.
        if is_control(c) { out += &format!("\\u{:04x}", u32::from(c)) } else { out.push(c) }
    }
    out
}

/// An error as lines: its message, and the keys that the message does not name.
pub fn error_lines(error: &Error) -> Vec<String> {
    // Only the list of what does not fit has lines of its own; any other line break is that of a key or a name.
    let has_lines = error.code == Code::ModelMismatch && !error.keys.iter().any(|key| key.contains('\n'));
    let message = error.message.split(|c| has_lines && c == '\n').map(|line| escaped(line).into_owned());
    // There may be tens of thousands of keys, and a message that names each: they are looked up, not searched for.
    let words: HashSet<&str> =
        error.message.split(['"', ' ', '\n']).map(|word| word.trim_end_matches([',', ':', '.'])).collect();
    let is_named = |key: &str| words.contains(key) || error.keys.len() < 100 && error.message.contains(key);
    let others = error.keys.iter().filter(|key| !is_named(key));
    message.chain(others.map(|key| format!("  {}", escaped(key)))).collect()
}

/// Writes to standard error what a user should know although nothing failed. Where it cannot be written, nobody reads it.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "infill: note: {}", escaped(text));
}

/// Writes lines to standard output, each escaped. Whoever reads may stop early (`| head`), which is no fault.
///
/// `io` if the output cannot be written for another reason, such as a full disk.
pub fn print<T: AsRef<str>>(lines: impl IntoIterator<Item = T>) -> Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let written = lines.into_iter().try_for_each(|line| writeln!(out, "{}", escaped(line.as_ref())));
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::new(Code::Io, format!("The output cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\u{1b}]52;c;ZXZpbA==\u{7}\r\nb\u{9b}2J\u{7f}\u{202e}";

    #[test]
    fn nothing_that_a_terminal_acts_on_is_left() {
        assert_eq!(escaped(HOSTILE), r"a\u{1b}]52;c;ZXZpbA==\u{7}\r\nb\u{9b}2J\u{7f}\u{202e}");
        assert!(matches!(escaped("encoder.0.größe 猫"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_is_the_same_value_without_control_characters() {
        let value = serde_json::json!({ HOSTILE: [HOSTILE] });
        let text = json(&value);
        assert!(!text.contains(is_control), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn an_error_keeps_its_own_lines_alone() {
        let own = Error::new(Code::ModelMismatch, "Does not fit:\nMissing key(s): \"a.weight\", \"b\".");
        let lines = error_lines(&own.with_keys(["a.weight", "b", "c\u{1b}"].map(str::to_owned).to_vec()));
        assert_eq!(lines, ["Does not fit:", "Missing key(s): \"a.weight\", \"b\".", r"  c\u{1b}"]);
        for code in [Code::ModelMismatch, Code::CheckpointCorrupt] {
            let error = Error::new(code, format!("{HOSTILE}: is not there.")).with_keys(vec![HOSTILE.to_owned()]);
            let lines = error_lines(&error);
            assert!(lines.len() == 1 && !lines[0].contains(is_control), "{lines:?}");
        }
    }

    #[test]
    fn many_keys_are_told_apart_at_once() {
        let keys: Vec<String> = (0..50_000).map(|i| format!("layer.{i}.weight")).collect();
        let message = format!("Missing key(s) in state_dict: \"{}\".", keys[1..].join("\", \""));
        let lines = error_lines(&Error::new(Code::ModelMismatch, message).with_keys(keys));
        assert_eq!(lines[1..], ["  layer.0.weight"]);
    }
}
