//! A form as it goes back to the person who filled it in: what was entered and what is wrong.

use std::fmt;

/// Entered values and refused fields of one form. Templates hand it to the macros in
/// `components/form.html`, which find value and error by the field's name.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Form {
    values: Vec<(String, String)>,
    errors: Vec<(String, String)>,
}

impl fmt::Debug for Form {
    /// What was entered is personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused: Vec<&str> = self.errors.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Form").field("refused", &refused).finish()
    }
}

impl Form {
    /// An empty form.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The form with `value` in the field `name`. Never fill in a password or a code.
    #[must_use]
    pub fn fill(mut self, name: &str, value: impl Into<String>) -> Self {
        self.values.push((name.to_owned(), value.into()));
        self
    }

    /// Marks the field `name` as refused, with a message that says how to put it right. A field
    /// keeps its first message.
    pub fn refuse(&mut self, name: &str, message: impl Into<String>) {
        if self.error(name).is_empty() {
            self.errors.push((name.to_owned(), message.into()));
        }
    }

    /// What the field `name` holds; empty when nothing does.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        find(&self.values, name)
    }

    /// The country code in the first half of the phone field `name`; `+86` unless filled in.
    #[must_use]
    pub fn country_code(&self, name: &str) -> &str {
        let half = self.values.iter().find(|(own, _)| {
            own.strip_prefix(name)
                .is_some_and(|rest| rest == "_country")
        });
        half.map_or("+86", |(_, value)| value)
    }

    /// What is wrong with the field `name`; empty when nothing is.
    #[must_use]
    pub fn error(&self, name: &str) -> &str {
        find(&self.errors, name)
    }

    /// Whether the field `name` holds `value`: the chosen option or tile.
    #[must_use]
    pub fn holds(&self, name: &str, value: &str) -> bool {
        self.values
            .iter()
            .any(|(own, held)| own == name && held == value)
    }

    /// Field names with their messages, in the order in which they were refused.
    #[must_use]
    pub fn errors(&self) -> &[(String, String)] {
        &self.errors
    }

    /// Whether anything was refused.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        !self.errors.is_empty()
    }
}

fn find<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    pairs
        .iter()
        .find(|(own, _)| own == name)
        .map_or("", |(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_keeps_its_first_error_and_debug_hides_what_was_entered() {
        let mut form = Form::new().fill("email", "wei@example.com");
        form.refuse("email", "first");
        form.refuse("email", "second");
        assert_eq!(form.error("email"), "first");
        assert_eq!(form.errors().len(), 1);
        assert!(!format!("{form:?}").contains("wei"));
    }
}
