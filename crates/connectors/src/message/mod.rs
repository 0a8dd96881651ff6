//! E-mail by SMTP and short messages by SMPP.

use simurgh_app::ports::{Envelope, Messenger, SendFailure, Sending};
use simurgh_vocab::MessageId;

pub mod smpp;
pub mod smtp;
mod tls;

pub use smpp::{Smpp, SmppSettings};
pub use smtp::{Smtp, SmtpSettings};

/// A setting that cannot work, for `check-config`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {reason}")]
pub struct SettingFault {
    /// The setting, as a field of the settings struct.
    pub setting: &'static str,
    /// What is wrong with it and what would be right. Never the value of a secret.
    pub reason: String,
}

impl SettingFault {
    fn new(setting: &'static str, reason: impl Into<String>) -> Self {
        Self {
            setting,
            reason: reason.into(),
        }
    }
}

/// The ways out that are configured.
#[derive(Debug, Default)]
pub struct Routes {
    /// The way for e-mail.
    pub email: Option<Smtp>,
    /// The way for SMS.
    pub sms: Option<Smpp>,
}

impl Routes {
    /// Finishes what is under way and says good-bye to both servers.
    pub async fn stop(&self) {
        if let Some(sms) = &self.sms {
            sms.stop().await;
        }
        if let Some(email) = &self.email {
            email.stop().await;
        }
    }
}

impl Messenger for Routes {
    /// Hands the message to the channel it is for. A message for a channel that is not configured
    /// fails for good and names the missing setting.
    fn send(&self, id: MessageId, envelope: Envelope) -> Sending<'_> {
        Box::pin(async move {
            match envelope {
                Envelope::Email { .. } => match &self.email {
                    Some(smtp) => smtp.send(id, &envelope).await,
                    None => Err(unconfigured("e-mail", "smtp")),
                },
                Envelope::Sms { to, text } => match &self.sms {
                    Some(smpp) => smpp.send(id, &to, &text).await,
                    None => Err(unconfigured("SMS", "smpp")),
                },
            }
        })
    }
}

fn unconfigured(channel: &str, section: &str) -> SendFailure {
    SendFailure::Permanent(format!(
        "no way to send {channel}: the settings have no section `{section}`"
    ))
}

/// Whether a host is this machine, the only one to which TLS may be left out.
fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn std_duration(length: simurgh_vocab::Duration) -> std::time::Duration {
    std::time::Duration::from_micros(u64::try_from(length.as_micros()).unwrap_or(0))
}
