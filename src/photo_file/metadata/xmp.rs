//! XMP (RDF in XML), edited as text: what is not touched stays byte for byte.

use std::collections::HashSet;

use super::Edit;

/// When a property goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    /// Because it shows what the photo showed, or describes what is no longer in the file.
    Always,
    /// Because it tells a place.
    Place,
    /// Because the part of the packet that it announces was dropped.
    Extension,
}

/// Namespace, how the property's name begins, and when it goes.
const REMOVED: &[(&str, &str, When)] = &[
    ("http://ns.adobe.com/xap/1.0/", "Thumbnails", When::Always),
    ("http://ns.google.com/photos/1.0/image/", "", When::Always),
    ("http://ns.google.com/photos/1.0/depthmap/", "", When::Always),
    ("http://ns.google.com/photos/1.0/container/", "", When::Always),
    ("http://ns.google.com/photos/1.0/camera/", "M", When::Always),
    ("http://ns.adobe.com/hdr-gain-map/1.0/", "", When::Always),
    ("http://ns.adobe.com/exif/1.0/", "GPS", When::Place),
    ("http://ns.adobe.com/photoshop/1.0/", "City", When::Place),
    ("http://ns.adobe.com/photoshop/1.0/", "State", When::Place),
    ("http://ns.adobe.com/photoshop/1.0/", "Country", When::Place),
    ("http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/", "Location", When::Place),
    ("http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/", "CountryCode", When::Place),
    ("http://iptc.org/std/Iptc4xmpExt/2008-02-29/", "Location", When::Place),
    ("http://ns.adobe.com/xmp/note/", "HasExtendedXMP", When::Extension),
];

const TIFF: &str = "http://ns.adobe.com/tiff/1.0/";
const EXIF: &str = "http://ns.adobe.com/exif/1.0/";

/// Edits a packet; `None` if it is no XML that this reads, so that nobody knows what it says.
pub fn edit(packet: &[u8], edit: &Edit, drop_extension: bool) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(packet).ok()?;
    let editor = Editor { rules: rules(text, edit, drop_extension)? };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        out += &rest[..at];
        let (token, after) = token(&rest[at..])?;
        rest = match token {
            Token::Open { name, is_empty, .. } if editor.removes(name) => {
                if is_empty {
                    after
                } else {
                    behind(name, after)?
                }
            }
            Token::Open { name, attributes, is_empty } => {
                out.push('<');
                out += name;
                editor.attributes(attributes, &mut out)?;
                out += if is_empty { "/>" } else { ">" };
                match editor.value(name).filter(|_| !is_empty) {
                    Some(value) => {
                        out += value;
                        &after[after.find('<')?..]
                    }
                    None => after,
                }
            }
            Token::Other | Token::Close => {
                out += &rest[at..rest.len() - after.len()];
                after
            }
        };
    }
    out += rest;
    Some(out.into_bytes())
}

/// What lies between `<rdf:RDF ...>` and `</rdf:RDF>`, whatever the prefix.
fn rdf(text: &str) -> Option<std::ops::Range<usize>> {
    let end = text.rfind(":RDF>").and_then(|at| text[..at].rfind("</"))?;
    let open = text.find(":RDF").filter(|&at| at < end)?;
    let start = open + text[open..].find('>')? + 1;
    (start <= end).then_some(start..end)
}

/// A packet and its extension as one: both describe the same resource.
pub fn join(packet: &[u8], extension: &[u8]) -> Option<Vec<u8>> {
    let (packet, extension) = (std::str::from_utf8(packet).ok()?, std::str::from_utf8(extension).ok()?);
    let (into, from) = (rdf(packet)?, rdf(extension)?);
    Some([&packet[..into.end], &extension[from], &packet[into.end..]].concat().into_bytes())
}

/// What is to be done to a qualified name.
enum Rule {
    /// Every name that begins so is removed.
    Remove(String),
    /// The value becomes another.
    Set(String, String),
}

/// The rules, with the prefixes that the packet uses.
fn rules(text: &str, edit: &Edit, drop_extension: bool) -> Option<Vec<Rule>> {
    let mut prefixes: HashSet<(&str, &str)> = HashSet::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (token, after) = token(&rest[at..])?;
        if let Token::Open { mut attributes, .. } = token {
            while let Some((name, value, after)) = attribute(attributes)? {
                prefixes.extend(name.strip_prefix("xmlns:").map(|prefix| (prefix, value)));
                attributes = after;
            }
        }
        rest = after;
    }
    let mut rules = Vec::new();
    for (prefix, namespace) in prefixes {
        for (of, name, when) in REMOVED {
            let holds = match when {
                When::Always => true,
                When::Place => edit.without_place,
                When::Extension => drop_extension,
            };
            if *of == namespace && holds {
                rules.push(Rule::Remove(format!("{prefix}:{name}")));
            }
        }
        let mut set = |of: &str, name: &str, value: Option<u32>| {
            if let Some(value) = value.filter(|_| of == namespace) {
                rules.push(Rule::Set(format!("{prefix}:{name}"), value.to_string()));
            }
        };
        set(TIFF, "Orientation", edit.orientation.map(u32::from));
        set(TIFF, "ImageWidth", edit.size.map(|size| size.0));
        set(TIFF, "ImageLength", edit.size.map(|size| size.1));
        set(EXIF, "PixelXDimension", edit.size.map(|size| size.0));
        set(EXIF, "PixelYDimension", edit.size.map(|size| size.1));
    }
    Some(rules)
}

struct Editor {
    rules: Vec<Rule>,
}

impl Editor {
    fn removes(&self, name: &str) -> bool {
        self.rules.iter().any(|rule| matches!(rule, Rule::Remove(start) if name.starts_with(start.as_str())))
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.rules.iter().find_map(|rule| match rule {
            Rule::Set(of, value) if of == name => Some(value.as_str()),
            _ => None,
        })
    }

    /// Copies a tag's attributes, as far as they stay.
    fn attributes(&self, mut attributes: &str, out: &mut String) -> Option<()> {
        while let Some((name, _, after)) = attribute(attributes)? {
            if let Some(value) = self.value(name) {
                *out += &format!(" {name}=\"{value}\"");
            } else if !self.removes(name) {
                *out += &attributes[..attributes.len() - after.len()];
            }
            attributes = after;
        }
        *out += attributes;
        Some(())
    }
}

enum Token<'a> {
    Open {
        name: &'a str,
        attributes: &'a str,
        is_empty: bool,
    },
    Close,
    /// A comment, a processing instruction, character data.
    Other,
}

/// The markup that begins here, and what follows it; `None` if it does not end.
fn token(text: &str) -> Option<(Token<'_>, &str)> {
    for (start, end) in [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"), ("<!", ">")] {
        if let Some(rest) = text.strip_prefix(start) {
            return Some((Token::Other, &rest[rest.find(end)? + end.len()..]));
        }
    }
    if text.starts_with("</") {
        return Some((Token::Close, &text[text.find('>')? + 1..]));
    }
    let mut quote = None;
    let end = text.bytes().position(|byte| match (quote, byte) {
        (None, b'"' | b'\'') => {
            quote = Some(byte);
            false
        }
        (Some(open), _) => {
            if open == byte {
                quote = None;
            }
            false
        }
        (None, _) => byte == b'>',
    })?;
    let (body, after) = (&text[1..end], &text[end + 1..]);
    let (body, is_empty) = body.strip_suffix('/').map_or((body, false), |body| (body, true));
    let name_end = body.find(|c: char| c.is_ascii_whitespace()).unwrap_or(body.len());
    let (name, attributes) = body.split_at(name_end);
    Some((Token::Open { name, attributes, is_empty }, after))
}

/// The next attribute of a tag: name, value and what follows; `Some(None)` at the end, `None` if it is none.
#[allow(clippy::option_option, clippy::type_complexity)] // the end is no fault
fn attribute(text: &str) -> Option<Option<(&str, &str, &str)>> {
    let start = text.trim_start();
    if start.is_empty() {
        return Some(None);
    }
    let (name, rest) = start.split_once('=')?;
    let rest = rest.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (value, after) = rest[1..].split_once(quote)?;
    Some(Some((name.trim_end(), value, after)))
}

/// What follows the end tag of an element whose start tag was just read.
fn behind<'a>(name: &str, mut rest: &'a str) -> Option<&'a str> {
    let mut depth = 1;
    let close = format!("</{name}");
    while depth > 0 {
        let at = rest.find('<')?;
        let here = &rest[at..];
        let (token, after) = token(here)?;
        match token {
            Token::Open { name: other, is_empty: false, .. } if other == name => depth += 1,
            Token::Close if here.strip_prefix(&close).is_some_and(|end| end.trim_start().starts_with('>')) => {
                depth -= 1
            }
            _ => {}
        }
        rest = after;
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const PACKET: &str = r#"<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><r:Description r:about="" xmlns:t="http://ns.adobe.com/tiff/1.0/" xmlns:e='http://ns.adobe.com/exif/1.0/' xmlns:p="http://ns.adobe.com/photoshop/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" t:Orientation="6" e:GPSLatitude="48,8.2N" p:City = "a > b"><e:PixelXDimension>300</e:PixelXDimension><dc:title>kept &lt;</dc:title><e:GPSAreaInformation><e:GPSAreaInformation/>x</e:GPSAreaInformation></r:Description></r:RDF></x:xmpmeta>"#;

    #[test]
    fn properties_are_set_and_removed_whatever_their_prefix() {
        let change = Edit { orientation: Some(1), size: Some((200, 300)), without_place: true };
        let out = String::from_utf8(edit(PACKET.as_bytes(), &change, false).unwrap()).unwrap();
        assert!(
            out.contains("t:Orientation=\"1\"") && out.contains("<e:PixelXDimension>200</e:PixelXDimension>"),
            "{out}"
        );
        assert!(out.contains("kept &lt;") && !out.contains("GPS") && !out.contains("City"), "{out}");
        assert!(out.ends_with("</r:Description></r:RDF></x:xmpmeta>"));
    }

    #[test]
    fn without_a_change_the_packet_stays_byte_for_byte() {
        assert_eq!(edit(PACKET.as_bytes(), &Edit::default(), false).unwrap(), PACKET.as_bytes());
    }

    #[test]
    fn what_is_no_xml_is_refused_and_cuts_never_panic() {
        let change = Edit { orientation: Some(1), size: Some((200, 300)), without_place: true };
        for end in 0..PACKET.len() {
            let _ = edit(&PACKET.as_bytes()[..end], &change, true);
        }
        assert!(edit(b"<a b>", &change, false).is_none());
        assert!(edit(b"\xff<a/>", &change, false).is_none());
    }
}
