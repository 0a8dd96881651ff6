//! The messages of a ticket as both sides read them.

use simurgh_app::ports::{Author, TicketMessage};
use simurgh_vocab::Timestamp;

/// A message, ready to be shown.
pub(crate) struct Said {
    /// Who wrote it.
    pub(crate) who: String,
    /// When.
    pub(crate) at: Timestamp,
    /// Whether the customer wrote it.
    pub(crate) by_customer: bool,
    /// Paragraphs of lines: a browser shows no line ends of its own.
    pub(crate) paragraphs: Vec<Vec<String>>,
}

impl Said {
    /// The message with `who` as its writer.
    pub(crate) fn by(who: String, message: &TicketMessage) -> Self {
        Self {
            who,
            at: message.at,
            by_customer: message.author == Author::Customer,
            paragraphs: paragraphs(&message.text),
        }
    }
}

fn paragraphs(text: &str) -> Vec<Vec<String>> {
    text.split("\n\n")
        .map(|paragraph| paragraph.trim_matches('\n'))
        .filter(|paragraph| !paragraph.is_empty())
        .map(|paragraph| paragraph.lines().map(str::to_owned).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_lines_part_paragraphs() {
        assert_eq!(paragraphs("a\nb\n\n\n\nc"), [vec!["a", "b"], vec!["c"]]);
    }
}
