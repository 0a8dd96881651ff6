//! A small index of words. Latin words match by their beginnings; Chinese, which has no spaces, by
//! pairs of neighbouring characters.

use std::collections::BTreeMap;

/// Words that say nothing about what somebody looks for.
const EMPTY_WORDS: [&str; 34] = [
    "the", "a", "an", "i", "my", "me", "is", "are", "am", "to", "of", "in", "on", "it", "do",
    "does", "how", "what", "where", "why", "can", "can't", "cannot", "not", "and", "or", "for",
    "with", "you", "your", "we", "t", "s", "be",
];

/// Chinese pairs that say as little.
const EMPTY_PAIRS: [&str; 14] = [
    "我的", "怎么", "么办", "怎样", "如何", "什么", "为什", "可以", "在哪", "哪里", "请问", "一下",
    "不了", "了怎",
];

/// Latin words of at least this length also match longer and shorter forms of themselves.
const STEM_LETTERS: usize = 4;

/// The words of a text with their weights.
#[derive(Debug, Default)]
pub(super) struct Words {
    weights: BTreeMap<String, u32>,
}

impl Words {
    /// Counts the words of several texts; a word weighs as much as its heaviest text.
    pub(super) fn new(texts: &[(&str, u32)]) -> Self {
        let mut weights = BTreeMap::new();
        for (text, weight) in texts {
            for term in terms(text) {
                let held = weights.entry(term).or_insert(*weight);
                *held = (*held).max(*weight);
            }
        }
        Self { weights }
    }

    /// How well the terms of a query fit. Zero when fewer than a quarter of them occur.
    pub(super) fn score(&self, terms: &[String]) -> u32 {
        let weights: Vec<u32> = terms.iter().map(|term| self.weight(term)).collect();
        let met = weights.iter().filter(|weight| **weight > 0).count();
        if met * 4 < terms.len().max(1) {
            return 0;
        }
        weights.iter().sum()
    }

    fn weight(&self, term: &str) -> u32 {
        if let Some(weight) = self.weights.get(term) {
            return weight.saturating_mul(2);
        }
        if !term.is_ascii() || term.len() < STEM_LETTERS {
            return 0;
        }
        let akin = |word: &str| {
            word.len() >= STEM_LETTERS && (word.starts_with(term) || term.starts_with(word))
        };
        let weights = self.weights.iter().filter(|(word, _)| akin(word));
        weights.map(|(_, weight)| *weight).max().unwrap_or(0)
    }
}

/// The terms of a text: Latin words in lower case, and pairs of Chinese characters.
pub(super) fn terms(text: &str) -> Vec<String> {
    let mut terms = Vec::new();
    let lower = text.to_lowercase();
    let is_part = |c: char| c.is_alphanumeric() || c == '\'';
    for run in lower.split(|c: char| !is_part(c)) {
        let mut word = String::new();
        let mut previous = None;
        for character in run.chars() {
            if is_han(character) {
                push_word(&mut terms, &mut word);
                let pair = previous.map(|first| String::from_iter([first, character]));
                terms.extend(pair.filter(|pair| !EMPTY_PAIRS.contains(&pair.as_str())));
                previous = Some(character);
            } else {
                previous = None;
                word.push(character);
            }
        }
        push_word(&mut terms, &mut word);
    }
    terms
}

fn push_word(terms: &mut Vec<String>, word: &mut String) {
    if !word.is_empty() && !EMPTY_WORDS.contains(&word.as_str()) {
        terms.push(word.clone());
    }
    word.clear();
}

/// The unified ideographs in common use (Unicode blocks CJK Unified Ideographs and Extension A).
fn is_han(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}')
}
