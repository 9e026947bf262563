//! Old browsers, told by their user agent.

use super::LegacyBrowsers;
use crate::Problem;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Ie,
    Edge,
    Safari,
    Firefox,
    Chrome,
    Opera,
    OperaMini,
    Android,
}

/// Versions of a browser that are called old.
#[derive(Debug)]
pub(super) struct OldBrowser {
    name: &'static str,
    family: Family,
    oldest: u32,
    newest: u32,
    is_default: bool,
}

const fn all(name: &'static str, family: Family, newest: u32) -> OldBrowser {
    OldBrowser { name, family, oldest: 0, newest, is_default: true }
}

const fn older(name: &'static str, family: Family, oldest: u32, newest: u32) -> OldBrowser {
    OldBrowser { name, family, oldest, newest, is_default: false }
}

static OLD: [OldBrowser; 17] = [
    all("ie", Family::Ie, 11),
    all("edge", Family::Edge, 110),
    all("safari", Family::Safari, 15),
    all("firefox", Family::Firefox, 110),
    all("chrome", Family::Chrome, 110),
    all("opera", Family::Opera, 99),
    all("opera_mini", Family::OperaMini, 34),
    all("android", Family::Android, 3),
    older("ie_pre_9", Family::Ie, 0, 8),
    older("ie9", Family::Ie, 9, 9),
    older("ie10", Family::Ie, 10, 10),
    older("ie11", Family::Ie, 11, 11),
    older("safari_pre_6", Family::Safari, 0, 5),
    older("opera_pre_15", Family::Opera, 0, 14),
    older("opera_mini_pre_8", Family::OperaMini, 0, 7),
    older("android_pre_4", Family::Android, 0, 3),
    older("edge_pre_79", Family::Edge, 0, 78),
];

/// The names that a project may list.
pub static LEGACY_BROWSERS: [&str; 17] = {
    let mut names = [""; 17];
    let mut at = 0;
    while at < OLD.len() {
        names[at] = OLD[at].name;
        at += 1;
    }
    names
};

pub(super) fn chosen(setting: &LegacyBrowsers, problems: &mut Vec<Problem>) -> Vec<&'static OldBrowser> {
    match setting {
        LegacyBrowsers::All(false) => Vec::new(),
        LegacyBrowsers::All(true) => OLD.iter().filter(|old| old.is_default).collect(),
        LegacyBrowsers::Listed(names) => {
            if let Some(unknown) = names.iter().find(|name| !LEGACY_BROWSERS.contains(&name.as_str())) {
                let message = format!("there is no {unknown:?}; there are {}", LEGACY_BROWSERS.join(", "));
                problems.push(Problem { place: "legacy-browsers".to_owned(), message });
            }
            OLD.iter().filter(|old| names.iter().any(|name| name == old.name)).collect()
        }
    }
}

pub(super) fn is_among(old: &[&OldBrowser], agent: Option<&str>) -> bool {
    if old.is_empty() {
        return false;
    }
    let Some((family, version)) = agent.and_then(browser) else { return false };
    old.iter().any(|old| old.family == family && (old.oldest..=old.newest).contains(&version))
}

/// Family and major version. Browsers name others that they want to be taken for, so the order matters.
fn browser(agent: &str) -> Option<(Family, u32)> {
    let after = |mark: &str| agent.split_once(mark).and_then(|(_, rest)| number(rest));
    let first = |family: Family, marks: &[&str]| Some((family, marks.iter().find_map(|mark| after(mark))?));
    if agent.contains("Opera Mini") {
        return first(Family::OperaMini, &["Opera Mini/"]);
    }
    if agent.contains("Opera") || agent.contains("OPR/") {
        return first(Family::Opera, &["OPR/", "Version/", "Opera/", "Opera "]);
    }
    first(Family::Edge, &["Edge/", "Edg/", "EdgA/", "EdgiOS/"])
        .or_else(|| first(Family::Ie, &["IEMobile/", "IEMobile ", "MSIE "]))
        .or_else(|| agent.contains("Trident/").then(|| first(Family::Ie, &["rv:"])).flatten())
        .or_else(|| first(Family::Firefox, &["Firefox/"]))
        .or_else(|| first(Family::Chrome, &["Chrome/"]))
        .or_else(|| first(Family::Android, &["Android "]))
        .or_else(|| {
            let is_safari = agent.contains("Safari/") && !agent.contains("CriOS/") && !agent.contains("FxiOS/");
            is_safari.then(|| first(Family::Safari, &["Version/"])).flatten()
        })
}

fn number(text: &str) -> Option<u32> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    text[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_from_those_they_pretend_to_be() {
        for (agent, expected) in [
            ("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)", Some((Family::Ie, 8))),
            ("Mozilla/5.0 (Windows NT 10.0; Trident/7.0; rv:11.0) like Gecko", Some((Family::Ie, 11))),
            (
                "Mozilla/5.0 (compatible; MSIE 10.0; Windows Phone 8.0; Trident/6.0; IEMobile/10.0)",
                Some((Family::Ie, 10)),
            ),
            ("Mozilla/5.0 (X11) AppleWebKit/537.36 Chrome/121.0.0.0 Safari/537.36", Some((Family::Chrome, 121))),
            ("Mozilla/5.0 AppleWebKit/537.36 Chrome/121.0.0.0 Safari/537.36 Edg/120.0", Some((Family::Edge, 120))),
            ("Mozilla/5.0 AppleWebKit/537.36 Chrome/90.0 Safari/537.36 OPR/76.0", Some((Family::Opera, 76))),
            ("Opera/9.80 (Windows NT 6.0) Presto/2.12.388 Version/12.14", Some((Family::Opera, 12))),
            ("Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32/; U; en) Version/10", Some((Family::OperaMini, 7))),
            (
                "Mozilla/5.0 (Linux; U; Android 2.3.5) AppleWebKit/533.1 Version/4.0 Safari/533.1",
                Some((Family::Android, 2)),
            ),
            ("Mozilla/5.0 (Macintosh) AppleWebKit/605.1 Version/14.1 Safari/605.1", Some((Family::Safari, 14))),
            ("Mozilla/5.0 (X11; rv:109.0) Gecko/20100101 Firefox/115.0", Some((Family::Firefox, 115))),
            ("curl/8.1", None),
        ] {
            assert_eq!(browser(agent), expected, "{agent}");
        }
    }
}
