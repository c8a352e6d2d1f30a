//! The headers of the site: what its service worker adds to every answer, `cargo xtask serve` sends, and `dist/_headers`
//! tells hosts that read it. The policy itself stands in `index.html`, once.

use anyhow::{Context, Result};

use crate::tools;

/// Where the policy stands in `index.html`.
const POLICY: &str = "<meta http-equiv=\"Content-Security-Policy\" content=\"";

/// What the page never asks for. Only names that every version of Chromium in use knows: an unknown one is a warning.
const PERMISSIONS: &str = "accelerometer=(), camera=(), display-capture=(), encrypted-media=(), geolocation=(), gyroscope=(), hid=(), \
     magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(), serial=(), usb=(), \
     xr-spatial-tracking=()";

/// Name and value of each header, for every file of the site.
pub fn all() -> Result<Vec<(&'static str, String)>> {
    let page = std::fs::read_to_string(tools::root().join("index.html")).context("index.html")?;
    // Only a header can say who may frame the page.
    let policy = format!("{}; frame-ancestors 'none'", policy(&page)?);
    Ok(vec![
        ("Content-Security-Policy", policy),
        ("Cross-Origin-Embedder-Policy", "require-corp".to_owned()),
        ("Cross-Origin-Opener-Policy", "same-origin".to_owned()),
        ("Cross-Origin-Resource-Policy", "same-origin".to_owned()),
        ("Permissions-Policy", PERMISSIONS.to_owned()),
        ("Referrer-Policy", "no-referrer".to_owned()),
        ("X-Content-Type-Options", "nosniff".to_owned()),
    ])
}

/// The content security policy of the page.
fn policy(page: &str) -> Result<&str> {
    let (_, rest) = page.split_once(POLICY).context("index.html has no policy")?;
    rest.split_once('"').map(|(policy, _)| policy).context("the policy of index.html has no end")
}

/// `_headers`, as Netlify and Cloudflare Pages read it.
pub fn file() -> Result<String> {
    let lines = all()?.into_iter().map(|(name, value)| format!("  {name}: {value}\n"));
    Ok(std::iter::once("/*\n".to_owned()).chain(lines).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_says_what_the_page_says_and_who_may_frame_it() {
        let page = std::fs::read_to_string(tools::root().join("index.html")).unwrap();
        let headers = all().unwrap();
        let found = &headers.iter().find(|(name, _)| *name == "Content-Security-Policy").unwrap().1;
        assert!(found.starts_with(policy(&page).unwrap()) && found.ends_with("; frame-ancestors 'none'"));
        // Nothing inline, no eval, no HTML from text.
        for part in ["script-src 'self' 'wasm-unsafe-eval';", "style-src 'self';", "require-trusted-types-for 'script'"]
        {
            assert!(found.contains(part), "{part}");
        }
        assert!(!found.contains("unsafe-inline") && !found.contains("'unsafe-eval'") && !found.contains("http"));
        assert!(file().unwrap().lines().count() == headers.len() + 1);
    }
}
