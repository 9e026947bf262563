//! Cuts texts into the words that `nuthatch_query::words` defines.

use nuthatch_query::words::{fold, words};
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

/// Name of the tokenizer in the schema.
pub(crate) const TOKENIZER: &str = "nuthatch_words";

/// The tokenizer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WordTokenizer;

impl Tokenizer for WordTokenizer {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        WordStream { text, words: words(text), token: Token::default() }
    }
}

/// The words of one text.
pub(crate) struct WordStream<'a> {
    text: &'a str,
    words: nuthatch_query::words::Words<'a>,
    token: Token,
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        let Some(range) = self.words.next() else { return false };
        let word = &self.text[range.clone()];
        self.token.text.clear();
        if word.is_ascii() {
            self.token.text.push_str(word);
            self.token.text.make_ascii_lowercase();
        } else {
            self.token.text.push_str(&fold(word));
        }
        self.token.offset_from = range.start;
        self.token.offset_to = range.end;
        self.token.position = self.token.position.wrapping_add(1);
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}
