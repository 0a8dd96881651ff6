//! Sessions: begun, used, listed, ended.

use simurgh_subscriber::{
    EndReason, Person, Proof, RiskyAction, Session, SessionState, SessionTransition,
};
use simurgh_vocab::{CustomerId, SessionId, Timestamp};

use crate::ports::{AccountEventKind, StoreExt, Tx};
use crate::subscriber::{Origin, SessionToken, refusals};
use crate::{App, Fault};

/// A session that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// What its bearer shows: for a cookie, and nowhere else.
    pub token: SessionToken,
    /// Its id.
    pub session: SessionId,
    /// Who is signed in.
    pub customer: CustomerId,
}

/// A session that is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// The session.
    pub session: Session,
    /// Who is signed in.
    pub person: Person,
}

/// Why something risky is not done. Precedence as listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RiskyRefusal {
    /// The session is over.
    #[error("please log in")]
    LoggedOut,
    /// Its holder must prove again who they are: [`App::re_authenticate`].
    #[error("please confirm that it is you")]
    NotFresh,
    /// The store or the program failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusals!(RiskyRefusal);

/// The most sessions a customer has open: the one that was not used for longest makes room.
const OPEN_MAX: usize = 20;

impl App {
    /// The session of a token, if it can be used. Called for every request of a signed-in
    /// browser: a read, and now and then a write that keeps the session alive.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn resume(&self, token: &SessionToken) -> Result<Option<Resumed>, Fault> {
        let digest = token.digest(self);
        let rules = self.rules().sessions;
        let now = self.now();
        let resumed = self
            .store
            .snapshot(move |tx| -> Result<Option<Resumed>, Fault> {
                let session = tx.session_with(&digest)?;
                let Some(session) = session.filter(|session| session.open(&rules, now).is_ok())
                else {
                    return Ok(None);
                };
                let person = tx.active_person(session.customer)?;
                Ok(person.map(|person| Resumed { session, person }))
            })
            .await?;
        if let Some(resumed) = &resumed
            && resumed.session.touch_due(&rules, now)
        {
            self.touch(resumed.session.id, now).await?;
        }
        Ok(resumed)
    }

    async fn touch(&self, id: SessionId, now: Timestamp) -> Result<(), Fault> {
        let rules = self.rules().sessions;
        self.store
            .transact(move |tx| -> Result<(), Fault> {
                let session = tx.session(id)?;
                let open = session.filter(|session| session.open(&rules, now).is_ok());
                if let Some(mut session) = open {
                    session.seen_at = now;
                    tx.update_session(&session)?;
                }
                Ok(())
            })
            .await
    }

    /// Ends the session of a token.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn log_out(&self, token: &SessionToken) -> Result<(), Fault> {
        let digest = token.digest(self);
        let now = self.now();
        self.store
            .transact(move |tx| -> Result<(), Fault> {
                if let Some(session) = tx.session_with(&digest)? {
                    tx.update_session(&session.end(EndReason::LoggedOut, now))?;
                }
                Ok(())
            })
            .await
    }

    /// A customer's sessions that can be used, last used first.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn sessions(&self, customer: CustomerId) -> Result<Vec<Session>, Fault> {
        let rules = self.rules().sessions;
        let now = self.now();
        self.store
            .snapshot(move |tx| -> Result<Vec<Session>, Fault> {
                let mut sessions = tx.open_sessions_of(customer)?;
                sessions.retain(|session| session.open(&rules, now).is_ok());
                Ok(sessions)
            })
            .await
    }

    /// Ends one of a customer's sessions. False if it is not theirs, or over.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn end_session(&self, customer: CustomerId, id: SessionId) -> Result<bool, Fault> {
        let now = self.now();
        self.store
            .transact(move |tx| -> Result<bool, Fault> {
                let session = tx.session(id)?;
                let own = session.filter(|session| session.customer == customer);
                match own.filter(|session| session.state == SessionState::Open) {
                    Some(session) => {
                        tx.update_session(&session.end(EndReason::EndedElsewhere, now))?;
                        Ok(true)
                    }
                    None => Ok(false),
                }
            })
            .await
    }

    /// Ends every session of a customer but the one that asks.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn end_other_sessions(
        &self,
        customer: CustomerId,
        own: SessionId,
    ) -> Result<(), Fault> {
        let app = self.clone();
        let now = self.now();
        self.store
            .transact(move |tx| {
                app.end_sessions(tx, customer, Some(own), EndReason::EndedElsewhere, now)
            })
            .await
    }

    /// Whether a session may do something risky now; else its holder is to be asked first.
    ///
    /// # Errors
    /// [`RiskyRefusal`].
    pub async fn may_do(
        &self,
        session: SessionId,
        action: RiskyAction,
    ) -> Result<(), RiskyRefusal> {
        let app = self.clone();
        let now = self.now();
        self.decide(move |tx| {
            app.require_fresh::<RiskyRefusal>(tx, session, action, now)
                .map(|_| ())
        })
        .await
    }

    /// The session, if it may do something risky now.
    pub(crate) fn require_fresh<R: From<RiskyRefusal>>(
        &self,
        tx: &mut dyn Tx,
        session: SessionId,
        action: RiskyAction,
        now: Timestamp,
    ) -> Result<Session, R> {
        let stored = tx.session(session).map_err(RiskyRefusal::from)?;
        let stored = stored.ok_or(RiskyRefusal::LoggedOut)?;
        match stored.may_do(action, &self.rules().sessions, now) {
            Ok(_) => Ok(stored),
            Err(SessionTransition::Over(_)) => Err(RiskyRefusal::LoggedOut.into()),
            Err(SessionTransition::NotFresh) => Err(RiskyRefusal::NotFresh.into()),
        }
    }

    /// Begins a session with a token of its own; the one the browser had before ends.
    pub(super) fn start_session(
        &self,
        tx: &mut dyn Tx,
        customer: CustomerId,
        proof: Proof,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<NewSession, Fault> {
        if let Some(previous) = &origin.previous
            && let Some(session) = tx.session_with(&previous.digest(self))?
        {
            tx.update_session(&session.end(EndReason::LoggedInAnew, now))?;
        }
        for surplus in tx
            .open_sessions_of(customer)?
            .into_iter()
            .skip(OPEN_MAX - 1)
        {
            tx.update_session(&surplus.end(EndReason::EndedElsewhere, now))?;
        }
        let token = SessionToken::make(self);
        let session = Session {
            id: self.make(SessionId::from_parts, now),
            customer,
            proof,
            begun_at: now,
            seen_at: now,
            proved_at: now,
            device: device_name(&origin.device),
            state: SessionState::Open,
        };
        tx.insert_session(&session, &token.digest(self))?;
        self.note(tx, customer, AccountEventKind::LoggedIn, now)?;
        Ok(NewSession {
            token,
            session: session.id,
            customer,
        })
    }

    /// Ends a customer's sessions, but for one.
    pub(super) fn end_sessions(
        &self,
        tx: &mut dyn Tx,
        customer: CustomerId,
        except: Option<SessionId>,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let sessions = tx.open_sessions_of(customer)?;
        for session in sessions.into_iter().filter(|s| Some(s.id) != except) {
            tx.update_session(&session.end(reason, now))?;
        }
        Ok(())
    }
}

/// What a browser says of itself, cut to what a list shows.
fn device_name(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(Session::DEVICE_CHARS_MAX)
        .collect()
}
