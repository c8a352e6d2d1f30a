//! Jupyter notebooks: the code cells as one Python file, and lines of it as people find them in the notebook.

use serde::Deserialize;

use crate::error::{Code, Error, Result};
use crate::limits::{MAX_CLASS_SOURCE_BYTES, MAX_NOTEBOOK_BYTES, MAX_NOTEBOOK_CELLS};

/// What stands before each cell's code, so that the text alone says which cell a line belongs to.
const CELL: &str = "# %% code cell ";

#[derive(Deserialize)]
struct Notebook {
    #[serde(default)]
    cells: Vec<Cell>,
    /// Before version 4 of the format.
    #[serde(default)]
    worksheets: Vec<Worksheet>,
}

#[derive(Deserialize)]
struct Worksheet {
    #[serde(default)]
    cells: Vec<Cell>,
}

/// What else a cell has, such as its outputs, is read over.
#[derive(Deserialize)]
struct Cell {
    #[serde(default)]
    cell_type: String,
    #[serde(default)]
    source: Option<Text>,
    #[serde(default)]
    input: Option<Text>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Whole(String),
    Lines(Vec<String>),
}

/// Whether a text is a notebook rather than Python: an object in JSON, which no Python file with a class begins as.
pub fn is_notebook(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
}

/// A Python file from what was pasted or dropped: a notebook's code cells one after another, each behind a line that says
/// which it is; magics and shell lines are `pass`. Anything else is left as it is.
///
/// `network-invalid` for JSON that is no notebook, for a notebook without code, and for one that is too long.
pub fn python(text: &str) -> Result<String> {
    if !is_notebook(text) {
        return Ok(text.to_owned());
    }
    let invalid = |text: String| Error::new(Code::NetworkInvalid, text);
    if text.len() > MAX_NOTEBOOK_BYTES {
        return Err(invalid(format!("The notebook is longer than the {MAX_NOTEBOOK_BYTES} bytes that infill reads.")));
    }
    let notebook: Notebook = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| invalid(format!("This begins like a notebook, but it is none: {error}.")))?;
    let cells = notebook.cells.into_iter().chain(notebook.worksheets.into_iter().flat_map(|sheet| sheet.cells));
    let code = cells.filter(|cell| cell.cell_type == "code").filter_map(|cell| cell.source.or(cell.input));
    let mut source = String::new();
    for (number, text) in code.take(MAX_NOTEBOOK_CELLS).enumerate() {
        let text = match text {
            Text::Whole(text) => text,
            Text::Lines(lines) => lines.concat(),
        };
        if source.len() + text.len() > MAX_CLASS_SOURCE_BYTES {
            return Err(invalid(format!(
                "The notebook's code is longer than the {MAX_CLASS_SOURCE_BYTES} bytes that infill reads. Paste the cells \
                 with the class."
            )));
        }
        source += &format!("{CELL}{}\n", number + 1);
        cell(&text, &mut source);
    }
    if source.is_empty() {
        return Err(invalid("This notebook has no code cells.".to_owned()));
    }
    Ok(source)
}

/// One cell's code, line by line.
fn cell(text: &str, source: &mut String) {
    let text = text.replace("\r\n", "\n");
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim_start();
    // `%%bash`, `%%html`: no Python; `%%time` and `%%capture` stand over some.
    let is_other = first.starts_with("%%")
        && !["%%time", "%%timeit", "%%capture", "%%prun"]
            .contains(&first.split_whitespace().next().unwrap_or_default());
    let mut inside = Inside::default();
    for line in text.lines() {
        let begins = inside.begins_statement();
        let body = line.trim_start();
        let indent = &line[..line.len() - body.len()];
        if is_other {
            source.push('#');
        } else if begins && is_magic(body) {
            // A block that holds nothing else must not be empty.
            *source += indent;
            *source += "pass  # ";
        }
        if is_other || begins && is_magic(body) {
            *source += body;
        } else {
            inside.pass(line);
            *source += line;
        }
        source.push('\n');
    }
}

/// Whether IPython reads this line, and Python does not.
fn is_magic(line: &str) -> bool {
    let assigned = line.split_once('=').map(|(name, value)| (name.trim(), value.trim_start()));
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    line.starts_with(['%', '!', '?'])
        || line.trim_end().ends_with('?') && !line.contains(['#', '\'', '"'])
        || assigned.is_some_and(|(name, value)| is_name(name) && value.starts_with(['!', '%']))
}

/// What is open at the end of a line: brackets, and a text of several lines.
#[derive(Default)]
struct Inside {
    depth: usize,
    quote: Option<&'static str>,
    continues: bool,
}

impl Inside {
    fn begins_statement(&self) -> bool {
        self.depth == 0 && self.quote.is_none() && !self.continues
    }

    fn pass(&mut self, line: &str) {
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            let mut step = c.len_utf8();
            if let Some(quote) = self.quote {
                if c == '\\' {
                    step += rest[step..].chars().next().map_or(0, char::len_utf8);
                } else if rest.starts_with(quote) {
                    step = quote.len();
                    self.quote = None;
                }
            } else {
                match c {
                    '#' => break,
                    '(' | '[' | '{' => self.depth += 1,
                    ')' | ']' | '}' => self.depth = self.depth.saturating_sub(1),
                    '\'' | '"' => {
                        let quote = ["'''", "\"\"\"", "'", "\""].into_iter().find(|quote| rest.starts_with(quote));
                        self.quote = quote;
                        step = quote.map_or(1, str::len);
                    }
                    _ => {}
                }
            }
            rest = &rest[step..];
        }
        // A text of one line ends with it.
        self.quote = self.quote.filter(|quote| quote.len() == 3);
        self.continues = line.ends_with('\\');
    }
}

/// Where a line of such a source stands: `line 12`, or `code cell 3, line 4`.
pub fn place(source: &str, line: usize) -> String {
    let before = source.lines().take(line).enumerate();
    let cells =
        before.filter_map(|(index, text)| Some((index + 1, text.strip_prefix(CELL)?.trim().parse::<usize>().ok()?)));
    match cells.last() {
        Some((begin, cell)) if begin < line => format!("code cell {cell}, line {}", line - begin),
        _ => format!("line {line}"),
    }
}

/// A message that begins with a line, as [`place`] has it.
pub fn placed(message: &str, source: &str) -> String {
    let number = message.strip_prefix("line ").and_then(|rest| rest.split_once(':'));
    match number.and_then(|(line, rest)| Some((line.parse::<usize>().ok()?, rest))) {
        Some((line, rest)) => format!("{}:{rest}", place(source, line)),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn notebook(cells: &[&str]) -> String {
        let cells: Vec<_> = cells
            .iter()
            .map(|code| {
                let lines: Vec<&str> = code.split_inclusive('\n').collect();
                serde_json::json!({"cell_type": "code", "source": lines, "outputs": [{"data": {"image/png": "AAAA"}}]})
            })
            .collect();
        serde_json::json!({"cells": cells, "nbformat": 4}).to_string()
    }

    #[test]
    fn code_cells_are_joined_and_say_where_they_stand() {
        let text = notebook(&["import torch\n!pip install torch\n", "%matplotlib inline\nx = 1\nclass A:\n    y = 2"]);
        let source = python(&text).unwrap();
        assert_eq!(
            source,
            "# %% code cell 1\nimport torch\npass  # !pip install torch\n# %% code cell 2\npass  # %matplotlib inline\n\
             x = 1\nclass A:\n    y = 2\n"
        );
        assert_eq!(place(&source, 2), "code cell 1, line 1");
        assert_eq!(place(&source, 8), "code cell 2, line 4");
        assert_eq!(placed("line 7: no", &source), "code cell 2, line 3: no");
        assert_eq!(placed("line 7: no", "x = 1\n"), "line 7: no");
        assert_eq!(placed("no line", &source), "no line");
    }

    #[test]
    fn what_only_looks_like_a_magic_is_python() {
        let code = "x = (a\n     % b)\ny = '''\n!not\n'''\nz = 1 \\\n  % 2\nif x:\n    %timeit f()\nf?\nw = !ls\n";
        let source = python(&notebook(&[code])).unwrap();
        let wanted = "# %% code cell 1\nx = (a\n     % b)\ny = '''\n!not\n'''\nz = 1 \\\n  % 2\nif x:\n    pass  # %timeit f()\n\
                      pass  # f?\npass  # w = !ls\n";
        assert_eq!(source, wanted);
    }

    #[test]
    fn cells_of_other_languages_are_comments() {
        let source = python(&notebook(&["%%bash\nrm -rf x\n", "%%time\nx = 1\n"])).unwrap();
        assert_eq!(source, "# %% code cell 1\n#%%bash\n#rm -rf x\n# %% code cell 2\npass  # %%time\nx = 1\n");
    }

    #[test]
    fn older_notebooks_and_plain_python_are_read() {
        let old = serde_json::json!({"worksheets": [{"cells": [{"cell_type": "code", "input": "x = 1"}]}]}).to_string();
        assert_eq!(python(&old).unwrap(), "# %% code cell 1\nx = 1\n");
        assert_eq!(python("class A: pass").unwrap(), "class A: pass");
    }

    #[test]
    fn what_is_no_notebook_is_said() {
        for (text, part) in [
            ("{", "it is none"),
            ("{}", "no code cells"),
            (r#"{"cells": 3}"#, "it is none"),
            (r#"{"cells": [{"cell_type": "markdown", "source": "x"}]}"#, "no code cells"),
        ] {
            let error = python(text).unwrap_err();
            assert!(error.message.contains(part) && error.code == Code::NetworkInvalid, "{text}: {error}");
        }
        let deep = format!("{{\"cells\": {}", "[".repeat(100_000));
        assert!(python(&deep).unwrap_err().message.contains("it is none"));
        let long = notebook(&[&"x = 1\n".repeat(60_000)]);
        assert!(python(&long).unwrap_err().message.contains("longer"));
    }
}
