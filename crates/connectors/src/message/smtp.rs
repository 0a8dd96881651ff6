//! E-mail by SMTP (RFC 5321) to a relay, with TLS (RFC 8314, RFC 3207) and login (RFC 4954).
//!
//! Connections are pooled here and not by `lettre`: its asynchronous pool bounds no command in time
//! and takes an abandoned connection back in the middle of a message.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use lettre::message::Mailbox;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::extension::ClientId;
use simurgh_app::ports::{Clock, Delivery, Envelope, SendFailure};
use simurgh_vocab::{Duration, EmailAddress, MessageId};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::{SettingFault, is_loopback, std_duration, tls};
use crate::Secret;

mod compose;

/// The most that is kept of a server's reply, in characters: enough for a queue id and a reason.
const REPLY_CHARS_MAX: usize = 300;

/// A parked connection older than this is not tried again; servers hang up after five minutes
/// (RFC 5321 §4.5.3.2.7).
const IDLE_MAX: Duration = Duration::seconds(60);

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// TLS from the first byte, as RFC 8314 §3 recommends. Port 465.
    Implicit,
    /// TLS by the `STARTTLS` command, without which nothing is sent. Port 587.
    StartTls,
    /// No protection: only to a server on this machine. Port 25.
    Plain,
}

impl SmtpTls {
    /// The port such servers listen on.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Implicit => 465,
            Self::StartTls => 587,
            Self::Plain => 25,
        }
    }
}

/// The account at the mail server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpLogin {
    /// The user name.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// How e-mail leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpSettings {
    /// Name or address of the mail server; its certificate must bear it.
    pub host: String,
    /// Port of the mail server.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// The account, if the server wants one.
    pub login: Option<SmtpLogin>,
    /// The sender, such as `Simurgh <no-reply@example.com>`. Message ids bear its domain.
    pub from: String,
    /// A file of PEM certificates to trust beside the public authorities.
    pub extra_ca_file: Option<PathBuf>,
    /// The name this machine greets with; its host name when absent.
    pub hello_name: Option<String>,
    /// The most connections open at once; more messages wait.
    pub connections_max: u16,
    /// The time one message may take from connecting to the server's answer.
    pub send_timeout: Duration,
}

impl SmtpSettings {
    /// Settings with implicit TLS, no login and the usual limits.
    #[must_use]
    pub fn new(host: impl Into<String>, from: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port: SmtpTls::Implicit.default_port(),
            tls: SmtpTls::Implicit,
            login: None,
            from: from.into(),
            extra_ca_file: None,
            hello_name: None,
            connections_max: 4,
            send_timeout: Duration::seconds(60),
        }
    }
}

/// Sends e-mail through one server.
pub struct Smtp {
    host: String,
    port: u16,
    link: Link,
    from: Mailbox,
    send_timeout: std::time::Duration,
    clock: Arc<dyn Clock>,
    slots: Semaphore,
    parked: Mutex<Vec<Parked>>,
}

/// What a new connection needs.
struct Link {
    hello: ClientId,
    credentials: Option<Credentials>,
    tls: Protection,
}

enum Protection {
    Implicit(TlsParameters),
    StartTls(TlsParameters),
    Plain,
}

struct Parked {
    connection: AsyncSmtpConnection,
    since: Instant,
}

/// Where a hand-over failed: before the message was shown to the server, or with it.
enum Trouble {
    Link(SmtpError),
    Message(SmtpError),
}

impl Smtp {
    /// Checks the settings and reads the certificate file. Connects to nothing yet.
    ///
    /// # Errors
    /// Every setting that cannot work.
    pub fn new(settings: SmtpSettings, clock: Arc<dyn Clock>) -> Result<Self, Vec<SettingFault>> {
        let mut faults = Vec::new();
        let from = settings.from.parse::<Mailbox>().map_err(|error| {
            faults.push(SettingFault::new(
                "from",
                format!("not a sender such as `Simurgh <no-reply@example.com>`: {error}"),
            ));
        });
        let protection = protection(&settings).map_err(|fault| faults.push(fault));
        if settings.connections_max == 0 {
            faults.push(SettingFault::new("connections_max", "at least 1"));
        }
        let (Ok(from), Ok(tls), true) = (from, protection, faults.is_empty()) else {
            return Err(faults);
        };
        Ok(Self {
            link: Link {
                hello: settings
                    .hello_name
                    .map_or_else(ClientId::default, ClientId::Domain),
                credentials: settings
                    .login
                    .map(|login| Credentials::new(login.user, login.password.reveal().to_owned())),
                tls,
            },
            from,
            send_timeout: std_duration(settings.send_timeout),
            clock,
            slots: Semaphore::new(usize::from(settings.connections_max)),
            parked: Mutex::new(Vec::new()),
            host: settings.host,
            port: settings.port,
        })
    }

    /// Hands an e-mail to the server. Sent again under the same `id` it bears the same
    /// `Message-ID`, by which mail systems drop the second copy.
    ///
    /// # Errors
    /// `Temporary` when the server could not be reached, answered 4xx or refused this account;
    /// `Permanent` when it refused the message (5xx) or the envelope is no e-mail.
    pub async fn send(&self, id: MessageId, envelope: &Envelope) -> Result<Delivery, SendFailure> {
        let Envelope::Email { to, .. } = envelope else {
            return Err(SendFailure::Permanent("this is no e-mail".to_owned()));
        };
        let mail = compose::compose(&self.from, id, self.clock.now(), envelope)?;
        let handed_over = tokio::time::timeout(self.send_timeout, self.hand_over(&mail)).await;
        match handed_over {
            Ok(Ok(reference)) => Ok(Delivery::Accepted { reference }),
            Ok(Err(trouble)) => Err(classify(&trouble, to)),
            Err(_) => Err(SendFailure::Temporary(format!(
                "the mail server did not finish within {} s",
                self.send_timeout.as_secs()
            ))),
        }
    }

    /// Says good-bye on the connections that are open and idle.
    pub async fn stop(&self) {
        let parked = std::mem::take(&mut *self.parked());
        for mut parked in parked {
            // A server that does not answer QUIT is left behind.
            let farewell = parked.connection.abort();
            let _ = tokio::time::timeout(std::time::Duration::from_secs(2), farewell).await;
        }
    }

    /// One message on one connection. Dropping this future closes the connection: a half-sent
    /// message must never be continued by the next one.
    async fn hand_over(&self, mail: &lettre::Message) -> Result<String, Trouble> {
        // The semaphore is never closed; without a permit the limit would only be exceeded.
        let _slot = self.slots.acquire().await.ok();
        let mut connection = match self.unpark().await {
            Some(connection) => connection,
            None => self.connect().await.map_err(Trouble::Link)?,
        };
        let reply = connection
            .send(mail.envelope(), &mail.formatted())
            .await
            .map_err(Trouble::Message)?;
        if !connection.has_broken() {
            self.parked().push(Parked {
                connection,
                since: Instant::now(),
            });
        }
        let text: Vec<&str> = reply.message().collect();
        Ok(format!("{} {}", reply.code(), text.join(" "))
            .chars()
            .take(REPLY_CHARS_MAX)
            .collect())
    }

    async fn unpark(&self) -> Option<AsyncSmtpConnection> {
        loop {
            let mut parked = self.parked().pop()?;
            if parked.since.elapsed() < std_duration(IDLE_MAX)
                && parked.connection.test_connected().await
            {
                return Some(parked.connection);
            }
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        let server = (self.host.as_str(), self.port);
        let (implicit, upgrade) = match &self.link.tls {
            Protection::Implicit(tls) => (Some(tls.clone()), None),
            Protection::StartTls(tls) => (None, Some(tls.clone())),
            Protection::Plain => (None, None),
        };
        let hello = &self.link.hello;
        let mut connection = AsyncSmtpConnection::connect_tokio1(
            server,
            Some(self.send_timeout),
            hello,
            implicit,
            None,
        )
        .await?;
        if let Some(tls) = upgrade {
            connection.starttls(tls, hello).await?;
        }
        if let Some(credentials) = &self.link.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }

    fn parked(&self) -> std::sync::MutexGuard<'_, Vec<Parked>> {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

fn protection(settings: &SmtpSettings) -> Result<Protection, SettingFault> {
    match settings.tls {
        SmtpTls::Implicit => tls_parameters(settings).map(Protection::Implicit),
        SmtpTls::StartTls => tls_parameters(settings).map(Protection::StartTls),
        SmtpTls::Plain if is_loopback(&settings.host) => Ok(Protection::Plain),
        SmtpTls::Plain => Err(SettingFault::new(
            "tls",
            "a connection without TLS is allowed to localhost, 127.0.0.1 and ::1 only",
        )),
    }
}

fn tls_parameters(settings: &SmtpSettings) -> Result<TlsParameters, SettingFault> {
    let mut builder = TlsParameters::builder(settings.host.clone())
        .certificate_store(CertificateStore::WebpkiRoots);
    for authority in tls::authorities(settings.extra_ca_file.as_deref())? {
        let authority = Certificate::from_der(authority.to_vec())
            .map_err(|error| SettingFault::new("extra_ca_file", error.to_string()))?;
        builder = builder.add_root_certificate(authority);
    }
    builder
        .build()
        .map_err(|error| SettingFault::new("host", error.to_string()))
}

fn classify(trouble: &Trouble, to: &EmailAddress) -> SendFailure {
    match trouble {
        Trouble::Link(error) => SendFailure::Temporary(reason(error, to)),
        Trouble::Message(error) if error.is_permanent() && !blames_account(error) => {
            SendFailure::Permanent(reason(error, to))
        }
        Trouble::Message(error) => SendFailure::Temporary(reason(error, to)),
    }
}

/// Whether a refusal is about our account and not about the message (RFC 4954 §6): the operator
/// mends the settings and the message goes.
fn blames_account(error: &SmtpError) -> bool {
    error
        .status()
        .is_some_and(|code| matches!(u16::from(code), 530 | 534 | 535 | 538))
}

/// The error with its causes, for the operator; the recipient's address is masked in it.
fn reason(error: &SmtpError, to: &EmailAddress) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    let text = mask(&text, to);
    text.chars().take(REPLY_CHARS_MAX).collect()
}

fn mask(text: &str, to: &EmailAddress) -> String {
    // Both are compared in ASCII lower case, which keeps every byte position.
    let (hay, needle) = (text.to_ascii_lowercase(), to.as_str());
    let mut masked = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in hay.match_indices(needle) {
        masked.push_str(text.get(from..at).unwrap_or(""));
        masked.push_str(&to.masked());
        from = at + needle.len();
    }
    masked.push_str(text.get(from..).unwrap_or(""));
    masked
}

#[cfg(test)]
mod tests {
    use simurgh_vocab::Timestamp;

    use super::*;

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(0)
        }
    }

    fn refused(settings: SmtpSettings) -> Vec<&'static str> {
        let faults = Smtp::new(settings, Arc::new(Noon)).unwrap_err();
        faults.into_iter().map(|fault| fault.setting).collect()
    }

    #[test]
    fn every_setting_that_cannot_work_is_named_at_once() {
        let mut settings = SmtpSettings::new("mail.example.com", "nobody");
        settings.tls = SmtpTls::Plain;
        settings.connections_max = 0;
        assert_eq!(refused(settings), ["from", "tls", "connections_max"]);
        for file in ["does/not/exist.pem", "Cargo.toml"] {
            let mut settings = SmtpSettings::new("mail.example.com", "a <a@example.com>");
            settings.extra_ca_file = Some(file.into());
            assert_eq!(refused(settings), ["extra_ca_file"], "{file}");
        }
    }

    #[test]
    fn passwords_stay_out_of_debug() {
        let mut settings = SmtpSettings::new("mail.example.com", "a@example.com");
        settings.login = Some(SmtpLogin {
            user: "u".to_owned(),
            password: Secret::new("hunter2"),
        });
        assert!(!format!("{settings:?}").contains("hunter2"));
        let smtp = Smtp::new(settings, Arc::new(Noon)).unwrap();
        assert!(!format!("{smtp:?}").contains("hunter2"));
    }

    #[test]
    fn replies_lose_the_address() {
        let to: EmailAddress = "wei@example.com".parse().unwrap();
        assert_eq!(
            mask("550 <Wei@Example.com> unknown, wei@example.com", &to),
            "550 <w•••@example.com> unknown, w•••@example.com"
        );
    }
}
