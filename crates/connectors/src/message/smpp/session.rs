//! One bound connection: sends parts within window and rate, matches answers, passes receipts on,
//! probes the peer, says good-bye.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::Arc;

use rusmpp::pdus::{DeliverSm, DeliverSmResp, SubmitSm};
use rusmpp::{Command, CommandId, CommandStatus, Pdu};
use simurgh_app::ports::{NotRecorded, REFERENCE_SEPARATOR, ReceiptSink, SendFailure};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::link::{BIND_SEQUENCE_NUMBER, stopped};
use super::pace::{Backoff, Pace};
use super::receipt::{self, Delivered};
use super::settings::Plan;
use super::status::{Answer, describe, judge};
use super::wire::{BadLength, Header, Incoming, Wire};
use super::{Job, temporary};

/// The most receipts being stored at once; beyond that nothing is read, and the peer waits.
const RECEIPTS_MAX: usize = 64;

/// Responses have this bit in their command id (SMPP v3.4 §5.1.2.1).
const RESPONSE_BIT: u32 = 0x8000_0000;

/// The largest sequence number (SMPP v3.4 §5.1.4).
const SEQUENCE_NUMBER_MAX: u32 = 0x7FFF_FFFF;

/// Why a session ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It was told to.
    Stopped,
    /// The connection broke or the peer ended it.
    Lost(String),
}

/// A message whose parts are being sent.
struct Work {
    parts: Vec<SubmitSm>,
    /// The id of each part that was taken.
    references: Vec<Option<String>>,
    reply: oneshot::Sender<Result<String, SendFailure>>,
}

/// A part that was sent and not answered.
#[derive(Clone, Copy)]
struct Flight {
    part: PartKey,
    answer_due: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct PartKey {
    work: u64,
    index: usize,
}

/// What the session waits for.
enum Event {
    Received(io::Result<usize>),
    Job(Option<Job>),
    MaySend,
    Due,
    Recorded(u32, Result<(), NotRecorded>),
    Stop,
}

/// How far the good-bye has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Farewell {
    /// None was asked for.
    No,
    /// What was begun is finished first.
    Draining { until: Instant },
    /// `unbind` was sent.
    Unbinding { until: Instant },
}

pub(super) struct Session<'a> {
    plan: &'a Plan,
    sink: Arc<dyn ReceiptSink>,
    wire: Wire,
    sequence_number: u32,
    pace: Pace,
    works: HashMap<u64, Work>,
    works_begun: u64,
    /// Parts to send, in order. Nothing is taken from the queue while one stands here.
    ready: VecDeque<PartKey>,
    flights: HashMap<u32, Flight>,
    receipts: JoinSet<(u32, Result<(), NotRecorded>)>,
    heard_at: Instant,
    /// When the answer to `enquire_link` is due, if one was sent.
    probe_due: Option<Instant>,
    farewell: Farewell,
}

impl<'a> Session<'a> {
    pub(super) fn new(plan: &'a Plan, sink: Arc<dyn ReceiptSink>, wire: Wire) -> Self {
        let now = Instant::now();
        let backoff = Backoff::new(plan.throttle_first, plan.throttle_max);
        Self {
            plan,
            sink,
            wire,
            sequence_number: BIND_SEQUENCE_NUMBER,
            pace: Pace::new(plan.part_interval, backoff, now),
            works: HashMap::new(),
            works_begun: 0,
            ready: VecDeque::new(),
            flights: HashMap::new(),
            receipts: JoinSet::new(),
            heard_at: now,
            probe_due: None,
            farewell: Farewell::No,
        }
    }

    /// Serves the connection to its end. Messages of which no part was sent go back to `waiting`;
    /// the others fail as `Temporary`, since what became of them is unknown.
    pub(super) async fn run(
        mut self,
        jobs: &mut mpsc::Receiver<Job>,
        waiting: &mut VecDeque<Job>,
        stop: &mut watch::Receiver<bool>,
    ) -> End {
        let end = self.serve(jobs, waiting, stop).await;
        self.give_back(waiting);
        // The peer may be gone already.
        let _ = timeout(self.plan.response_timeout, self.wire.close()).await;
        end
    }

    async fn serve(
        &mut self,
        jobs: &mut mpsc::Receiver<Job>,
        waiting: &mut VecDeque<Job>,
        stop: &mut watch::Receiver<bool>,
    ) -> End {
        // What came in one piece with the answer to the bind.
        if let Err(end) = self.hear_what_came().await {
            return end;
        }
        loop {
            if self.ready.is_empty()
                && self.farewell == Farewell::No
                && let Some(job) = waiting.pop_front()
            {
                self.begin(job);
            }
            let event = self.wait(jobs, stop).await;
            if let Err(end) = self.act(event).await {
                return end;
            }
        }
    }

    async fn wait(
        &mut self,
        jobs: &mut mpsc::Receiver<Job>,
        stop: &mut watch::Receiver<bool>,
    ) -> Event {
        let staying = self.farewell == Farewell::No;
        let may_send = !self.ready.is_empty() && self.flights.len() < self.plan.window;
        let (next_part_at, next_due) = (self.pace.next_at(), self.next_due());
        tokio::select! {
            received = self.wire.receive(), if self.receipts.len() < RECEIPTS_MAX => {
                Event::Received(received)
            }
            job = jobs.recv(), if staying && self.ready.is_empty() => Event::Job(job),
            () = sleep_until(next_part_at), if may_send => Event::MaySend,
            () = sleep_until(next_due) => Event::Due,
            Some(recorded) = self.receipts.join_next(), if !self.receipts.is_empty() => {
                match recorded {
                    Ok((sequence_number, outcome)) => Event::Recorded(sequence_number, outcome),
                    // A sink that broke down: no answer, so the receipt comes again.
                    Err(_) => Event::Due,
                }
            }
            () = stopped(stop), if staying => Event::Stop,
        }
    }

    async fn act(&mut self, event: Event) -> Result<(), End> {
        match event {
            Event::Received(Ok(0)) => {
                return Err(lost("the message centre closed the connection"));
            }
            Event::Received(Ok(_)) => {
                self.heard_at = Instant::now();
                self.probe_due = None;
                self.hear_what_came().await?;
            }
            Event::Received(Err(error)) => return Err(End::Lost(error.to_string())),
            Event::Job(Some(job)) => self.begin(job),
            Event::Job(None) | Event::Stop => {
                self.farewell = Farewell::Draining {
                    until: Instant::now() + self.plan.response_timeout,
                };
            }
            Event::MaySend => self.send_part().await?,
            Event::Due => self.check_due().await?,
            Event::Recorded(sequence_number, outcome) => {
                self.answer_receipt(sequence_number, outcome).await?;
            }
        }
        self.drain().await
    }

    async fn hear_what_came(&mut self) -> Result<(), End> {
        while let Some(incoming) = self.wire.next().map_err(garbled)? {
            self.hear(incoming).await?;
        }
        Ok(())
    }

    fn begin(&mut self, job: Job) {
        if job.reply.is_closed() {
            return;
        }
        let work = self.works_begun;
        self.works_begun += 1;
        self.ready
            .extend((0..job.parts.len()).map(|index| PartKey { work, index }));
        self.works.insert(
            work,
            Work {
                references: vec![None; job.parts.len()],
                parts: job.parts,
                reply: job.reply,
            },
        );
    }

    /// Sends the first part whose message is still wanted.
    async fn send_part(&mut self) -> Result<(), End> {
        while let Some(key) = self.ready.pop_front() {
            let Some(work) = self.works.get(&key.work) else {
                continue;
            };
            if work.reply.is_closed() {
                self.works.remove(&key.work);
                continue;
            }
            let Some(part) = work.parts.get(key.index).cloned() else {
                continue;
            };
            let sequence_number = self.next_sequence_number();
            let now = Instant::now();
            self.pace.sent(now);
            self.flights.insert(
                sequence_number,
                Flight {
                    part: key,
                    answer_due: now + self.plan.response_timeout,
                },
            );
            let status = CommandStatus::EsmeRok;
            return self
                .write(status, sequence_number, Pdu::SubmitSm(part))
                .await;
        }
        Ok(())
    }

    async fn hear(&mut self, incoming: Incoming) -> Result<(), End> {
        let command = match incoming {
            Incoming::Command(command) => command,
            Incoming::Unreadable(header) => return self.hear_unreadable(header).await,
        };
        let sequence_number = command.sequence_number();
        match command.pdu() {
            Some(Pdu::DeliverSm(deliver_sm)) => {
                self.hear_delivery(sequence_number, deliver_sm).await
            }
            Some(Pdu::EnquireLink) => {
                let status = CommandStatus::EsmeRok;
                self.write(status, sequence_number, Pdu::EnquireLinkResp)
                    .await
            }
            Some(Pdu::Unbind) => {
                self.write(CommandStatus::EsmeRok, sequence_number, Pdu::UnbindResp)
                    .await?;
                Err(lost("the message centre said good-bye"))
            }
            Some(Pdu::UnbindResp) if matches!(self.farewell, Farewell::Unbinding { .. }) => {
                Err(End::Stopped)
            }
            Some(Pdu::AlertNotification(_)) => Ok(()),
            body => {
                let id = match body {
                    Some(Pdu::SubmitSmResp(response)) => Some(response.message_id().as_str()),
                    Some(_) | None => None,
                };
                let id = id.unwrap_or("").to_owned();
                self.hear_other(command.id(), command.status(), sequence_number, id)
                    .await
            }
        }
    }

    /// An answer, or a request we do not serve.
    async fn hear_other(
        &mut self,
        id: CommandId,
        status: CommandStatus,
        sequence_number: u32,
        message_id: String,
    ) -> Result<(), End> {
        if u32::from(id) & RESPONSE_BIT == 0 {
            return self
                .write(
                    CommandStatus::EsmeRinvcmdid,
                    sequence_number,
                    Pdu::GenericNack,
                )
                .await;
        }
        match id {
            CommandId::SubmitSmResp | CommandId::GenericNack => {
                self.settle(sequence_number, status, message_id)
            }
            _ => Ok(()),
        }
    }

    /// A part that was taken under an id we cannot read was still taken.
    async fn hear_unreadable(&mut self, header: Header) -> Result<(), End> {
        let (id, status) = (
            CommandId::from(header.id),
            CommandStatus::from(header.status),
        );
        tracing::warn!(?id, ?status, "the message centre sent an unreadable PDU");
        if header.id & RESPONSE_BIT == 0 {
            let status = CommandStatus::EsmeRinvcmdlen;
            return self
                .write(status, header.sequence_number, Pdu::GenericNack)
                .await;
        }
        self.hear_other(id, status, header.sequence_number, String::new())
            .await
    }

    async fn hear_delivery(
        &mut self,
        sequence_number: u32,
        deliver_sm: &DeliverSm,
    ) -> Result<(), End> {
        let status = match receipt::read(deliver_sm, self.plan.message_ids) {
            Delivered::Receipt(receipt) => {
                let sink = Arc::clone(&self.sink);
                self.receipts
                    .spawn(async move { (sequence_number, sink.record(receipt).await) });
                return Ok(());
            }
            // It would be as unreadable the next time.
            Delivered::UnreadableReceipt => {
                tracing::warn!("the message centre sent an unreadable receipt");
                CommandStatus::EsmeRxPAppn
            }
            // Nobody here reads messages: better refused than lost.
            Delivered::Message => CommandStatus::EsmeRxRAppn,
        };
        self.answer_delivery(sequence_number, status).await
    }

    async fn answer_receipt(
        &mut self,
        sequence_number: u32,
        outcome: Result<(), NotRecorded>,
    ) -> Result<(), End> {
        let status = match outcome {
            Ok(()) => CommandStatus::EsmeRok,
            Err(refusal) => {
                tracing::debug!(%refusal, "asked the message centre to send a receipt again");
                CommandStatus::EsmeRxTAppn
            }
        };
        self.answer_delivery(sequence_number, status).await
    }

    async fn answer_delivery(
        &mut self,
        sequence_number: u32,
        status: CommandStatus,
    ) -> Result<(), End> {
        let response = Pdu::DeliverSmResp(DeliverSmResp::default());
        self.write(status, sequence_number, response).await
    }

    fn settle(
        &mut self,
        sequence_number: u32,
        status: CommandStatus,
        message_id: String,
    ) -> Result<(), End> {
        let Some(Flight { part, .. }) = self.flights.remove(&sequence_number) else {
            return Ok(());
        };
        match judge(status) {
            Answer::Taken => {
                self.pace.taken();
                self.taken(part, self.plan.message_ids.of_answer(message_id));
            }
            Answer::Busy => {
                self.pace.busy(Instant::now());
                self.ready.push_front(part);
            }
            Answer::Never => self.fail(part, SendFailure::Permanent(describe(status))),
            Answer::Later => self.fail(part, SendFailure::Temporary(describe(status))),
            Answer::NotBound => return Err(End::Lost(describe(status))),
        }
        Ok(())
    }

    fn taken(&mut self, part: PartKey, reference: String) {
        let Some(work) = self.works.get_mut(&part.work) else {
            return;
        };
        if let Some(slot) = work.references.get_mut(part.index) {
            *slot = Some(reference);
        }
        let all: Option<Vec<&str>> = work.references.iter().map(Option::as_deref).collect();
        if let Some(all) = all {
            let references = all.join(&REFERENCE_SEPARATOR.to_string());
            self.reply(part, Ok(references));
        }
    }

    fn fail(&mut self, part: PartKey, failure: SendFailure) {
        self.reply(part, Err(failure));
    }

    fn reply(&mut self, part: PartKey, answer: Result<String, SendFailure>) {
        if let Some(work) = self.works.remove(&part.work) {
            // The asker may have given up.
            let _ = work.reply.send(answer);
        }
    }

    fn next_due(&self) -> Instant {
        let answer_due = self.flights.values().map(|flight| flight.answer_due).min();
        let probe = self
            .probe_due
            .unwrap_or(self.heard_at + self.plan.enquire_link_interval);
        let farewell = match self.farewell {
            Farewell::No => None,
            Farewell::Draining { until } | Farewell::Unbinding { until } => Some(until),
        };
        [answer_due, farewell]
            .into_iter()
            .flatten()
            .fold(probe, Instant::min)
    }

    async fn check_due(&mut self) -> Result<(), End> {
        let now = Instant::now();
        let overdue: Vec<u32> = self
            .flights
            .iter()
            .filter(|(_, flight)| flight.answer_due <= now)
            .map(|(sequence_number, _)| *sequence_number)
            .collect();
        for sequence_number in overdue {
            if let Some(flight) = self.flights.remove(&sequence_number) {
                self.fail(
                    flight.part,
                    temporary("the message centre did not answer submit_sm in time"),
                );
            }
        }
        match self.farewell {
            Farewell::Draining { until } | Farewell::Unbinding { until } if until <= now => {
                return Err(End::Stopped);
            }
            Farewell::No | Farewell::Draining { .. } | Farewell::Unbinding { .. } => {}
        }
        match self.probe_due {
            Some(due) if due <= now => Err(lost("the message centre did not answer enquire_link")),
            Some(_) => Ok(()),
            None if self.heard_at + self.plan.enquire_link_interval <= now => {
                self.probe_due = Some(now + self.plan.response_timeout);
                let sequence_number = self.next_sequence_number();
                let status = CommandStatus::EsmeRok;
                self.write(status, sequence_number, Pdu::EnquireLink).await
            }
            None => Ok(()),
        }
    }

    /// Says good-bye once everything begun is done.
    async fn drain(&mut self) -> Result<(), End> {
        let draining = matches!(self.farewell, Farewell::Draining { .. });
        if !draining || !self.works.is_empty() || !self.receipts.is_empty() {
            return Ok(());
        }
        self.farewell = Farewell::Unbinding {
            until: Instant::now() + self.plan.response_timeout,
        };
        let sequence_number = self.next_sequence_number();
        self.write(CommandStatus::EsmeRok, sequence_number, Pdu::Unbind)
            .await
    }

    fn give_back(&mut self, waiting: &mut VecDeque<Job>) {
        let mut works: Vec<_> = self.works.drain().collect();
        works.sort_unstable_by_key(|(number, _)| std::cmp::Reverse(*number));
        for (number, work) in works {
            let flying = self
                .flights
                .values()
                .any(|flight| flight.part.work == number);
            if flying || work.references.iter().any(Option::is_some) {
                let failure = temporary("the link broke before the message centre answered");
                let _ = work.reply.send(Err(failure));
            } else {
                waiting.push_front(Job {
                    parts: work.parts,
                    reply: work.reply,
                });
            }
        }
    }

    const fn next_sequence_number(&mut self) -> u32 {
        self.sequence_number = if self.sequence_number >= SEQUENCE_NUMBER_MAX {
            1
        } else {
            self.sequence_number + 1
        };
        self.sequence_number
    }

    /// A peer that does not read for as long as it may take to answer is as good as gone.
    async fn write(
        &mut self,
        status: CommandStatus,
        sequence_number: u32,
        pdu: Pdu,
    ) -> Result<(), End> {
        let command = Command::new(status, sequence_number, pdu);
        match timeout(self.plan.response_timeout, self.wire.send(&command)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(End::Lost(error.to_string())),
            Err(_) => Err(lost("the message centre does not read")),
        }
    }
}

fn lost(reason: &str) -> End {
    End::Lost(reason.to_owned())
}

fn garbled(error: BadLength) -> End {
    End::Lost(error.to_string())
}
