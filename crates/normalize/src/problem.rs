//! What is wrong with a project's settings.

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The setting, as a path: `relayPiiConfig.rules.0.pattern`.
    pub place: String,
    /// What is wrong and what is expected.
    pub message: String,
}
