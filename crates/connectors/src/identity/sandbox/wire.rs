//! The JSON both sides speak, its translation from and to the words of the port, and the journal's
//! lines. Unknown members are refused.

use serde::{Deserialize, Serialize};
use simurgh_app::ports::{IdentityReport, IdentityStart};
use simurgh_subscriber::IdentityRefusal;
use simurgh_vocab::{CaseId, Timestamp};

use super::book::{Command, IdentityBook, LetterId, Refusal, Tokens};
use super::outcome::Outcome;
use crate::sandbox::desk::{Book, Change};
use crate::sandbox::queue::Delivery;
use crate::sandbox::settings::is_name;
pub(super) use crate::sandbox::wire::{Unreadable, read, write};

/// `POST /v1/checks`
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StartBody {
    case: String,
    attempt_at: i64,
    rule: String,
    return_url: String,
    locale: String,
}

/// The answer to it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StartedBody {
    pub(super) reference: String,
    pub(super) redirect_url: String,
}

/// What is said of a check: the answer to a query, and the content of a notification.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckBody {
    account: String,
    reference: String,
    status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
}

/// A notification.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NotificationBody {
    pub(super) event_id: String,
    pub(super) check: CheckBody,
}

impl StartBody {
    pub(super) fn new(request: &IdentityStart) -> Self {
        Self {
            case: request.case.number(),
            attempt_at: request.attempt_at.as_micros(),
            rule: request.rule.clone(),
            return_url: request.return_url.clone(),
            locale: request.locale.tag().to_owned(),
        }
    }

    pub(super) fn read(self) -> Result<IdentityStart, Unreadable> {
        Ok(IdentityStart {
            case: CaseId::from_number(&self.case).ok_or("the case's number cannot be read")?,
            attempt_at: Timestamp::from_micros(self.attempt_at),
            rule: self.rule,
            return_url: self.return_url,
            locale: self.locale.parse().map_err(|_| "unknown locale")?,
        })
    }
}

impl CheckBody {
    /// What is said to `account`.
    pub(super) fn new(report: &IdentityReport, account: &str) -> Self {
        let (status, refusal) = match report.verdict {
            None => ("pending", None),
            Some(Ok(())) => ("approved", None),
            Some(Err(refusal)) => ("refused", Some(refusal.code())),
        };
        Self {
            account: account.to_owned(),
            reference: report.reference.clone(),
            status: status.to_owned(),
            refusal: refusal.map(str::to_owned),
        }
    }

    /// Reads it as what is said to `account`.
    pub(super) fn read(self, account: &str) -> Result<IdentityReport, Unreadable> {
        if self.account != account {
            return Err("it is said to somebody else");
        }
        if !is_name(&self.reference) {
            return Err("the reference cannot be one");
        }
        let verdict = match (self.status.as_str(), self.refusal.as_deref()) {
            ("pending", None) => None,
            ("approved", None) => Some(Ok(())),
            ("refused", Some(code)) => {
                let refusal = IdentityRefusal::from_code(code);
                Some(Err(refusal.ok_or("unknown refusal")?))
            }
            _ => return Err("unknown status"),
        };
        Ok(IdentityReport {
            reference: self.reference,
            verdict,
        })
    }
}

/// Reads a signed notification, strictly.
pub(super) fn parse(body: &[u8], account: &str) -> Result<IdentityReport, Unreadable> {
    let notification: NotificationBody = read(body)?;
    if !is_name(&notification.event_id) {
        return Err("the event's id cannot be one");
    }
    notification.check.read(account)
}

/// Writes what [`parse`] reads.
pub(super) fn body(event_id: &str, report: &IdentityReport, account: &str) -> Vec<u8> {
    write(&NotificationBody {
        event_id: event_id.to_owned(),
        check: CheckBody::new(report, account),
    })
}

/// A letter as it leaves, with the id of its event.
pub(super) fn letter(
    book: &IdentityBook,
    id: LetterId,
    account: &str,
) -> Option<(String, Vec<u8>)> {
    let (event_id, report) = book.letter(id)?;
    let body = body(&event_id, &report, account);
    Some((event_id, body))
}

/// A command as the journal has it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CommandBody {
    Start {
        request: StartBody,
        reference: String,
        page: String,
    },
    Decide {
        reference: String,
        outcome: String,
    },
    SendAgain {
        reference: String,
    },
    Taken {
        check: usize,
        notice: usize,
        copy: u32,
    },
}

impl Book for IdentityBook {
    type Command = Command;
    type Refusal = Refusal;
    type Letter = LetterId;
    type Written = CommandBody;

    fn advance(&mut self, now: Timestamp) {
        self.pass(now);
    }

    fn apply(&mut self, command: &Command, now: Timestamp) -> Result<Change, Refusal> {
        self.change(command, now)
    }

    fn written(command: &Command) -> CommandBody {
        match command {
            Command::Start { request, tokens } => CommandBody::Start {
                request: StartBody::new(request),
                reference: tokens.reference.clone(),
                page: tokens.page.clone(),
            },
            Command::Decide { reference, outcome } => CommandBody::Decide {
                reference: reference.clone(),
                outcome: outcome.code().to_owned(),
            },
            Command::SendAgain { reference } => CommandBody::SendAgain {
                reference: reference.clone(),
            },
            Command::Taken(letter) => CommandBody::Taken {
                check: letter.check,
                notice: letter.notice,
                copy: letter.copy,
            },
        }
    }

    fn read(written: CommandBody) -> Result<Command, Unreadable> {
        Ok(match written {
            CommandBody::Start {
                request,
                reference,
                page,
            } => Command::Start {
                request: request.read()?,
                tokens: Tokens { reference, page },
            },
            CommandBody::Decide { reference, outcome } => Command::Decide {
                reference,
                outcome: Outcome::from_code(&outcome).ok_or("unknown outcome")?,
            },
            CommandBody::SendAgain { reference } => Command::SendAgain { reference },
            CommandBody::Taken {
                check,
                notice,
                copy,
            } => Command::Taken(LetterId {
                check,
                notice,
                copy,
            }),
        })
    }

    fn due(&self, now: Timestamp, limit: usize) -> Vec<Delivery<LetterId>> {
        Self::due(self, now, limit)
    }

    fn postpone(&mut self, letter: LetterId, due_at: Timestamp) {
        Self::postpone(self, letter, due_at);
    }

    fn next_due(&self) -> Option<Timestamp> {
        Self::next_due(self)
    }

    fn taken(letter: LetterId) -> Command {
        Command::Taken(letter)
    }
}
