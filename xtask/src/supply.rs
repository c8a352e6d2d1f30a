//! What the project depends on: licences, sources and known vulnerabilities, as far as the tools and their data can be had.

use anyhow::{Result, bail};

use crate::tools;

/// Checks what can be checked here, and says what was left out and why.
pub fn check() -> Result<()> {
    let mut faults = Vec::new();
    if !tools::succeeds("cargo", &["deny", "--version"]) {
        println!("cargo deny left out: install it (cargo install --locked cargo-deny)");
    } else {
        let mut deny = |arguments: &[&str]| {
            if let Err(error) = tools::run("cargo", &[&["deny", "--log-level", "error"], arguments].concat()) {
                faults.push(format!("{error:#}"));
            }
        };
        deny(&["check", "licenses", "bans", "sources"]);
        match tools::succeeds("cargo", &["deny", "fetch", "db"]) {
            true => deny(&["check", "--disable-fetch", "advisories"]),
            false => println!("cargo deny: advisories left out: their database cannot be fetched here"),
        }
    }
    match npm_audit()? {
        Audit::Clean => println!("npm audit: nothing known"),
        Audit::Unreachable => println!("npm audit left out: the registry does not answer it here"),
        Audit::Faults(report) => faults.push(format!("npm audit: {report}")),
    }
    if faults.is_empty() { Ok(()) } else { bail!("{}", faults.join("; ")) }
}

#[derive(Debug, PartialEq)]
enum Audit {
    Clean,
    Unreachable,
    Faults(String),
}

fn npm_audit() -> Result<Audit> {
    let output = tools::command("npm", &["audit", "--json"]).output()?;
    Ok(verdict(&output.stdout, output.status.success()))
}

/// What npm's answer says: without numbers it is the error of a registry that has no such service.
fn verdict(json: &[u8], succeeded: bool) -> Audit {
    let report: serde_json::Value = serde_json::from_slice(json).unwrap_or_default();
    match &report["metadata"]["vulnerabilities"] {
        serde_json::Value::Null => Audit::Unreachable,
        _ if succeeded => Audit::Clean,
        counts => Audit::Faults(counts.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audit_that_did_not_happen_is_not_a_clean_one() {
        assert_eq!(verdict(br#"{"error": {"code": "ENOAUDIT"}}"#, false), Audit::Unreachable);
        assert_eq!(verdict(b"", true), Audit::Unreachable);
        assert_eq!(verdict(br#"{"metadata": {"vulnerabilities": {"total": 0}}}"#, true), Audit::Clean);
        let found = verdict(br#"{"metadata": {"vulnerabilities": {"total": 1}}}"#, false);
        assert_eq!(found, Audit::Faults(r#"{"total":1}"#.to_owned()));
    }
}
