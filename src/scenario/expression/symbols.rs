//! The interner of words: enumeration words, text values, error reasons.

use crate::kernel::ids::SymbolId;
use indexmap::IndexSet;

/// Every word that can be a value, numbered in the order first met.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    words: IndexSet<String>,
}

impl Symbols {
    /// The id of a word, new or known.
    pub fn intern(&mut self, word: &str) -> SymbolId {
        let index = match self.words.get_index_of(word) {
            Some(index) => index,
            None => self.words.insert_full(word.to_owned()).0,
        };
        SymbolId::new(index)
    }

    pub fn get(&self, id: SymbolId) -> &str {
        &self.words[id.index()]
    }

    /// All words, by id.
    pub fn into_words(self) -> Vec<String> {
        self.words.into_iter().collect()
    }
}
