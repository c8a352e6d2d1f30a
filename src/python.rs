//! Python as infill writes it for people to paste.

/// A text as a Python string literal.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        match c {
            '\\' => out += "\\\\",
            '\'' => out += "\\'",
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            c if c.is_control() => out += &format!("\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out + "'"
}

/// The name of a file that is written beside this one: its own without the ending, and another ending.
pub fn beside(file: &str, ending: &str) -> String {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    quoted(&format!("{stem}{ending}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn texts_are_quoted_as_python_reads_them() {
        assert_eq!(quoted("gen.pth"), "'gen.pth'");
        assert_eq!(quoted("it's \\ a\nb\u{1}"), "'it\\'s \\\\ a\\nb\\u0001'");
        assert_eq!(beside("net.v2.pth", "-tensors.pth"), "'net.v2-tensors.pth'");
    }
}
