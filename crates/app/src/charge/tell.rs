//! What live sessions are told when the balance or the state of their line changes.

use simurgh_charging::give_up;
use simurgh_vocab::{LineId, Timestamp};

use crate::ports::{
    ChargeChanges, ClientAnswer, LineState, Reauthorizer, SessionAddress, StoreExt, Task, Tx,
};
use crate::{App, Fault};

impl App {
    /// Has the clients of a line's live sessions told that it changed, once this transaction is committed.
    pub(crate) fn tell_sessions(
        &self,
        tx: &mut dyn Tx,
        line: LineId,
        now: Timestamp,
    ) -> Result<(), Fault> {
        if self.charging().reauthorizer.is_none() || tx.live_sessions(line)?.is_empty() {
            return Ok(());
        }
        let key = format!("reauthorize:{line}:{}", now.as_micros());
        Ok(self.enqueue(tx, Task::TellSessions(line), key, now)?)
    }

    /// Tells the clients of a line's live sessions to report and to ask anew, or, when the line is out of
    /// service, to end them. A session that its client does not know any more is given up. False when a
    /// client could not be reached.
    ///
    /// Source: `RFC 8506 §5.5` (re-authorisation), `RFC 6733 §8.5` (aborting a session)
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn reach_sessions(&self, line: LineId) -> Result<bool, Fault> {
        let Some(network) = self.charging().reauthorizer.clone() else {
            return Ok(true);
        };
        let (sessions, in_service) = self
            .store
            .snapshot(move |tx| -> Result<_, Fault> {
                let in_service = tx.line(line)?.is_some_and(|line| match line.state {
                    LineState::Active | LineState::Grace { .. } => true,
                    LineState::Suspended { .. } | LineState::Closed { .. } => false,
                });
                Ok((tx.live_sessions(line)?, in_service))
            })
            .await?;
        let mut all_reached = true;
        for (id, session) in sessions {
            let address = SessionAddress {
                session: id.clone(),
                client: session.client.to_string(),
                realm: session.realm.to_string(),
            };
            let asked = ask(network.as_ref(), &address, in_service).await;
            match asked {
                Ok(ClientAnswer::Taken | ClientAnswer::Refused) => {}
                Ok(ClientAnswer::UnknownSession) => self.give_up_session(line, id).await?,
                Err(error) => {
                    tracing::warn!(%error, "a live session was not told of a change");
                    all_reached = false;
                }
            }
        }
        Ok(all_reached)
    }

    async fn give_up_session(&self, line: LineId, id: String) -> Result<(), Fault> {
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| {
                let Some(mut at) = tx.charge_lines(&[line])?.remove(&line) else {
                    return Ok(());
                };
                let live = tx.live_sessions(line)?;
                let Some((_, session)) = live.into_iter().find(|(known, _)| *known == id) else {
                    return Ok(());
                };
                let given_up = give_up(&mut at.book, &session, &app.charging().tariff, now)?;
                let mut changes = ChargeChanges::default();
                app.keep_given_up(&mut changes, &at.book, (&id, given_up), now);
                Ok(tx.save_charges(changes)?)
            })
            .await
    }
}

async fn ask(
    network: &dyn Reauthorizer,
    session: &SessionAddress,
    in_service: bool,
) -> Result<ClientAnswer, crate::ports::Unreachable> {
    if in_service {
        network.reauthorize(session).await
    } else {
        network.abort(session).await
    }
}
