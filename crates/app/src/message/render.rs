//! Rendering a message in its language.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use simurgh_vocab::Locale;

use crate::ports::Message;

/// A message, ready for each channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The subject of the e-mail.
    pub subject: String,
    /// The e-mail as plain text.
    pub text: String,
    /// The e-mail as HTML.
    pub html: String,
    /// The SMS.
    pub sms: String,
}

type Bundle = FluentBundle<FluentResource>;

static ZH_CN: LazyLock<Bundle> = LazyLock::new(|| {
    bundle(
        Locale::ZhCn,
        include_str!("../../locales/zh-CN/messages.ftl"),
    )
});
static EN: LazyLock<Bundle> =
    LazyLock::new(|| bundle(Locale::En, include_str!("../../locales/en/messages.ftl")));

/// Renders a message for every channel.
#[must_use]
pub fn render(message: &Message, brand: &str) -> Rendered {
    let bundle: &Bundle = match message.locale {
        Locale::ZhCn => &ZH_CN,
        Locale::En => &EN,
    };
    let mut args = FluentArgs::new();
    args.set("brand", brand.to_owned());
    for (name, value) in &message.arguments {
        args.set(name.as_str(), value.clone());
    }
    let text = |part: &str| format_key(bundle, &format!("{}-{part}", message.template), &args);
    let (subject, body) = (text("subject"), text("body"));
    Rendered {
        html: html(&subject, &body, message.locale),
        sms: text("sms"),
        text: body,
        subject,
    }
}

fn bundle(locale: Locale, source: &str) -> Bundle {
    let language = locale.tag().parse().unwrap_or_default();
    let mut bundle = Bundle::new_concurrent(vec![language]);
    // Latin numbers inside Chinese need no direction marks, and SMS pays for each.
    bundle.set_use_isolating(false);
    let resource = match FluentResource::try_new(source.to_owned()) {
        Ok(resource) => resource,
        Err((partial, errors)) => {
            tracing::error!(?errors, "a message file has errors");
            partial
        }
    };
    bundle.add_resource_overriding(resource);
    bundle
}

fn format_key(bundle: &Bundle, key: &str, args: &FluentArgs<'_>) -> String {
    let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
        tracing::error!(key, "a message text is missing");
        return key.to_owned();
    };
    let mut errors = Vec::new();
    let text = bundle
        .format_pattern(pattern, Some(args), &mut errors)
        .into_owned();
    if !errors.is_empty() {
        tracing::error!(key, ?errors, "a message text lacks an argument");
    }
    text
}

fn html(subject: &str, body: &str, locale: Locale) -> String {
    let paragraphs: String = body
        .split("\n\n")
        .map(|paragraph| {
            format!(
                "<p>{}</p>",
                linked(&escaped(paragraph)).replace('\n', "<br>")
            )
        })
        .collect();
    format!(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{}</title></head>\
         <body style=\"font:16px/1.6 system-ui,sans-serif;max-width:36em;margin:2em auto;padding:0 1em\">\
         {paragraphs}</body></html>",
        locale.tag(),
        escaped(subject)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Makes links of the addresses in escaped text; each stands between white space.
fn linked(text: &str) -> String {
    let link = |word: &str| {
        if word.starts_with("https://") || word.starts_with("http://") {
            format!("<a href=\"{word}\">{word}</a>")
        } else {
            word.to_owned()
        }
    };
    text.split('\n')
        .map(|line| line.split(' ').map(link).collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use simurgh_vocab::{MessageId, Timestamp};

    use super::*;
    use crate::message::Template;
    use crate::ports::{MessageState, Recipient};

    /// Every argument any template uses, with awkward values.
    const ARGUMENTS: [&str; 19] = [
        "code", "minutes", "what", "order", "plan", "total", "start", "end", "url", "reason",
        "days", "until", "percent", "service", "left", "method", "date", "ticket", "esim",
    ];

    #[test]
    fn every_template_renders_in_every_language() {
        for template in Template::ALL {
            for locale in Locale::ALL {
                let mut arguments: Vec<_> = ARGUMENTS
                    .iter()
                    .map(|name| ((*name).to_owned(), format!("<{name}>")))
                    .collect();
                arguments.push(("first".to_owned(), "yes".to_owned()));
                arguments.push(("outcome".to_owned(), "approved".to_owned()));
                let message = Message {
                    id: MessageId::from_parts(1, &[0; 10]),
                    customer: None,
                    to: Recipient::Sms("+8613800138000".parse().unwrap()),
                    template: template.code().to_owned(),
                    locale,
                    arguments,
                    created_at: Timestamp::from_micros(0),
                    state: MessageState::Queued,
                };
                let rendered = render(&message, "Simurgh");
                for part in [&rendered.subject, &rendered.text, &rendered.sms] {
                    let name = template.code();
                    assert!(
                        !part.is_empty() && !part.contains("{$"),
                        "{name} {locale}: {part}"
                    );
                    assert!(
                        !part.starts_with(&format!("{name}-")),
                        "{name} {locale} is missing"
                    );
                }
                assert!(!rendered.html.contains("<url>"), "arguments are escaped");
                assert!(
                    rendered.sms.chars().count() <= 200,
                    "{} {locale} is long",
                    template.code()
                );
            }
        }
    }
    #[test]
    fn a_confirmation_leads_to_the_esim_while_that_waits_for_a_phone() {
        for locale in Locale::ALL {
            let rendered = |first: &str| {
                let arguments = [
                    ("first", first),
                    ("esim", "https://example.com/line/esim"),
                    ("url", "https://example.com/orders/1"),
                    ("total", "1"),
                    ("plan", "P"),
                    ("start", "S"),
                    ("end", "E"),
                    ("order", "O"),
                ];
                let arguments = arguments.map(|(name, value)| (name.to_owned(), value.to_owned()));
                let message = Message {
                    id: MessageId::from_parts(1, &[0; 10]),
                    customer: None,
                    to: Recipient::Sms("+8613800138000".parse().unwrap()),
                    template: Template::OrderConfirmed.code().to_owned(),
                    locale,
                    arguments: arguments.to_vec(),
                    created_at: Timestamp::from_micros(0),
                    state: MessageState::Queued,
                };
                render(&message, "Simurgh")
            };
            let (first, later) = (rendered("yes"), rendered("no"));
            assert!(first.sms.ends_with(" https://example.com/line/esim"));
            assert!(first.sms.contains(" https://example.com/orders/1 "));
            assert!(later.sms.ends_with(" https://example.com/orders/1"));
            assert!(
                first
                    .html
                    .contains("href=\"https://example.com/line/esim\"")
            );
            assert!(!later.text.contains("/line/esim"));
            assert!(first.text.contains("https://example.com/orders/1"));
        }
    }
}
