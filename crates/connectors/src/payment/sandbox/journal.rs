//! The book on disk: one command per line, as JSON, each written through before it is answered.
//!
//! Reading the commands again, each at its own time, rebuilds the book.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use simurgh_vocab::Timestamp;

use super::book::{Command, DeliveryId, SandboxBook, Tokens};
use super::outcome::{Behaviour, Outcome, RefundBehaviour};
use super::wire::{self, ChargeBody, OpenBody, RefundBody, Unreadable};

/// The open journal.
pub(super) struct Journal {
    file: File,
}

#[derive(Serialize, Deserialize)]
struct Line {
    at: i64,
    command: CommandBody,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CommandBody {
    Open {
        request: OpenBody,
        page: String,
        mandate: String,
    },
    Charge(ChargeBody),
    Refund(RefundBody),
    Decide {
        number: String,
        outcome: String,
    },
    Behave {
        number: String,
        behaviour: String,
    },
    BehaveRefunds {
        number: String,
        behaviour: String,
    },
    SendAgain {
        number: String,
    },
    Taken {
        number: String,
        notice: usize,
        copy: u32,
    },
}

impl Journal {
    /// Opens the journal, makes it if there is none, and rebuilds the book. A last line without
    /// its end was never answered, and is cut off.
    pub(super) fn open(path: &Path) -> io::Result<(Self, SandboxBook)> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let whole = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        if whole < text.len() {
            text.truncate(whole);
            file.set_len(u64::try_from(whole).map_err(io::Error::other)?)?;
            file.sync_all()?;
        }
        file.seek(SeekFrom::End(0))?;
        let book = replay(&text)?;
        Ok((Self { file }, book))
    }

    /// Writes a command through to the disk.
    pub(super) fn append(&mut self, command: &Command, at: Timestamp) -> io::Result<()> {
        let mut line = wire::write(&Line {
            at: at.as_micros(),
            command: CommandBody::new(command),
        });
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.sync_data()
    }
}

fn replay(text: &[u8]) -> io::Result<SandboxBook> {
    let mut book = SandboxBook::new();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        let bad = |reason: &str| {
            let message = format!("line {}: {reason}", index + 1);
            io::Error::new(io::ErrorKind::InvalidData, message)
        };
        let line: Line = wire::read(line).map_err(bad)?;
        let command = line.command.read().map_err(bad)?;
        book.apply(&command, Timestamp::from_micros(line.at))
            .map_err(|refusal| bad(&refusal.to_string()))?;
    }
    Ok(book)
}

impl CommandBody {
    fn new(command: &Command) -> Self {
        match command {
            Command::Open { request, tokens } => Self::Open {
                request: OpenBody::new(request),
                page: tokens.page.clone(),
                mandate: tokens.mandate.clone(),
            },
            Command::Charge(request) => Self::Charge(ChargeBody::new(request)),
            Command::Refund(request) => Self::Refund(RefundBody::new(request)),
            Command::Decide { payment, outcome } => Self::Decide {
                number: payment.number(),
                outcome: outcome.code().to_owned(),
            },
            Command::Behave { payment, behaviour } => Self::Behave {
                number: payment.number(),
                behaviour: behaviour.code().to_owned(),
            },
            Command::BehaveRefunds { payment, behaviour } => Self::BehaveRefunds {
                number: payment.number(),
                behaviour: behaviour.code().to_owned(),
            },
            Command::SendAgain(payment) => Self::SendAgain {
                number: payment.number(),
            },
            Command::Taken(delivery) => Self::Taken {
                number: delivery.payment.number(),
                notice: delivery.notice,
                copy: delivery.copy,
            },
        }
    }

    fn read(self) -> Result<Command, Unreadable> {
        Ok(match self {
            Self::Open {
                request,
                page,
                mandate,
            } => Command::Open {
                request: request.read()?,
                tokens: Tokens { page, mandate },
            },
            Self::Charge(request) => Command::Charge(request.read()?),
            Self::Refund(request) => Command::Refund(request.read()?),
            Self::Decide { number, outcome } => Command::Decide {
                payment: wire::payment_id(&number)?,
                outcome: Outcome::from_code(&outcome).ok_or("unknown outcome")?,
            },
            Self::Behave { number, behaviour } => Command::Behave {
                payment: wire::payment_id(&number)?,
                behaviour: Behaviour::from_code(&behaviour).ok_or("unknown behaviour")?,
            },
            Self::BehaveRefunds { number, behaviour } => Command::BehaveRefunds {
                payment: wire::payment_id(&number)?,
                behaviour: RefundBehaviour::from_code(&behaviour).ok_or("unknown behaviour")?,
            },
            Self::SendAgain { number } => Command::SendAgain(wire::payment_id(&number)?),
            Self::Taken {
                number,
                notice,
                copy,
            } => Command::Taken(DeliveryId {
                payment: wire::payment_id(&number)?,
                notice,
                copy,
            }),
        })
    }
}
