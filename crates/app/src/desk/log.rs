//! The log of what staff did: entries are added, never changed, and each holds a digest over the
//! one before, so that a change behind the program's back breaks the chain from there on.
//!
//! The chain alone cannot show that its newest entries were cut off: whoever audits writes the
//! [`LogHead`] down and compares it later.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use simurgh_vocab::{StaffId, Timestamp};

use crate::ports::{
    Digest, StaffAction, StaffLogEntry, StaffLogFilter, StaffSubject, StoreExt, StoreFault, Tx,
};
use crate::{App, Fault};

/// What the first entry's digest is made over.
const BEGINNING: Digest = [0; 32];
/// Entries read at once when the chain is checked.
const CHUNK: u32 = 1_000;
/// The most characters kept of a detail.
const DETAIL_CHARS_MAX: usize = 300;

/// Something a member of staff does.
#[derive(Debug, Clone)]
pub(crate) struct Deed {
    pub(crate) staff: Option<StaffId>,
    pub(crate) action: StaffAction,
    pub(crate) subject: StaffSubject,
    pub(crate) detail: String,
}

impl Deed {
    /// Something `staff` does.
    pub(crate) const fn of(staff: StaffId, action: StaffAction, subject: StaffSubject) -> Self {
        Self {
            staff: Some(staff),
            action,
            subject,
            detail: String::new(),
        }
    }

    /// With a few words on why or how; never personal data of a customer.
    pub(crate) fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }
}

/// The newest entry: what an auditor writes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogHead {
    /// Its position; zero when there is no entry.
    pub position: u64,
    /// Its digest.
    pub digest: Digest,
}

impl fmt::Display for LogHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.position)?;
        self.digest
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What checking the chain found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaffLogCheck {
    /// Every entry follows from the one before.
    Sound(LogHead),
    /// An entry was changed, or one before it was removed.
    Broken {
        /// The first position at which the chain does not hold.
        position: u64,
    },
}

/// A part of the log and who the people in it are.
#[derive(Debug, Clone)]
pub struct StaffLogPage {
    /// The entries, newest first.
    pub entries: Vec<StaffLogEntry>,
    /// Every member of staff: id and name.
    pub names: Vec<(StaffId, String)>,
}

impl App {
    /// Adds to the log in this transaction.
    pub(crate) fn log_deed(
        &self,
        tx: &mut dyn Tx,
        deed: Deed,
        now: Timestamp,
    ) -> Result<(), StoreFault> {
        let newest = tx.newest_staff_log_entry()?;
        let (position, before) =
            newest.map_or((0, BEGINNING), |entry| (entry.position, entry.digest));
        let mut entry = StaffLogEntry {
            position: position.saturating_add(1),
            at: now,
            staff: deed.staff,
            action: deed.action,
            subject: deed.subject,
            detail: kept(&deed.detail),
            digest: BEGINNING,
        };
        entry.digest = chained(&before, &entry);
        tx.append_staff_log(&entry)
    }

    /// The log as `staff` wants to see it; looking is recorded as well.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn staff_log(
        &self,
        staff: StaffId,
        filter: StaffLogFilter,
    ) -> Result<StaffLogPage, Fault> {
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| -> Result<_, Fault> {
                let subject = StaffSubject::Nothing;
                app.log_deed(tx, Deed::of(staff, StaffAction::LogViewed, subject), now)?;
                Ok(StaffLogPage {
                    entries: tx.staff_log(&filter)?,
                    names: tx.staff_names()?,
                })
            })
            .await
    }

    /// Checks the whole chain.
    ///
    /// # Errors
    /// [`Fault`] of the store.
    pub async fn verify_staff_log(&self) -> Result<StaffLogCheck, Fault> {
        let mut head = LogHead {
            position: 0,
            digest: BEGINNING,
        };
        loop {
            let after = head.position;
            let entries = self
                .store
                .snapshot(move |tx| -> Result<_, Fault> { Ok(tx.staff_log_after(after, CHUNK)?) })
                .await?;
            if entries.is_empty() {
                return Ok(StaffLogCheck::Sound(head));
            }
            for entry in &entries {
                let position = head.position.saturating_add(1);
                if entry.position != position || entry.digest != chained(&head.digest, entry) {
                    return Ok(StaffLogCheck::Broken { position });
                }
                head = LogHead {
                    position,
                    digest: entry.digest,
                };
            }
        }
    }
}

/// The SHA-256 over the digest before and the entry, each field behind its length: two entries
/// never give the same octets.
fn chained(before: &Digest, entry: &StaffLogEntry) -> Digest {
    let (position, at) = (
        entry.position.to_be_bytes(),
        entry.at.as_micros().to_be_bytes(),
    );
    let staff = entry.staff.as_ref().map_or(&[][..], |id| id.as_bytes());
    let number = entry.subject.number();
    let fields: [&[u8]; 8] = [
        before,
        &position,
        &at,
        staff,
        entry.action.code().as_bytes(),
        entry.subject.kind().as_bytes(),
        number.as_bytes(),
        entry.detail.as_bytes(),
    ];
    let mut octets = Vec::new();
    for field in fields {
        let length = u64::try_from(field.len()).unwrap_or(u64::MAX);
        octets.extend_from_slice(&length.to_be_bytes());
        octets.extend_from_slice(field);
    }
    let mut result = BEGINNING;
    let made = digest(&SHA256, &octets);
    result
        .iter_mut()
        .zip(made.as_ref())
        .for_each(|(to, from)| *to = *from);
    result
}

/// A detail as it is kept: one line of limited length.
fn kept(detail: &str) -> String {
    detail
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(DETAIL_CHARS_MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> StaffLogEntry {
        StaffLogEntry {
            position: 1,
            at: Timestamp::from_micros(7),
            staff: None,
            action: StaffAction::JobRetried,
            subject: StaffSubject::Nothing,
            detail: "why".to_owned(),
            digest: BEGINNING,
        }
    }

    #[test]
    fn every_field_counts_and_none_runs_into_the_next() {
        let staff = StaffId::from_parts(1, &[1; 10]);
        let sound = chained(&BEGINNING, &entry());
        let changed = [
            StaffLogEntry {
                position: 2,
                ..entry()
            },
            StaffLogEntry {
                at: Timestamp::from_micros(8),
                ..entry()
            },
            StaffLogEntry {
                staff: Some(staff),
                ..entry()
            },
            StaffLogEntry {
                action: StaffAction::LogViewed,
                ..entry()
            },
            StaffLogEntry {
                subject: StaffSubject::Staff(staff),
                ..entry()
            },
            StaffLogEntry {
                detail: "why ".to_owned(),
                ..entry()
            },
        ];
        for other in changed {
            assert_ne!(chained(&BEGINNING, &other), sound, "{other:?}");
        }
        assert_ne!(chained(&[1; 32], &entry()), sound);
    }

    #[test]
    fn a_detail_is_one_line_of_limited_length() {
        assert_eq!(kept("a\nb\0c"), "a b c");
        assert_eq!(kept(&"长".repeat(400)).chars().count(), DETAIL_CHARS_MAX);
    }
}
