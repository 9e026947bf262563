//! Client hints: headers in which newer browsers say what their frozen user agents do not.

use super::{Device, Product};

/// The headers of one request, as they were sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClientHints<'a> {
    /// `Sec-CH-UA`: a list of brands with versions, in random order and with invented ones among them.
    pub brands: Option<&'a str>,
    /// `Sec-CH-UA-Platform`.
    pub platform: Option<&'a str>,
    /// `Sec-CH-UA-Platform-Version`.
    pub platform_version: Option<&'a str>,
    /// `Sec-CH-UA-Model`.
    pub model: Option<&'a str>,
}

/// Brands that name no browser: invented ones, and engines.
const NO_BROWSERS: [&str; 4] = ["Brand", "Chromium", "Gecko", "WebKit"];

impl<'a> From<&'a nuthatch_protocol::record::ClientHints> for ClientHints<'a> {
    fn from(sent: &'a nuthatch_protocol::record::ClientHints) -> Self {
        Self {
            brands: sent.brands.as_deref(),
            platform: sent.platform.as_deref(),
            platform_version: sent.platform_version.as_deref(),
            model: sent.model.as_deref(),
        }
    }
}

impl ClientHints<'_> {
    pub(super) fn browser(&self) -> Option<Product> {
        entries(self.brands?).find_map(|entry| {
            let (name, parameters) = quoted(entry)?;
            let is_browser = !name.is_empty() && NO_BROWSERS.iter().all(|other| !name.contains(other));
            let version = || parameters.trim_start_matches([';', ' ']).strip_prefix("v=").and_then(unquoted);
            is_browser.then(|| Product { name: name.to_owned(), version: version() })
        })
    }

    pub(super) fn os(&self) -> Option<Product> {
        let name = unquoted(self.platform?)?;
        let version = self.platform_version.and_then(unquoted);
        let version = if name == "Windows" { version.and_then(|version| windows(&version)) } else { version };
        Some(Product { name, version })
    }

    pub(super) fn device(&self) -> Option<Device> {
        Some(Device { model: Some(unquoted(self.model?)?), ..Device::default() })
    }
}

/// Windows tells the version of an interface; these are the systems that have it.
fn windows(version: &str) -> Option<String> {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let name = match (parts.next()?, parts.next().unwrap_or(0)) {
        (0, 1) => "7",
        (0, 2) => "8",
        (0, 3) => "8.1",
        (0, _) => return None,
        (1..=12, _) => "10",
        _ => "11",
    };
    Some(name.to_owned())
}

/// The entries of a list; a comma between quotes is part of a name.
fn entries(list: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    list.split(move |c| {
        is_quoted ^= c == '"';
        c == ',' && !is_quoted
    })
}

/// A text in quotes, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.trim().strip_prefix('"')?.split_once('"')?;
    Some((name.trim(), rest))
}

/// A text that may stand in quotes; `None` when there is nothing in it.
fn unquoted(text: &str) -> Option<String> {
    let text = quoted(text).map_or(text.trim(), |(text, _)| text);
    (!text.is_empty()).then(|| text.to_owned())
}
