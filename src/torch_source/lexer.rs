//! Python's tokens, as far as classes of layers need them.

use super::at;
use crate::error::Result;
use crate::limits::MAX_CLASS_NAME_BYTES;

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Name(String),
    Int(i64),
    Float(f64),
    Text(String),
    /// An f-string's text, its braces unread.
    Format(String),
    /// An operator or bracket.
    Mark(&'static str),
    /// The end of a statement.
    Line,
    Indent,
    Dedent,
    End,
}

/// A token and where it stands.
#[derive(Clone, Debug)]
pub struct Token {
    pub kind: Kind,
    /// Counted from one; of a text of several lines, the first.
    pub line: usize,
    /// Its bytes in the source; none for what is not written, such as an indent.
    pub start: usize,
    pub end: usize,
}

/// Longer ones first.
const MARKS: [&str; 47] = [
    "**=", "//=", "<<=", ">>=", "...", "->", "**", "//", "<<", ">>", "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=",
    "%=", "@=", "&=", "|=", "^=", ":=", "(", ")", "[", "]", "{", "}", ",", ":", ".", "=", "+", "-", "*", "/", "%", "<",
    ">", "@", ";", "|", "&", "^", "~",
];

/// All tokens; the last is `End`.
pub fn tokens(source: &str) -> Result<Vec<Token>> {
    let mut lexer =
        Lexer { rest: source, length: source.len(), line: 1, depth: 0, indents: vec![0], tokens: Vec::new() };
    lexer.run()?;
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    rest: &'a str,
    /// Of the whole source, bytes.
    length: usize,
    line: usize,
    /// Open brackets: inside them line ends do not count.
    depth: usize,
    indents: Vec<usize>,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn push(&mut self, kind: Kind) {
        let place = self.place();
        self.tokens.push(Token { kind, line: self.line, start: place, end: place });
    }

    /// Bytes that are read.
    fn place(&self) -> usize {
        self.length - self.rest.len()
    }

    /// Reads one token that is written out, and notes its bytes.
    fn written(&mut self, read: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let (start, count) = (self.place(), self.tokens.len());
        read(self)?;
        let end = self.place();
        self.tokens[count..].iter_mut().for_each(|token| (token.start, token.end) = (start, end));
        Ok(())
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = &self.rest[bytes..];
    }

    fn run(&mut self) -> Result<()> {
        self.indentation()?;
        while let Some(first) = self.rest.chars().next() {
            match first {
                '\n' => {
                    self.skip(1);
                    if self.depth == 0 {
                        self.push(Kind::Line);
                        self.line += 1;
                        self.indentation()?;
                    } else {
                        self.line += 1;
                    }
                }
                '\\' if self.rest[1..].trim_start_matches('\r').starts_with('\n') => {
                    self.skip(1 + self.rest[1..].find('\n').unwrap_or(0) + 1);
                    self.line += 1;
                }
                '#' => self.skip(self.rest.find('\n').unwrap_or(self.rest.len())),
                c if c.is_whitespace() => self.skip(c.len_utf8()),
                c if c.is_ascii_digit() => self.written(Self::number)?,
                '.' if self.rest[1..].starts_with(|c: char| c.is_ascii_digit()) => self.written(Self::number)?,
                '"' | '\'' => self.written(|lexer| lexer.text(""))?,
                c if c.is_alphabetic() || c == '_' => self.written(Self::name)?,
                _ => self.written(Self::mark)?,
            }
        }
        self.push(Kind::Line);
        for _ in 1..self.indents.len() {
            self.push(Kind::Dedent);
        }
        self.push(Kind::End);
        Ok(())
    }

    /// The indentation of the next line that holds anything.
    fn indentation(&mut self) -> Result<()> {
        loop {
            let line = &self.rest[..self.rest.find('\n').unwrap_or(self.rest.len())];
            let body = line.trim();
            if !(body.is_empty() || body.starts_with('#')) || line.len() == self.rest.len() {
                break;
            }
            self.skip(line.len() + 1);
            self.line += 1;
        }
        let width = self.rest.chars().take_while(|c| matches!(c, ' ' | '\t')).map(|c| if c == '\t' { 8 } else { 1 });
        let (width, last) = (width.sum(), self.indents.last().copied().unwrap_or(0));
        if width > last {
            self.indents.push(width);
            self.push(Kind::Indent);
        }
        while self.indents.last().is_some_and(|&open| open > width) {
            self.indents.pop();
            self.push(Kind::Dedent);
        }
        if self.indents.last() == Some(&width) { Ok(()) } else { at(self.line, "the indentation fits no outer block") }
    }

    fn number(&mut self) -> Result<()> {
        let mut end = 0;
        for (place, c) in self.rest.char_indices() {
            let before = self.rest[..place].chars().next_back();
            let exponent = matches!(c, '+' | '-') && matches!(before, Some('e' | 'E'));
            if !(c.is_ascii_alphanumeric() || c == '.' || c == '_' || exponent) {
                break;
            }
            end = place + c.len_utf8();
        }
        let text = self.rest[..end].replace('_', "").to_ascii_lowercase();
        let radix = match text.get(..2) {
            Some("0x") => Some(16),
            Some("0o") => Some(8),
            Some("0b") => Some(2),
            _ => None,
        };
        let is_whole = text.bytes().all(|byte| byte.is_ascii_digit());
        let kind = match radix {
            Some(radix) => i64::from_str_radix(&text[2..], radix).ok().map(Kind::Int),
            None if is_whole => text.parse().ok().map(Kind::Int),
            None => text.parse().ok().map(Kind::Float),
        };
        let Some(kind) = kind else {
            let shown = text.chars().take(20).collect::<String>();
            return at(
                self.line,
                format!("{shown} is no number that is read here, or has more digits than infill counts"),
            );
        };
        self.skip(end);
        self.push(kind);
        Ok(())
    }

    fn text(&mut self, prefix: &str) -> Result<()> {
        let has = |letter: char| prefix.contains([letter, letter.to_ascii_uppercase()]);
        let (is_format, is_raw) = (has('f'), has('r'));
        if has('b') {
            return at(self.line, "bytes are not read here");
        }
        let quote = &self.rest[..1];
        let triple = quote.repeat(3);
        let (open, close) = if self.rest.starts_with(&triple) { (3, triple.as_str()) } else { (1, quote) };
        let body = &self.rest[open..];
        let mut end = None;
        let mut escaped = false;
        for (place, c) in body.char_indices() {
            if escaped {
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else if c == '\n' && open == 1 {
                break;
            } else if body[place..].starts_with(close) {
                end = Some(place);
                break;
            }
        }
        let Some(end) = end else {
            return at(self.line, "a string does not end");
        };
        let lines = body[..end].matches('\n').count();
        // An f-string's escapes are read with its parts.
        let text = match is_raw {
            true => body[..end].to_owned(),
            false => unescaped(&body[..end]),
        };
        self.push(if is_format { Kind::Format(text) } else { Kind::Text(text) });
        self.line += lines;
        self.skip(open + end + close.len());
        Ok(())
    }

    fn name(&mut self) -> Result<()> {
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        if end > MAX_CLASS_NAME_BYTES {
            return at(self.line, format!("this name is longer than {MAX_CLASS_NAME_BYTES} bytes"));
        }
        let name = self.rest[..end].to_owned();
        self.skip(end);
        // f"..", r"..", rb"..".
        let is_prefix = name.len() <= 2 && name.chars().all(|c| "rRbBfFuU".contains(c));
        if self.rest.starts_with(['"', '\'']) && is_prefix {
            return self.text(&name);
        }
        self.push(Kind::Name(name));
        Ok(())
    }

    fn mark(&mut self) -> Result<()> {
        let Some(mark) = MARKS.into_iter().find(|mark| self.rest.starts_with(mark)) else {
            let c = self.rest.chars().next().unwrap_or(' ');
            return at(self.line, format!("{c} is not read here"));
        };
        match mark {
            "(" | "[" | "{" => self.depth += 1,
            ")" | "]" | "}" => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.skip(mark.len());
        self.push(Kind::Mark(mark));
        Ok(())
    }
}

/// A text with its escapes read, as Python reads them; a character by its name (`\\N{..}`) is not looked up.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(place) = rest.find('\\') {
        out += &rest[..place];
        rest = &rest[place + 1..];
        let Some(c) = rest.chars().next() else { break };
        let after = &rest[c.len_utf8()..];
        let plain = match c {
            'n' => Some('\n'),
            't' => Some('\t'),
            'r' => Some('\r'),
            'a' => Some('\u{7}'),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'v' => Some('\u{b}'),
            '\\' | '\'' | '"' => Some(c),
            _ => None,
        };
        let (digits, radix) = match c {
            'x' => (after.get(..2), 16),
            'u' => (after.get(..4), 16),
            'U' => (after.get(..8), 16),
            '0'..='7' => (Some(octal(rest)), 8),
            _ => (None, 16),
        };
        let code = digits.and_then(|digits| Some((digits, char::from_u32(u32::from_str_radix(digits, radix).ok()?)?)));
        match (plain, code) {
            (Some(plain), _) => out.push(plain),
            (None, Some((digits, code))) => {
                out.push(code);
                rest = if radix == 8 { &rest[digits.len()..] } else { &after[digits.len()..] };
                continue;
            }
            (None, None) if c == '\n' => {}
            (None, None) => out.extend(['\\', c]),
        }
        rest = after;
    }
    out + rest
}

/// Up to three octal digits that a text begins with.
fn octal(text: &str) -> &str {
    let count = text.bytes().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
    &text[..count]
}
