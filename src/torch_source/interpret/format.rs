//! Python's format language: `format()`, f-strings and `%`.

use super::super::at;
use super::super::parser::{Expression, Node};
use super::super::value::{Id, Value};
use super::Run;
use crate::error::Result;
use crate::limits::{MAX_CLASS_SCAN_PER_STEP, MAX_CLASS_TEXT_BYTES};

/// `[[fill]align][sign][#][0][width][,][.precision][type]`.
#[derive(Debug)]
struct Spec {
    fill: char,
    align: Option<char>,
    sign: char,
    alternate: bool,
    width: usize,
    group: Option<char>,
    precision: Option<usize>,
    kind: char,
}

impl Spec {
    /// `None` if it is not in Python's language, or too wide.
    fn read(text: &str) -> Option<Self> {
        let mut rest: Vec<char> = text.chars().collect();
        let is_align = |c: char| "<>=^".contains(c);
        let mut spec = Self {
            fill: ' ',
            align: None,
            sign: '-',
            alternate: false,
            width: 0,
            group: None,
            precision: None,
            kind: ' ',
        };
        if rest.len() > 1 && is_align(rest[1]) {
            (spec.fill, spec.align) = (rest[0], Some(rest[1]));
            rest.drain(..2);
        } else if rest.first().is_some_and(|&c| is_align(c)) {
            spec.align = Some(rest.remove(0));
        }
        if let Some(&sign) = rest.first().filter(|c| "+- ".contains(**c)) {
            spec.sign = sign;
            rest.remove(0);
        }
        if rest.first() == Some(&'#') {
            spec.alternate = true;
            rest.remove(0);
        }
        if rest.first() == Some(&'0') {
            if spec.align.is_none() {
                (spec.fill, spec.align) = ('0', Some('='));
            }
            rest.remove(0);
        }
        spec.width = digits(&mut rest)?.unwrap_or(0);
        if let Some(&group) = rest.first().filter(|c| ",_".contains(**c)) {
            spec.group = Some(group);
            rest.remove(0);
        }
        if rest.first() == Some(&'.') {
            rest.remove(0);
            spec.precision = Some(digits(&mut rest)??);
        }
        match rest[..] {
            [] => {}
            [kind] => spec.kind = kind,
            _ => return None,
        }
        Some(spec)
    }

    /// The sign and the digits, filled up to the width.
    fn padded(&self, sign: &str, body: &str, default: char) -> String {
        let length = sign.chars().count() + body.chars().count();
        let missing = self.width.saturating_sub(length);
        let fill = |count: usize| self.fill.to_string().repeat(count);
        match self.align.unwrap_or(default) {
            '<' => format!("{sign}{body}{}", fill(missing)),
            '^' => format!("{}{sign}{body}{}", fill(missing / 2), fill(missing - missing / 2)),
            '=' => format!("{sign}{}{body}", fill(missing)),
            _ => format!("{}{sign}{body}", fill(missing)),
        }
    }

    fn sign(&self, is_negative: bool) -> &'static str {
        match (is_negative, self.sign) {
            (true, _) => "-",
            (false, '+') => "+",
            (false, ' ') => " ",
            _ => "",
        }
    }

    fn text(&self, text: &str) -> Option<String> {
        if !matches!(self.kind, ' ' | 's') || self.sign != '-' || self.alternate || self.group.is_some() {
            return None;
        }
        let cut: String = text.chars().take(self.precision.unwrap_or(usize::MAX)).collect();
        if self.align == Some('=') && self.fill != '0' {
            return None;
        }
        let plain = Self { align: self.align.map(|align| if align == '=' { '<' } else { align }), ..*self };
        Some(plain.padded("", &cut, '<'))
    }

    fn int(&self, number: i64) -> Option<String> {
        let size = number.unsigned_abs();
        let (digits, prefix) = match self.kind {
            ' ' | 'd' | 'n' => (size.to_string(), ""),
            'b' => (format!("{size:b}"), "0b"),
            'o' => (format!("{size:o}"), "0o"),
            'x' => (format!("{size:x}"), "0x"),
            'X' => (format!("{size:X}"), "0X"),
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%' => return self.float(number as f64),
            _ => return None,
        };
        if self.precision.is_some()
            || self.group.is_some() && (self.kind != 'd' && self.kind != ' ' || self.fill == '0')
        {
            return None;
        }
        let prefix = if self.alternate { prefix } else { "" };
        let sign = format!("{}{prefix}", self.sign(number < 0));
        Some(self.padded(&sign, &grouped(&digits, self.group), '>'))
    }

    fn float(&self, number: f64) -> Option<String> {
        if !number.is_finite() || self.alternate || self.group.is_some() && self.fill == '0' {
            return None;
        }
        let size = number.abs();
        let precision = self.precision.unwrap_or(6);
        let body = match self.kind {
            'f' | 'F' => format!("{size:.precision$}"),
            '%' => format!("{:.precision$}%", size * 100.0),
            'e' => exponential(size, precision),
            'E' => exponential(size, precision).to_uppercase(),
            'g' => general(size, precision.max(1)),
            'G' => general(size, precision.max(1)).to_uppercase(),
            ' ' if self.precision.is_none() => float_text(size),
            _ => return None,
        };
        let (whole, rest) = body.split_at(body.find(|c: char| !c.is_ascii_digit()).unwrap_or(body.len()));
        let body = format!("{}{rest}", grouped(whole, self.group));
        Some(self.padded(self.sign(number.is_sign_negative()), &body, '>'))
    }
}

/// Digits that stand here, as a number; `None` if it is greater than a text may be long.
fn digits(rest: &mut Vec<char>) -> Option<Option<usize>> {
    let count = rest.iter().take_while(|c| c.is_ascii_digit()).count();
    let text: String = rest.drain(..count).collect();
    if text.is_empty() {
        return Some(None);
    }
    text.parse().ok().filter(|&number: &usize| number <= MAX_CLASS_TEXT_BYTES).map(Some)
}

/// Digits in groups of three.
fn grouped(digits: &str, mark: Option<char>) -> String {
    let Some(mark) = mark else {
        return digits.to_owned();
    };
    let mut out = String::new();
    for (place, c) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(mark);
        }
        out.push(c);
    }
    out
}

/// `1.5e-07`: at least two digits of the exponent.
fn exponential(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
    format!("{digits}e{sign}{exponent:0>2}")
}

/// `%g`: so many digits that count, without zeros at the end.
fn general(number: f64, precision: usize) -> String {
    let text = exponential(number, precision - 1);
    let exponent: i32 = text.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    let trimmed = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if exponent < -4 || exponent >= precision as i32 {
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "+00"));
        return format!("{}e{exponent}", trimmed(digits));
    }
    let decimals = (precision as i32 - 1 - exponent).max(0) as usize;
    trimmed(&format!("{number:.decimals$}"))
}

/// A float as `str` and `repr` write it.
pub(super) fn float_text(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let size = number.abs();
    if size != 0.0 && !(1e-4..1e16).contains(&size) {
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    let text = number.to_string();
    if text.contains('.') { text } else { format!("{text}.0") }
}

impl Run<'_> {
    /// A value as `str` writes it.
    pub(super) fn shown(&self, value: &Value, line: usize) -> Result<String> {
        Ok(match value {
            Value::Text(text) => text.to_string(),
            Value::Int(number) => number.to_string(),
            Value::Float(number) => float_text(*number),
            Value::Bool(flag) => if *flag { "True" } else { "False" }.to_owned(),
            Value::None => "None".to_owned(),
            _ => return at(line, "a text or a number is expected here"),
        })
    }

    /// `format(value, spec)`.
    pub(super) fn formatted(&self, value: &Value, spec: &str, line: usize) -> Result<String> {
        if spec.is_empty() {
            return self.shown(value, line);
        }
        let text = Spec::read(spec).and_then(|spec| match value {
            Value::Text(text) => spec.text(text),
            Value::Int(number) => spec.int(*number),
            Value::Bool(flag) => spec.int(i64::from(*flag)),
            Value::Float(number) => spec.float(*number),
            _ => None,
        });
        text.map_or_else(|| at(line, format!("the format {spec} is not followed for this value")), Ok)
    }

    /// A value after `!r`, `!s` or none.
    fn converted(&self, value: Value, conversion: char, line: usize) -> Result<Value> {
        match (conversion, &value) {
            (' ', _) => Ok(value),
            ('r', Value::Text(text)) if !text.contains(['\'', '\\', '\n']) => {
                Ok(Value::Text(format!("'{text}'").into()))
            }
            ('r', Value::Text(_)) => at(line, "!r of this text is not followed"),
            ('r' | 's', _) => self.shown(&value, line).map(|text| Value::Text(text.into())),
            _ => at(line, format!("!{conversion} is not followed")),
        }
    }

    /// An f-string. One that holds other things than texts and numbers is most likely a message, and stays unread.
    pub(super) fn joined(&mut self, expression: &Expression, scope: Id) -> Result<Value> {
        let line = expression.line;
        let parts = match &expression.node {
            Node::Format(parts) => &parts[..],
            _ => std::slice::from_ref(expression),
        };
        let mut text = String::new();
        for part in parts {
            let (value, spec) = match &part.node {
                Node::Formatted(value, conversion, format) => {
                    let value = self.value(value, scope)?;
                    let spec = self.value(format, scope)?;
                    if !is_plain(&value) {
                        return Ok(Value::Unread);
                    }
                    (self.converted(value, *conversion, line)?, spec)
                }
                _ => (self.value(part, scope)?, Value::Text("".into())),
            };
            let spec = self.shown(&spec, line)?;
            text += &self.formatted(&value, &spec, line)?;
            self.fits(&text, line)?;
        }
        self.text(text, line)
    }

    /// `text.format(*args, **named)`.
    pub(super) fn format_method(
        &mut self,
        text: &str,
        args: &[Value],
        named: &[(String, Value)],
        line: usize,
    ) -> Result<Value> {
        let (mut out, mut rest, mut next) = (String::new(), text, 0usize);
        while let Some(open) = rest.find(['{', '}']) {
            out += &rest[..open];
            let from = &rest[open..];
            if from.starts_with("{{") || from.starts_with("}}") {
                out += &from[..1];
                rest = &from[2..];
                continue;
            }
            let Some(close) = from.find('}').filter(|_| from.starts_with('{')) else {
                return at(line, "a } is missing in this format");
            };
            let (field, spec) = from[1..close].split_once(':').unwrap_or((&from[1..close], ""));
            let (field, conversion) = field.split_once('!').unwrap_or((field, " "));
            if spec.contains('{') || field.contains(['.', '[']) {
                return at(line, "a format inside a format is not followed");
            }
            let value = match field.parse::<usize>() {
                Ok(place) => args.get(place),
                Err(_) if field.is_empty() => {
                    next += 1;
                    args.get(next - 1)
                }
                Err(_) => named.iter().find(|(name, _)| name == field).map(|(_, value)| value),
            };
            let Some(value) = value else {
                return at(line, format!("there is no value for {{{field}}}"));
            };
            let value = self.converted(value.clone(), conversion.chars().next().unwrap_or(' '), line)?;
            out += &self.formatted(&value, spec, line)?;
            self.fits(&out, line)?;
            self.spend(1 + (close + named.len()) / MAX_CLASS_SCAN_PER_STEP, line)?;
            rest = &from[close + 1..];
        }
        self.text(out + rest, line)
    }

    /// `text % values`.
    pub(super) fn fill_in(&mut self, text: &str, values: &Value, line: usize) -> Result<Value> {
        let values_by_place =
            if let Value::Tuple(id) = values { self.heap.lists[id.0].clone() } else { vec![values.clone()] };
        let mut values_by_place = values_by_place.into_iter();
        let (mut out, mut rest) = (String::new(), text);
        while let Some(place) = rest.find('%') {
            out += &rest[..place];
            rest = &rest[place + 1..];
            if let Some(after) = rest.strip_prefix('%') {
                out.push('%');
                rest = after;
                continue;
            }
            let by_name = rest.strip_prefix('(').and_then(|inner| inner.split_once(')'));
            let value = match by_name {
                Some((name, after)) => {
                    rest = after;
                    self.pick(values.clone(), Value::Text(name.into()), line)?
                }
                None => match values_by_place.next() {
                    Some(value) => value,
                    None => return at(line, "there are fewer values than this text takes"),
                },
            };
            let Some(end) = rest.find(|c: char| c.is_ascii_alphabetic()) else {
                return at(line, "this format of a text is not followed");
            };
            out += &self.percent(&rest[..end], &rest[end..=end], &value, line)?;
            self.fits(&out, line)?;
            self.spend(1 + (out.len() + end) / MAX_CLASS_SCAN_PER_STEP, line)?;
            rest = &rest[end + 1..];
        }
        self.text(out + rest, line)
    }

    /// One `%5.2f`: flags, width and precision, and the letter.
    fn percent(&self, flags: &str, kind: &str, value: &Value, line: usize) -> Result<String> {
        let digits = flags.trim_start_matches(['-', '+', ' ', '#', '0']);
        let given = &flags[..flags.len() - digits.len()];
        let left = given.contains('-');
        let align = if left { "<" } else { ">" };
        let sign = if given.contains('+') {
            "+"
        } else if given.contains(' ') {
            " "
        } else {
            ""
        };
        let zero = if given.contains('0') && !left { "0" } else { "" };
        let number = match (kind, value) {
            ("s", value) => {
                return self.formatted(
                    &Value::Text(self.shown(value, line)?.into()),
                    &format!("{align}{digits}"),
                    line,
                );
            }
            ("r", value) => {
                let value = self.converted(value.clone(), 'r', line)?;
                return self.formatted(&value, &format!("{align}{digits}"), line);
            }
            ("d" | "i" | "u", Value::Float(number)) if number.is_finite() && number.abs() < 1e15 => {
                Value::Int(number.trunc() as i64)
            }
            _ => value.clone(),
        };
        let kind = if matches!(kind, "i" | "u") { "d" } else { kind };
        let is_number = matches!(kind, "d" | "x" | "X" | "o" | "e" | "E" | "f" | "F" | "g" | "G");
        if !is_number || given.contains('#') || digits.contains('*') || matches!(number, Value::Text(_) | Value::None) {
            return at(line, format!("%{flags}{kind} is not followed for this value"));
        }
        let align = if zero.is_empty() { align } else { "" };
        self.formatted(&number, &format!("{align}{sign}{zero}{digits}{kind}"), line)
    }
}

/// Whether a text shows this value as it is.
fn is_plain(value: &Value) -> bool {
    matches!(value, Value::Text(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_) | Value::None)
}
