//! Sessions that nobody hears of any more, and those that ended long ago.

use simurgh_charging::{Decision, LineBook, give_up};
use simurgh_vocab::{LineId, RecordId, Timestamp};

use crate::ports::{ChargeChanges, StoreExt, Tx};
use crate::{App, Fault};

/// How many sessions one transaction looks after.
const PORTION: u32 = 256;

impl App {
    /// Gives up the live sessions whose time to be heard of is over, and forgets those that ended long
    /// ago; how many there were of both. Run it every few seconds.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn supervise_sessions(&self) -> Result<u64, Fault> {
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| app.supervise_in(tx, now))
            .await
    }

    fn supervise_in(&self, tx: &mut dyn Tx, now: Timestamp) -> Result<u64, Fault> {
        let silent = tx.silent_sessions(now, PORTION)?;
        let lines: Vec<LineId> = silent.iter().map(|(_, line)| *line).collect();
        let mut lines = tx.charge_lines(&lines)?;
        let mut changes = ChargeChanges::default();
        for (id, line) in &silent {
            let Some(at) = lines.get_mut(line) else {
                continue;
            };
            // Read again: the line is locked now, and the session may have been heard of.
            let known = tx.live_sessions(*line)?.into_iter();
            let Some((_, session)) = known.into_iter().find(|(known, _)| known == id) else {
                continue;
            };
            if session.due_at > now {
                continue;
            }
            let given_up = give_up(&mut at.book, &session, &self.charging().tariff, now)?;
            self.keep_given_up(&mut changes, &at.book, (id, given_up), now);
        }
        let count = changes.sessions.len() as u64;
        tx.save_charges(changes)?;
        Ok(count + tx.forget_sessions(now, PORTION)?)
    }
}

impl App {
    /// Notes what giving up a session of a line changes.
    pub(super) fn keep_given_up(
        &self,
        changes: &mut ChargeChanges,
        book: &LineBook,
        (id, given_up): (&str, Decision),
        now: Timestamp,
    ) {
        changes.note_moves(book, &given_up.moves);
        if let Some(record) = given_up.record {
            let id = self.make(RecordId::from_parts, now);
            changes.records.push((id, record));
        }
        changes.sessions.insert(id.into(), given_up.session);
    }
}
