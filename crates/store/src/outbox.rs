//! The outbox: jobs, and the messages that some of them send.

mod messages;

use simurgh_app::ports::{Job, Message, Outbox, StoreFault, Task};
use simurgh_vocab::{CustomerId, JobId, MessageId, Timestamp};

use crate::db::{Row, Value};
use crate::params;
use crate::rows::{read_all, read_one};
use crate::tx::StoreTx;

/// The columns of a job, in the order in which [`read`] takes them.
macro_rules! job_columns {
    () => {
        "id, kind, subject_id, job_key, due_at, attempts, last_error, done_at"
    };
}

impl Outbox for StoreTx<'_> {
    fn enqueue(&mut self, job: &Job) -> Result<(), StoreFault> {
        let (kind, subject) = task_columns(job.task);
        let sql = "INSERT INTO job (id, kind, subject_id, job_key, due_at, next_at, attempts,
                   last_error, done_at)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8) ON CONFLICT (job_key) DO NOTHING";
        let params = params![
            job.id,
            kind,
            subject,
            &job.key,
            job.due_at,
            job.attempts,
            job.last_error.as_deref(),
            job.done_at,
        ];
        self.execute(sql, &params).map(drop)
    }

    fn take_due(
        &mut self,
        now: Timestamp,
        hold_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Job>, StoreFault> {
        // Two nodes may find the same jobs. PostgreSQL makes the second one wait and look at the
        // outer condition again, which the first has made false.
        let sql = concat!(
            "UPDATE job SET next_at = ?2, attempts = attempts + 1
             WHERE id IN (SELECT id FROM job WHERE done_at IS NULL AND next_at <= ?1
                          ORDER BY next_at, id LIMIT ?3)
             AND done_at IS NULL AND next_at <= ?1 RETURNING ",
            job_columns!()
        );
        let mut jobs = read_all(self.query(sql, &params![now, hold_until, limit])?, read)?;
        jobs.sort_by_key(|job| (job.due_at, job.id));
        Ok(jobs)
    }

    fn finish_job(&mut self, id: JobId, at: Timestamp) -> Result<(), StoreFault> {
        let sql = "UPDATE job SET done_at = ?2 WHERE id = ?1 AND done_at IS NULL";
        self.execute(sql, &params![id, at]).map(drop)
    }

    fn postpone_job(
        &mut self,
        id: JobId,
        due_at: Timestamp,
        error: Option<&str>,
    ) -> Result<(), StoreFault> {
        let sql = "UPDATE job SET due_at = ?2, next_at = ?2, last_error = ?3
                   WHERE id = ?1 AND done_at IS NULL";
        self.execute(sql, &params![id, due_at, error]).map(drop)
    }

    fn forget_jobs(&mut self, done_before: Timestamp, limit: u32) -> Result<u64, StoreFault> {
        let sql = "DELETE FROM job WHERE id IN
                   (SELECT id FROM job WHERE done_at < ?1 ORDER BY done_at LIMIT ?2)";
        self.execute(sql, &params![done_before, limit])
    }

    fn next_due(&mut self) -> Result<Option<Timestamp>, StoreFault> {
        let sql = "SELECT next_at FROM job WHERE done_at IS NULL ORDER BY next_at LIMIT 1";
        read_one(self.query_one_or_none(sql, &[])?, Row::timestamp)
    }

    fn open_jobs(&mut self, limit: u32) -> Result<Vec<Job>, StoreFault> {
        let sql = concat!(
            "SELECT ",
            job_columns!(),
            " FROM job WHERE done_at IS NULL ORDER BY attempts DESC, next_at, id LIMIT ?1"
        );
        read_all(self.query(sql, &params![limit])?, read)
    }

    fn insert_message(&mut self, message: &Message, key: &str) -> Result<bool, StoreFault> {
        messages::insert(self, message, key)
    }

    fn forget_messages(
        &mut self,
        created_before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreFault> {
        messages::forget(self, created_before, limit)
    }

    fn update_message(&mut self, message: &Message) -> Result<(), StoreFault> {
        messages::update(self, message)
    }

    fn message(&mut self, id: MessageId) -> Result<Option<Message>, StoreFault> {
        messages::one(self, id)
    }

    fn message_by_reference(&mut self, reference: &str) -> Result<Option<Message>, StoreFault> {
        messages::by_reference(self, reference)
    }

    fn part_delivered(
        &mut self,
        message: MessageId,
        reference: &str,
        at: Timestamp,
    ) -> Result<Vec<String>, StoreFault> {
        messages::part_delivered(self, message, reference, at)
    }

    fn messages_of(
        &mut self,
        customer: CustomerId,
        limit: u32,
    ) -> Result<Vec<Message>, StoreFault> {
        messages::of_customer(self, customer, limit)
    }

    fn recent_messages(&mut self, limit: u32) -> Result<Vec<Message>, StoreFault> {
        messages::recent(self, limit)
    }
}

fn read(row: &mut Row) -> Result<Job, StoreFault> {
    Ok(Job {
        id: row.id()?,
        task: read_task(row)?,
        key: row.text()?,
        due_at: row.timestamp()?,
        attempts: row.number()?,
        last_error: row.opt_text()?,
        done_at: row.opt_timestamp()?,
    })
}

fn task_columns(task: Task) -> (&'static str, Value) {
    match task {
        Task::SendMessage(id) => ("send-message", id.into()),
        Task::QueryPayment(id) => ("query-payment", id.into()),
        Task::CloseOrder(id) => ("close-order", id.into()),
        Task::SendRefund(id) => ("send-refund", id.into()),
        Task::AdvanceLine(id) => ("advance-line", id.into()),
        Task::RenewLine(id) => ("renew-line", id.into()),
        Task::ChargeMandate(id) => ("charge-mandate", id.into()),
        Task::DeleteDocuments(id) => ("delete-documents", id.into()),
        Task::AskIdentity(id) => ("ask-identity", id.into()),
        Task::PrepareProfile(id) => ("prepare-profile", id.into()),
        Task::TellProgress(id) => ("tell-progress", id.into()),
        Task::WithdrawEvents(id) => ("withdraw-events", id.into()),
        Task::TellSessions(id) => ("tell-sessions", id.into()),
    }
}

fn read_task(row: &mut Row) -> Result<Task, StoreFault> {
    match row.text()?.as_str() {
        "send-message" => row.id().map(Task::SendMessage),
        "query-payment" => row.id().map(Task::QueryPayment),
        "close-order" => row.id().map(Task::CloseOrder),
        "send-refund" => row.id().map(Task::SendRefund),
        "advance-line" => row.id().map(Task::AdvanceLine),
        "renew-line" => row.id().map(Task::RenewLine),
        "charge-mandate" => row.id().map(Task::ChargeMandate),
        "delete-documents" => row.id().map(Task::DeleteDocuments),
        "ask-identity" => row.id().map(Task::AskIdentity),
        "prepare-profile" => row.id().map(Task::PrepareProfile),
        "tell-progress" => row.id().map(Task::TellProgress),
        "withdraw-events" => row.id().map(Task::WithdrawEvents),
        "tell-sessions" => row.id().map(Task::TellSessions),
        _ => Err(row.behind("no kind of job")),
    }
}
