//! The closed query AST. Adapters compile it; nobody else interprets search text.

/// A condition on a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// All hold. Empty: true.
    And(Vec<Expr>),
    /// One holds. Empty: false.
    Or(Vec<Expr>),
    /// It does not hold.
    Not(Box<Expr>),
    /// A condition on one field.
    Term(Term),
}

impl Expr {
    /// The condition that always holds.
    pub fn all() -> Self {
        Self::And(Vec::new())
    }
}

/// A condition on one field.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// Name of the field as in the search text: `level`, `release`, `message`, … Any other name is a tag.
    pub key: String,
    /// Comparison.
    pub op: Op,
}

/// A comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// Equal to one of the values (texts without a wildcard).
    In(Vec<Value>),
    /// Matches a pattern in which `*` stands for any run of characters, `\*` for a star and `\\` for a backslash;
    /// case-insensitive ([`crate::Pattern`]).
    Like(String),
    /// Contains the words, in order, case-insensitive ([`crate::words::contains`]).
    Contains(String),
    /// Less than.
    Lt(Value),
    /// Less than or equal.
    Le(Value),
    /// Greater than.
    Gt(Value),
    /// Greater than or equal.
    Ge(Value),
    /// The field has a value.
    Exists,
}

/// A value to compare with.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// A time.
    Time(nuthatch_protocol::Timestamp),
}

impl Value {
    /// The value as it is written in search text.
    pub fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Time(time) => time.to_string(),
        }
    }
}
