//! The commands of the book as its journal has them.

use serde::{Deserialize, Serialize};
use simurgh_vocab::Timestamp;

use super::book::{Command, DeliveryId, Refusal, SandboxBook, Tokens};
use super::outcome::{Behaviour, Outcome, RefundBehaviour};
use super::wire::{self, ChargeBody, OpenBody, RefundBody};
use crate::sandbox::desk::{Book, Change};
use crate::sandbox::queue::Delivery;
use crate::sandbox::wire::Unreadable;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CommandBody {
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

impl Book for SandboxBook {
    type Command = Command;
    type Refusal = Refusal;
    type Letter = DeliveryId;
    type Written = CommandBody;

    fn advance(&mut self, now: Timestamp) {
        Self::advance(self, now);
    }

    fn apply(&mut self, command: &Command, now: Timestamp) -> Result<Change, Refusal> {
        Self::apply(self, command, now)
    }

    fn written(command: &Command) -> CommandBody {
        CommandBody::new(command)
    }

    fn read(written: CommandBody) -> Result<Command, Unreadable> {
        written.read()
    }

    fn due(&self, now: Timestamp, limit: usize) -> Vec<Delivery<DeliveryId>> {
        Self::due(self, now, limit)
    }

    fn postpone(&mut self, letter: DeliveryId, due_at: Timestamp) {
        Self::postpone(self, letter, due_at);
    }

    fn next_due(&self) -> Option<Timestamp> {
        Self::next_due(self)
    }

    fn taken(letter: DeliveryId) -> Command {
        Command::Taken(letter)
    }
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
