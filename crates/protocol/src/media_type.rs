//! Media types, as headers give them (RFC 9110 §8.3.1).

/// A media type without its parameters, in lower case, as names of media types are compared; empty when there is none.
pub fn media_type(text: &str) -> String {
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_and_case_do_not_count() {
        for (text, name) in [
            ("application/json", "application/json"),
            ("Text/HTML; charset=utf-8", "text/html"),
            (" image/png ;a;b", "image/png"),
            (";charset=utf-8", ""),
            ("", ""),
        ] {
            assert_eq!(media_type(text), name, "{text:?}");
        }
    }
}
