//! One-time codes: sent, and answered.

use simurgh_subscriber::{
    AnswerRefusal, Answered, Challenge, ChallengeState, Channel, Contact, IssueDecision,
    IssueScope, Network, Purpose, may_issue,
};
use simurgh_vocab::{ChallengeId, CustomerId, Locale, TimeZoneName, Timestamp};

use crate::crypto;
use crate::message::{Draft, Template};
use crate::ports::{Digest, Recipient, StoreFault, Tx};
use crate::subscriber::{Origin, refusals};
use crate::{App, Fault};

/// A code is under way, or seems to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeSent {
    /// What the answer must name.
    pub challenge: ChallengeId,
    /// The way it goes.
    pub channel: Channel,
    /// Where it goes, with the middle hidden.
    pub to: String,
    /// Until when it can be answered.
    pub expires_at: Timestamp,
    /// When another one can be asked for.
    pub again_at: Timestamp,
}

/// Why no code is sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendCodeRefusal {
    /// Too many were sent.
    #[error("too many codes were sent; the next one can be sent at {retry_at}")]
    TooOften {
        /// When the next one can be sent.
        retry_at: Timestamp,
        /// Whose limit was reached.
        scope: IssueScope,
    },
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Why a code is not taken. Precedence as listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeRefusal {
    /// No such code was asked for here: for another purpose, by somebody else, or so long ago
    /// that it is forgotten.
    #[error("no such code was asked for")]
    Unknown,
    /// It was used before.
    #[error("this code was used already")]
    Used,
    /// A newer one was sent: that one is good.
    #[error("a newer code was sent")]
    Replaced,
    /// Too many wrong ones were typed.
    #[error("too many wrong codes were typed")]
    NoTriesLeft,
    /// Its time is over.
    #[error("the code has expired")]
    Expired,
    /// It is wrong.
    #[error("the code is wrong; {tries_left} tries are left")]
    Wrong {
        /// How many more can be typed.
        tries_left: u32,
    },
}

refusals!(SendCodeRefusal);

impl From<AnswerRefusal> for CodeRefusal {
    fn from(refusal: AnswerRefusal) -> Self {
        match refusal {
            AnswerRefusal::Consumed => Self::Used,
            AnswerRefusal::Replaced => Self::Replaced,
            AnswerRefusal::NoTriesLeft => Self::NoTriesLeft,
            AnswerRefusal::Expired => Self::Expired,
        }
    }
}

/// A code to be sent.
pub(super) struct CodeOrder {
    pub(super) purpose: Purpose,
    pub(super) to: Contact,
    /// Who gets it. For nobody everything happens but the message.
    pub(super) reader: Option<CodeReader>,
}

/// Whoever gets a code.
pub(super) struct CodeReader {
    pub(super) customer: CustomerId,
    pub(super) locale: Locale,
    pub(super) time_zone: TimeZoneName,
}

impl App {
    /// Sends a code within the limits; those before it for the same purpose and address end.
    pub(super) fn issue_code(
        &self,
        tx: &mut dyn Tx,
        order: CodeOrder,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<CodeSent, SendCodeRefusal> {
        let limits = &self.rules().codes;
        self.hold_limits(tx, &order.to, origin.network)?;
        let mut to_address = tx.issued_to(&order.to, limits.address_history())?;
        let from_network = tx.issued_from(origin.network, limits.network_history())?;
        if let IssueDecision::RetryAt { at, scope } =
            may_issue(limits, &to_address, &from_network, now)
        {
            let retry_at = at;
            return Err(SendCodeRefusal::TooOften { retry_at, scope });
        }
        for live in tx.live_challenges(order.purpose, &order.to)? {
            tx.update_challenge(&live.replaced(now))?;
        }
        let code = self.random_code();
        let mut challenge = Challenge {
            id: self.make(ChallengeId::from_parts, now),
            purpose: order.purpose,
            to: order.to,
            customer: order.reader.as_ref().map(|reader| reader.customer),
            code_digest: [0; 32],
            issued_at: now,
            tries: 0,
            state: ChallengeState::Live,
        };
        challenge.code_digest = self.code_digest(&challenge, &code);
        tx.insert_challenge(&challenge, origin.network)?;
        if let Some(reader) = order.reader {
            self.queue_message(tx, code_message(&challenge, reader, code), now)?;
        }
        to_address.insert(0, now);
        let again_at = match may_issue(limits, &to_address, &[], now) {
            IssueDecision::Allowed => now,
            IssueDecision::RetryAt { at, .. } => at,
        };
        Ok(CodeSent {
            challenge: challenge.id,
            channel: challenge.to.channel(),
            to: challenge.to.masked(),
            expires_at: challenge.expires_at(),
            again_at,
        })
    }

    /// Takes the answer to a code for one purpose, and gives back the challenge and whose it was.
    pub(super) fn take_code<R: From<Fault> + From<CodeRefusal>>(
        &self,
        tx: &mut dyn Tx,
        (challenge, typed): (ChallengeId, &str),
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<(Challenge, CustomerId), R> {
        let stored = tx.challenge(challenge).map_err(Fault::from)?;
        let stored = stored.filter(|stored| stored.purpose == purpose);
        let stored = stored.ok_or(CodeRefusal::Unknown)?;
        let digest = self.code_digest(&stored, &plain_code(typed));
        match stored.answer(&digest, now) {
            Answered::Right {
                challenge,
                customer,
            } => {
                tx.update_challenge(&challenge).map_err(Fault::from)?;
                Ok((challenge, customer))
            }
            Answered::Wrong {
                challenge,
                tries_left,
            } => {
                tx.update_challenge(&challenge).map_err(Fault::from)?;
                Err(CodeRefusal::Wrong { tries_left }.into())
            }
            Answered::Refused(refusal) => Err(CodeRefusal::from(refusal).into()),
        }
    }

    /// Two requests at once are counted one after the other.
    fn hold_limits(&self, tx: &mut dyn Tx, to: &Contact, from: Network) -> Result<(), StoreFault> {
        let address = format!("codes to\n{}\n{}", to.channel().code(), to.as_str());
        for subject in [address, format!("codes from\n{from}")] {
            let purpose = crypto::Purpose::GuardDigest;
            tx.hold(&self.keyring.digest(purpose, subject.as_bytes()))?;
        }
        Ok(())
    }

    pub(crate) fn random_code(&self) -> String {
        let mut octets = [0; 8];
        self.entropy.fill(&mut octets);
        Challenge::code_from(u64::from_be_bytes(octets))
    }

    /// The digest binds a code to its challenge, purpose and address.
    fn code_digest(&self, challenge: &Challenge, code: &str) -> Digest {
        let bound = [
            challenge.id.as_bytes().as_slice(),
            challenge.purpose.code().as_bytes(),
            b"\n",
            challenge.to.as_str().as_bytes(),
            b"\n",
            code.as_bytes(),
        ];
        let purpose = crypto::Purpose::CodeDigest;
        self.keyring.digest(purpose, &bound.concat())
    }
}

/// The code stands in the message's arguments, sealed, until it is handed over or too old; then they
/// are emptied ([`Template::is_secret`]).
fn code_message(challenge: &Challenge, reader: CodeReader, code: String) -> Draft {
    let minutes = Challenge::LIFETIME.as_seconds_up() / 60;
    Draft {
        customer: Some(reader.customer),
        to: recipient(&challenge.to),
        template: Template::Code,
        locale: reader.locale,
        time_zone: reader.time_zone,
        arguments: vec![("code", code), ("minutes", minutes.to_string())],
        key: format!("code:{}", challenge.id),
    }
}

pub(super) fn recipient(contact: &Contact) -> Recipient {
    match contact {
        Contact::Phone(number) => Recipient::Sms(number.clone()),
        Contact::Email(address) => Recipient::Email(address.clone()),
    }
}

/// The digits of what somebody typed: full-width ones count, spaces and hyphens do not.
fn plain_code(typed: &str) -> String {
    typed
        .chars()
        .filter_map(|c| match c {
            '0'..='9' => Some(c),
            '０'..='９' => char::from_digit(u32::from(c).saturating_sub(u32::from('０')), 10),
            ' ' | '-' | '\u{a0}' | '\u{3000}' => None,
            // Keeps what is no code from becoming one.
            _ => Some('x'),
        })
        .take(CODE_CHARS_MAX)
        .collect()
}

/// More than a code has, so that what is too long does not become one.
const CODE_CHARS_MAX: usize = 12;
