//! Turns an envelope into a mail: headers that cannot be injected, both bodies, a stable id.

use lettre::Address;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use simurgh_app::ports::{Envelope, SendFailure};
use simurgh_vocab::{MessageId, Timestamp};

/// The longest URL a header line can bear: 998 octets (RFC 5322 §2.1.1) less name and brackets.
const URL_OCTETS_MAX: usize = 900;

/// Writes the mail.
///
/// # Errors
/// `Permanent` when the envelope is no e-mail or has an unusable unsubscribe URL.
pub(super) fn compose(
    from: &Mailbox,
    id: MessageId,
    now: Timestamp,
    envelope: &Envelope,
) -> Result<Message, SendFailure> {
    let Envelope::Email {
        to,
        subject,
        text,
        html,
        unsubscribe_url,
    } = envelope
    else {
        return Err(refused("this is no e-mail"));
    };
    let address: Address = to
        .as_str()
        .parse()
        .map_err(|_| refused("the recipient's address cannot be written in SMTP"))?;
    let sent_at = std::time::UNIX_EPOCH + std::time::Duration::from_millis(now.as_unix_millis());
    let mut builder = Message::builder()
        .message_id(Some(format!("<{}@{}>", id.number(), from.email.domain())))
        .date(sent_at)
        .from(from.clone())
        .to(Mailbox::new(None, address))
        .subject(one_line(subject))
        // RFC 3834 §5: keeps holiday notices from answering.
        .header(AutoSubmitted);
    if let Some(url) = unsubscribe_url {
        let url = UnsubscribeUrl::parse(url)?;
        if url.0.starts_with("https://") {
            builder = builder.header(OneClick);
        }
        builder = builder.header(url);
    }
    // `=_` occurs neither in quoted-printable nor in base64 (RFC 2045 §6.7).
    let bodies = MultiPart::alternative()
        .boundary(format!("=_{}", id.number()))
        .singlepart(SinglePart::plain(text.clone()))
        .singlepart(SinglePart::html(html.clone()));
    builder
        .multipart(bodies)
        .map_err(|error| refused(&error.to_string()))
}

fn refused(reason: &str) -> SendFailure {
    SendFailure::Permanent(reason.to_owned())
}

/// A header is one line: whatever could end it becomes a space.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{2028}' | '\u{2029}' => ' ',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect()
}

/// `Auto-Submitted: auto-generated` (RFC 3834 §5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// `List-Unsubscribe-Post` (RFC 8058 §3.1).
#[derive(Clone)]
struct OneClick;

impl Header for OneClick {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe-Post")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "List-Unsubscribe=One-Click".to_owned())
    }
}

/// `List-Unsubscribe` (RFC 2369 §3.2): a URL of visible ASCII without angle brackets.
#[derive(Clone)]
struct UnsubscribeUrl(String);

impl UnsubscribeUrl {
    fn parse(url: &str) -> Result<Self, SendFailure> {
        let web = url.starts_with("https://") || url.starts_with("http://");
        let plain = url
            .bytes()
            .all(|b| b.is_ascii_graphic() && b != b'<' && b != b'>');
        if web && plain && url.len() <= URL_OCTETS_MAX {
            Ok(Self(url.to_owned()))
        } else {
            Err(refused("the unsubscribe URL cannot stand in a header"))
        }
    }
}

impl Header for UnsubscribeUrl {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let url = text.trim_start_matches('<').trim_end_matches('>');
        Self::parse(url).map_err(Into::into)
    }

    /// Encoding or folding would break the URL; `parse` let nothing in that needs them.
    fn display(&self) -> HeaderValue {
        let value = format!("<{}>", self.0);
        HeaderValue::dangerous_new_pre_encoded(Self::name(), value.clone(), value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(subject: &str, unsubscribe_url: Option<&str>) -> Result<String, SendFailure> {
        let envelope = Envelope::Email {
            to: "wei@example.com".parse().unwrap(),
            subject: subject.to_owned(),
            text: "您好\r\n.\r\n".to_owned(),
            html: "<p>您好</p>".to_owned(),
            unsubscribe_url: unsubscribe_url.map(str::to_owned),
        };
        let from = "神鸟 <no-reply@simurgh.example>".parse().unwrap();
        let id = MessageId::from_bytes([7; 16]);
        let mail = compose(&from, id, Timestamp::from_micros(0), &envelope)?;
        Ok(String::from_utf8(mail.formatted()).unwrap())
    }

    fn header_names(mail: &str) -> Vec<&str> {
        let (head, _) = mail.split_once("\r\n\r\n").unwrap();
        head.split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split_once(": ").unwrap().0)
            .collect()
    }

    const PLAIN: [&str; 8] = [
        "Message-ID",
        "Date",
        "From",
        "To",
        "Subject",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    ];

    #[test]
    fn no_subject_can_add_a_header() {
        for subject in [
            "Hi\r\nBcc: eve@example.com",
            "Hi\nBcc: eve@example.com\n\nbody",
            "Hi\r Bcc: eve",
            "您好\u{85}\u{2028}Bcc: eve@example.com",
            &"长".repeat(2000),
            &"a".repeat(2000),
        ] {
            let mail = write(subject, None).unwrap();
            assert_eq!(header_names(&mail), PLAIN, "{subject:?}");
        }
    }

    #[test]
    fn the_message_id_is_the_same_each_time() {
        let mail = write("x", None).unwrap();
        assert!(mail.contains("Message-ID: <070W3GE1R70W3GE1R70W3GE1R7@simurgh.example>\r\n"));
        assert_eq!(mail, write("x", None).unwrap());
    }

    #[test]
    fn rfc_8058_3_1_one_click_needs_https() {
        let long = format!("https://simurgh.example/u/{}", "x".repeat(200));
        let mail = write("x", Some(&long)).unwrap();
        assert!(mail.contains(&format!("List-Unsubscribe: <{long}>\r\n")));
        assert!(mail.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
        let mail = write("x", Some("http://127.0.0.1:8080/u/1")).unwrap();
        assert!(!mail.contains("List-Unsubscribe-Post"));
    }

    #[test]
    fn no_url_can_add_a_header() {
        for url in [
            "https://a.example/\r\nBcc: eve@example.com",
            "https://a.example/> <mailto:eve@example.com",
            "mailto:eve@example.com",
            "https://a.example/退订",
            "",
        ] {
            assert!(matches!(
                write("x", Some(url)),
                Err(SendFailure::Permanent(_))
            ));
        }
    }
}
