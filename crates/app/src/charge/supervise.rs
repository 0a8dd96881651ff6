//! Sessions that nobody hears of any more, and those that ended long ago.

use simurgh_charging::{Decision, LineBook, Session, SessionStanding, give_up};
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
        let count = self.give_up_in(tx, &silent, |session| session.due_at <= now)?;
        Ok(count + tx.forget_sessions(now, PORTION)?)
    }

    /// Gives up the live sessions of a client that were opened before `before`: it restarted and does not
    /// know them any more. How many there were.
    ///
    /// Source: `RFC 6733 §8.16`
    ///
    /// # Errors
    /// [`Fault`]; the sessions of the portions before are given up.
    pub async fn give_up_sessions_of(
        &self,
        client: String,
        realm: String,
        before: Timestamp,
    ) -> Result<u64, Fault> {
        let is_lost = move |session: &Session| {
            session.client.eq_ignore_ascii_case(&client)
                && session.realm.eq_ignore_ascii_case(&realm)
                && session.opened_at < before
        };
        let (mut after, mut count) = (String::new(), 0);
        loop {
            let from = after.clone();
            let portion = self.store.snapshot(move |tx| {
                let portion: Result<_, Fault> = Ok(tx.sessions_after(&from, PORTION)?);
                portion
            });
            let portion = portion.await?;
            let Some((last, _)) = portion.last() else {
                return Ok(count);
            };
            after.clone_from(last);
            let live = portion
                .into_iter()
                .filter(|(_, it)| it.standing == SessionStanding::Live);
            let lost = live.filter(|(_, it)| is_lost(it));
            let lost: Vec<_> = lost.map(|(id, it)| (id, it.line)).collect();
            if lost.is_empty() {
                continue;
            }
            let (app, is_lost) = (self.clone(), is_lost.clone());
            let given_up = self
                .store
                .transact(move |tx| app.give_up_in(tx, &lost, &is_lost));
            count += given_up.await?;
        }
    }

    /// Gives up those of the named sessions that are live and `has_to_end` says it of; how many.
    fn give_up_in(
        &self,
        tx: &mut dyn Tx,
        named: &[(String, LineId)],
        has_to_end: impl Fn(&Session) -> bool,
    ) -> Result<u64, Fault> {
        let now = self.now();
        let lines: Vec<LineId> = named.iter().map(|(_, line)| *line).collect();
        let mut lines = tx.charge_lines(&lines)?;
        let mut changes = ChargeChanges::default();
        for (id, line) in named {
            let Some(at) = lines.get_mut(line) else {
                continue;
            };
            // Read again: the line is locked now, and the session may have been heard of.
            let known = tx.live_sessions(*line)?.into_iter();
            let Some((_, session)) = known.into_iter().find(|(known, _)| known == id) else {
                continue;
            };
            if !has_to_end(&session) {
                continue;
            }
            let given_up = give_up(&mut at.book, &session, &self.charging().tariff, now)?;
            self.keep_given_up(&mut changes, &at.book, (id, given_up), now);
        }
        let count = changes.sessions.len() as u64;
        tx.save_charges(changes)?;
        Ok(count)
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
