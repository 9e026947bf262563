//! What commands print. Results go to standard output, everything else to standard error.

use std::{
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
};

use serde_json::{Value, json};

/// How to print.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// JSON instead of text.
    pub(crate) json: bool,
}

/// Why a command failed that has printed its result all the same.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Reported(pub(crate) String);

impl Output {
    /// Prints a result: the value for programs, or the lines for people.
    pub(crate) fn result(self, value: &Value, text: impl FnOnce() -> String) {
        Self::text(&if self.json { format!("{value}\n") } else { text() });
    }

    /// Prints text as it is, but for control characters when a person looks: what events contain is hostile.
    pub(crate) fn text(text: &str) {
        let mut out = std::io::stdout().lock();
        let shown = if out.is_terminal() { printable(text) } else { text.to_owned() };
        // A closed pipe (`| head`) is the reader's choice.
        let _ = out.write_all(shown.as_bytes());
        if !shown.ends_with('\n') {
            let _ = out.write_all(b"\n");
        }
        let _ = out.flush();
    }

    /// Prints why a command failed.
    pub(crate) fn failure(self, error: &anyhow::Error) -> ExitCode {
        if self.json && !error.is::<Reported>() {
            Self::text(&json!({"error": format!("{error:#}")}).to_string());
        }
        let mut err = std::io::stderr().lock();
        let _ = writeln!(err, "nuthatch: {}", printable(&format!("{error:#}")));
        ExitCode::FAILURE
    }
}

/// Without terminal codes.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// Rows as columns of equal width, under a head line.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    std::iter::once(&head)
        .chain(rows)
        .map(|row| {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            format!("{}\n", cells.join("  ").trim_end())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_codes_are_not_passed_on() {
        assert_eq!(printable("a\u{1b}[31mb\nc"), "a\u{fffd}[31mb\nc");
    }

    #[test]
    fn columns_line_up() {
        let rows = vec![vec!["1".to_owned(), "long".to_owned()], vec!["22".to_owned(), "x".to_owned()]];
        assert_eq!(table(&["id", "name"], &rows), "id  name\n1   long\n22  x\n");
    }
}
