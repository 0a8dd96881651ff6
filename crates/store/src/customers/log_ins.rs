//! Codes, counted failures, half-done log-ins and sessions.

use simurgh_app::ports::{Digest, LogIns, StoreFault};
use simurgh_subscriber::{
    Challenge, ChallengeState, Channel, Contact, EndReason, Failures, LoginStep, Network, Proof,
    Purpose, Session, SessionState, Stage,
};
use simurgh_vocab::{ChallengeId, CustomerId, SessionId, Timestamp};

use crate::db::Row;
use crate::params;
use crate::rows::{exactly_one, read_all, read_one};
use crate::tx::StoreTx;

const CHALLENGE: &str = "SELECT id, purpose, channel, address, customer_id, code_digest,
                                issued_at, tries, state, state_at
                         FROM challenge";

const SESSION: &str = "SELECT id, customer_id, proof, begun_at, seen_at, proved_at, device,
                              ended_at, end_reason
                       FROM session";

impl LogIns for StoreTx<'_> {
    fn insert_challenge(&mut self, challenge: &Challenge, from: Network) -> Result<(), StoreFault> {
        let sql = "INSERT INTO challenge (id, purpose, channel, address, customer_id, code_digest,
                                          network, issued_at, tries, state, state_at)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        self.execute(
            sql,
            &params![
                challenge.id,
                challenge.purpose.code(),
                challenge.to.channel().code(),
                challenge.to.as_str(),
                challenge.customer,
                challenge.code_digest,
                from.to_string(),
                challenge.issued_at,
                challenge.tries,
                challenge.state.code(),
                challenge.state.at()
            ],
        )?;
        Ok(())
    }

    fn update_challenge(&mut self, challenge: &Challenge) -> Result<(), StoreFault> {
        let sql = "UPDATE challenge SET tries = ?2, state = ?3, state_at = ?4 WHERE id = ?1";
        let Challenge {
            id, tries, state, ..
        } = challenge;
        let touched = self.execute(sql, &params![id, *tries, state.code(), state.at()])?;
        exactly_one(touched, "challenge")
    }

    fn challenge(&mut self, id: ChallengeId) -> Result<Option<Challenge>, StoreFault> {
        let sql = format!("{CHALLENGE} WHERE id = ?1");
        read_one(
            self.query_one_or_none_locked(&sql, &params![id])?,
            read_challenge,
        )
    }

    fn live_challenges(
        &mut self,
        purpose: Purpose,
        to: &Contact,
    ) -> Result<Vec<Challenge>, StoreFault> {
        let sql = format!(
            "{CHALLENGE} WHERE channel = ?1 AND address = ?2 AND purpose = ?3 AND state = 'live'
             ORDER BY issued_at, id"
        );
        let params = params![to.channel().code(), to.as_str(), purpose.code()];
        read_all(self.query_locked(&sql, &params)?, read_challenge)
    }

    fn issued_to(&mut self, to: &Contact, limit: u32) -> Result<Vec<Timestamp>, StoreFault> {
        let sql = "SELECT issued_at FROM challenge WHERE channel = ?1 AND address = ?2
                   ORDER BY issued_at DESC LIMIT ?3";
        let params = params![to.channel().code(), to.as_str(), limit];
        read_all(self.query(sql, &params)?, Row::timestamp)
    }

    fn issued_from(&mut self, from: Network, limit: u32) -> Result<Vec<Timestamp>, StoreFault> {
        let sql = "SELECT issued_at FROM challenge WHERE network = ?1
                   ORDER BY issued_at DESC LIMIT ?2";
        read_all(
            self.query(sql, &params![from.to_string(), limit])?,
            Row::timestamp,
        )
    }

    fn forget_before(&mut self, time: Timestamp, limit: u32) -> Result<u64, StoreFault> {
        let mut forgotten = 0;
        for sql in [
            "DELETE FROM challenge WHERE id IN
             (SELECT id FROM challenge WHERE issued_at < ?1 LIMIT ?2)",
            "DELETE FROM login_step WHERE id IN
             (SELECT id FROM login_step WHERE begun_at < ?1 LIMIT ?2)",
            "DELETE FROM login_failure WHERE guard_key IN
             (SELECT guard_key FROM login_failure WHERE last_at < ?1 LIMIT ?2)",
            "DELETE FROM session WHERE id IN
             (SELECT id FROM session WHERE ended_at < ?1 LIMIT ?2)",
        ] {
            forgotten += self.execute(sql, &params![time, limit])?;
        }
        Ok(forgotten)
    }

    fn forget_unused_sessions(&mut self, since: Timestamp, limit: u32) -> Result<u64, StoreFault> {
        let mut forgotten = 0;
        for sql in [
            "DELETE FROM session WHERE id IN
             (SELECT id FROM session WHERE seen_at < ?1 LIMIT ?2)",
            "DELETE FROM staff_session WHERE token_digest IN
             (SELECT token_digest FROM staff_session WHERE seen_at < ?1 LIMIT ?2)",
        ] {
            forgotten += self.execute(sql, &params![since, limit])?;
        }
        Ok(forgotten)
    }

    fn hold(&mut self, key: &Digest) -> Result<(), StoreFault> {
        // A row must exist to be locked. Without failures it counts none, and goes in time.
        let sql = "INSERT INTO login_failure (guard_key, failure_count, last_at)
                   VALUES (?1, 0, 0) ON CONFLICT (guard_key) DO NOTHING";
        self.execute(sql, &params![key])?;
        let sql = "SELECT guard_key FROM login_failure WHERE guard_key = ?1";
        self.query_locked(sql, &params![key])?;
        Ok(())
    }

    fn failures(&mut self, key: &Digest) -> Result<Option<Failures>, StoreFault> {
        self.hold(key)?;
        let sql = "SELECT failure_count, last_at FROM login_failure WHERE guard_key = ?1";
        let counted = read_one(self.query_one_or_none(sql, &params![key])?, |row| {
            Ok(Failures {
                count: row.number()?,
                last_at: row.timestamp()?,
            })
        })?;
        Ok(counted.filter(|failures| failures.count > 0))
    }

    fn put_failures(&mut self, key: &Digest, failures: Option<Failures>) -> Result<(), StoreFault> {
        let (count, last_at) = failures.map_or((0, Timestamp::from_micros(0)), |failures| {
            (failures.count, failures.last_at)
        });
        let sql = "INSERT INTO login_failure (guard_key, failure_count, last_at)
                   VALUES (?1, ?2, ?3)
                   ON CONFLICT (guard_key) DO UPDATE SET
                       failure_count = excluded.failure_count,
                       last_at = excluded.last_at";
        self.execute(sql, &params![key, count, last_at])?;
        Ok(())
    }

    fn insert_step(&mut self, step: &LoginStep, token: &Digest) -> Result<(), StoreFault> {
        let sql = "INSERT INTO login_step (id, token_digest, customer_id, stage, proof, begun_at,
                                           finished_at)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        self.execute(
            sql,
            &params![
                step.id,
                token,
                step.customer,
                step.stage.code(),
                step.proof.code(),
                step.begun_at,
                step.finished_at
            ],
        )?;
        Ok(())
    }

    fn update_step(&mut self, step: &LoginStep) -> Result<(), StoreFault> {
        let sql = "UPDATE login_step SET finished_at = ?2 WHERE id = ?1";
        let touched = self.execute(sql, &params![step.id, step.finished_at])?;
        exactly_one(touched, "login_step")
    }

    fn step_with(&mut self, token: &Digest) -> Result<Option<LoginStep>, StoreFault> {
        let sql = "SELECT id, customer_id, stage, proof, begun_at, finished_at
                   FROM login_step WHERE token_digest = ?1";
        read_one(
            self.query_one_or_none_locked(sql, &params![token])?,
            |row| {
                Ok(LoginStep {
                    id: row.id()?,
                    customer: row.id()?,
                    stage: row.code(Stage::from_code)?,
                    proof: row.code(Proof::from_code)?,
                    begun_at: row.timestamp()?,
                    finished_at: row.opt_timestamp()?,
                })
            },
        )
    }

    fn insert_session(&mut self, session: &Session, token: &Digest) -> Result<(), StoreFault> {
        let sql = "INSERT INTO session (id, token_digest, customer_id, proof, begun_at, seen_at,
                                        proved_at, device, ended_at, end_reason)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        let (ended_at, end_reason) = end_of(session);
        self.execute(
            sql,
            &params![
                session.id,
                token,
                session.customer,
                session.proof.code(),
                session.begun_at,
                session.seen_at,
                session.proved_at,
                &session.device,
                ended_at,
                end_reason
            ],
        )?;
        Ok(())
    }

    fn update_session(&mut self, session: &Session) -> Result<(), StoreFault> {
        let sql = "UPDATE session SET proof = ?2, seen_at = ?3, proved_at = ?4, ended_at = ?5,
                                      end_reason = ?6
                   WHERE id = ?1";
        let (ended_at, end_reason) = end_of(session);
        let touched = self.execute(
            sql,
            &params![
                session.id,
                session.proof.code(),
                session.seen_at,
                session.proved_at,
                ended_at,
                end_reason
            ],
        )?;
        exactly_one(touched, "session")
    }

    fn session_with(&mut self, token: &Digest) -> Result<Option<Session>, StoreFault> {
        let sql = format!("{SESSION} WHERE token_digest = ?1");
        read_one(self.query_one_or_none(&sql, &params![token])?, read_session)
    }

    fn session(&mut self, id: SessionId) -> Result<Option<Session>, StoreFault> {
        let sql = format!("{SESSION} WHERE id = ?1");
        read_one(
            self.query_one_or_none_locked(&sql, &params![id])?,
            read_session,
        )
    }

    fn open_sessions_of(&mut self, customer: CustomerId) -> Result<Vec<Session>, StoreFault> {
        let sql = format!(
            "{SESSION} WHERE customer_id = ?1 AND ended_at IS NULL ORDER BY seen_at DESC, id"
        );
        read_all(self.query(&sql, &params![customer])?, read_session)
    }
}

const fn end_of(session: &Session) -> (Option<Timestamp>, Option<&'static str>) {
    match session.state {
        SessionState::Open => (None, None),
        SessionState::Ended { at, reason } => (Some(at), Some(reason.code())),
    }
}

fn read_challenge(row: &mut Row) -> Result<Challenge, StoreFault> {
    let (id, purpose) = (row.id()?, row.code(Purpose::from_code)?);
    let (channel, address) = (row.code(Channel::from_code)?, row.text()?);
    let to = Contact::from_stored(channel, &address)
        .ok_or_else(|| row.behind("an address that does not parse"))?;
    let (customer, code_digest) = (row.opt_id()?, row.bytes()?);
    let (issued_at, tries) = (row.timestamp()?, row.number()?);
    let (state, at) = (row.text()?, row.opt_timestamp()?);
    let state =
        ChallengeState::from_stored(&state, at).ok_or_else(|| row.behind("an unknown state"))?;
    Ok(Challenge {
        id,
        purpose,
        to,
        customer,
        code_digest,
        issued_at,
        tries,
        state,
    })
}

fn read_session(row: &mut Row) -> Result<Session, StoreFault> {
    let (id, customer) = (row.id()?, row.id()?);
    let proof = row.code(Proof::from_code)?;
    let (begun_at, seen_at, proved_at) = (row.timestamp()?, row.timestamp()?, row.timestamp()?);
    let device = row.text()?;
    let (ended_at, reason) = (row.opt_timestamp()?, row.opt_text()?);
    let reason = reason.map(|code| EndReason::from_code(&code).ok_or(code));
    let state = match (ended_at, reason.transpose()) {
        (None, Ok(None)) => SessionState::Open,
        (Some(at), Ok(Some(reason))) => SessionState::Ended { at, reason },
        (Some(_) | None, Ok(_) | Err(_)) => return Err(row.behind("an end without a reason")),
    };
    Ok(Session {
        id,
        customer,
        proof,
        begun_at,
        seen_at,
        proved_at,
        device,
        state,
    })
}
