//! The two languages of the product: messages, and how amounts, quantities and dates are written.
//!
//! Messages live in `locales/<language>/*.ftl` (Project Fluent); every file found there is part of
//! the program. A template asks for a text by `t.msg("key")`, or by `t.with("key", "name", value)`
//! when the text has variables. `{ -brand }` in a message is the operator's name.

mod format;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use jiff::tz::TimeZone;
use simurgh_vocab::Locale;
use unic_langid::LanguageIdentifier;

pub use format::{Figure, Given, default_zone};

include!(concat!(env!("OUT_DIR"), "/locales.rs"));

/// The messages cannot be loaded. Found by the tests of this crate, never by a user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum I18nError {
    /// A file is not Fluent.
    #[error("{locale}/{file}: {problems}")]
    Syntax {
        /// The language.
        locale: Locale,
        /// The file's name.
        file: &'static str,
        /// What the parser said.
        problems: String,
    },
    /// Two files of a language define the same key.
    #[error("{locale}/{file}: {problems}")]
    Twice {
        /// The language.
        locale: Locale,
        /// The later file's name.
        file: &'static str,
        /// Which keys are defined twice.
        problems: String,
    },
}

/// The messages of every language, loaded once.
pub struct I18n {
    zh_cn: FluentBundle<FluentResource>,
    en: FluentBundle<FluentResource>,
}

impl fmt::Debug for I18n {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("I18n")
    }
}

impl I18n {
    /// Loads every language; `{ -brand }` becomes `brand_name`.
    ///
    /// # Errors
    /// [`I18nError`] when a file is malformed or repeats a key.
    pub fn load(brand_name: &str) -> Result<Self, I18nError> {
        Ok(Self {
            zh_cn: bundle(Locale::ZhCn, brand_name)?,
            en: bundle(Locale::En, brand_name)?,
        })
    }

    /// The texts of `locale` for somebody whose clock shows `zone`.
    #[must_use]
    pub fn text(self: &Arc<Self>, locale: Locale, zone: TimeZone) -> Text {
        Text {
            i18n: Arc::clone(self),
            locale,
            zone,
        }
    }

    fn bundle(&self, locale: Locale) -> &FluentBundle<FluentResource> {
        match locale {
            Locale::ZhCn => &self.zh_cn,
            Locale::En => &self.en,
        }
    }

    fn lookup(&self, locale: Locale, key: &str, arguments: Option<&FluentArgs<'_>>) -> String {
        let bundle = self.bundle(locale);
        let (id, attribute) = key
            .split_once('.')
            .map_or((key, None), |(id, attribute)| (id, Some(attribute)));
        let pattern = bundle.get_message(id).and_then(|message| match attribute {
            Some(name) => message.get_attribute(name).map(|found| found.value()),
            None => message.value(),
        });
        let Some(pattern) = pattern else {
            tracing::error!(key, %locale, "a text is missing");
            return key.to_owned();
        };
        let mut faults = Vec::new();
        let text = bundle.format_pattern(pattern, arguments, &mut faults);
        if !faults.is_empty() {
            tracing::error!(key, %locale, ?faults, "a text lacks a variable");
        }
        text.into_owned()
    }
}

/// Marks a literal as the key of a message where the lookup itself is elsewhere, so that the test
/// which compares keys with messages sees it.
#[must_use]
pub const fn key(literal: &'static str) -> &'static str {
    literal
}

/// The texts of one language, for one time zone. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Text {
    i18n: Arc<I18n>,
    locale: Locale,
    zone: TimeZone,
}

impl Text {
    /// The language.
    #[must_use]
    pub const fn locale(&self) -> Locale {
        self.locale
    }

    /// Its BCP 47 tag, for the `lang` attribute.
    #[must_use]
    pub const fn tag(&self) -> &'static str {
        self.locale.tag()
    }

    /// The same texts for somebody whose clock shows `zone`.
    #[must_use]
    pub fn in_zone(self, zone: TimeZone) -> Self {
        Self { zone, ..self }
    }

    /// The message `key`, which has no variables. `key.attribute` names an attribute.
    #[must_use]
    pub fn msg(&self, key: &str) -> String {
        self.i18n.lookup(self.locale, key, None)
    }

    /// The message `key` with the variable `name` set; [`Phrase::and`] sets further ones.
    #[must_use]
    pub fn with<'a>(&'a self, key: &'a str, name: &'static str, value: impl Value) -> Phrase<'a> {
        let phrase = Phrase {
            text: self,
            key,
            arguments: FluentArgs::new(),
        };
        phrase.and(name, value)
    }
}

/// A message with variables. Displays as its text.
pub struct Phrase<'a> {
    text: &'a Text,
    key: &'a str,
    arguments: FluentArgs<'static>,
}

impl Phrase<'_> {
    /// Sets one more variable.
    #[must_use]
    pub fn and(mut self, name: &'static str, value: impl Value) -> Self {
        self.arguments.set(name, value.into_fluent());
        self
    }
}

impl fmt::Display for Phrase<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Text { i18n, locale, .. } = self.text;
        f.write_str(&i18n.lookup(*locale, self.key, Some(&self.arguments)))
    }
}

/// What a variable of a message may be: a text or a whole number.
pub trait Value {
    /// The value as Fluent takes it.
    fn into_fluent(self) -> FluentValue<'static>;
}

impl Value for String {
    fn into_fluent(self) -> FluentValue<'static> {
        FluentValue::from(self)
    }
}

impl Value for &str {
    fn into_fluent(self) -> FluentValue<'static> {
        FluentValue::from(self.to_owned())
    }
}

impl Value for Figure {
    fn into_fluent(self) -> FluentValue<'static> {
        FluentValue::from(self.to_string())
    }
}

/// Whole numbers, and references to values: templates pass arguments by reference.
macro_rules! values {
    (numbers $($number:ty),*; references $($owned:ty),*) => {
        $(impl Value for $number {
            fn into_fluent(self) -> FluentValue<'static> {
                FluentValue::from(self)
            }
        }
        impl Value for &$number {
            fn into_fluent(self) -> FluentValue<'static> {
                FluentValue::from(*self)
            }
        })*
        $(impl Value for &$owned {
            fn into_fluent(self) -> FluentValue<'static> {
                FluentValue::from(self.to_string())
            }
        })*
    };
}

values!(numbers u8, u16, u32, u64, usize, i32, i64; references String, &str, Figure, Phrase<'_>);

impl Value for Phrase<'_> {
    fn into_fluent(self) -> FluentValue<'static> {
        FluentValue::from(self.to_string())
    }
}

fn sources(locale: Locale) -> &'static [(&'static str, &'static str)] {
    match locale {
        Locale::ZhCn => ZH_CN,
        Locale::En => EN,
    }
}

fn language(locale: Locale) -> LanguageIdentifier {
    locale.tag().parse().unwrap_or_default()
}

fn bundle(locale: Locale, brand_name: &str) -> Result<FluentBundle<FluentResource>, I18nError> {
    let mut bundle = FluentBundle::new_concurrent(vec![language(locale)]);
    // Both languages run left to right: isolation marks would only get in the way of copying.
    bundle.set_use_isolating(false);
    for (file, source) in sources(locale) {
        let resource = FluentResource::try_new((*source).to_owned()).map_err(|(_, problems)| {
            I18nError::Syntax {
                locale,
                file,
                problems: format!("{problems:?}"),
            }
        })?;
        bundle
            .add_resource(resource)
            .map_err(|problems| I18nError::Twice {
                locale,
                file,
                problems: format!("{problems:?}"),
            })?;
    }
    let quoted = brand_name.replace('\\', "\\\\").replace('"', "\\\"");
    let brand = FluentResource::try_new(format!("-brand = {{ \"{quoted}\" }}\n"));
    let brand = brand.map_err(|(_, problems)| I18nError::Syntax {
        locale,
        file: "(the brand's name)",
        problems: format!("{problems:?}"),
    })?;
    bundle.add_resource_overriding(brand);
    Ok(bundle)
}
