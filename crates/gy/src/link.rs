//! One connection: bytes into messages, messages into answers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use simurgh_app::App;
use simurgh_app::charge::{Asker, ChargeDesk, Heard, Unheard, UseRequest};
use simurgh_diameter::base::{SessionTerminationAnswer, SessionTerminationRequest};
use simurgh_diameter::credit_control::CreditControlRequest;
use simurgh_diameter::frame::{Frame, FrameError, Framing, Limits, header, next_frame};
use simurgh_diameter::message::{application, decode, encode_as, encode_fault};
use simurgh_diameter::peer::Turn;
use simurgh_diameter::{Fault, ResultCode};
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf,
};
use tokio::sync::Notify;

use crate::peers::{KnownPeer, Outgoing, Peers};
use crate::restarts::Restarts;
use crate::settings::{Settings, StoreDown};
use crate::tls::Caller;
use crate::translate::{Speaker, Wish, request, written};

/// How long a peer may take to say who it is.
pub(crate) const INTRODUCTION: Duration = Duration::from_secs(10);
/// How much is read at a time at least.
const READ_OCTETS: usize = 64 * 1_024;

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) app: App,
    pub(crate) desk: ChargeDesk,
    pub(crate) peers: Arc<Peers>,
    pub(crate) settings: Settings,
    pub(crate) restarts: Arc<Restarts>,
}

/// A connection under way.
struct Link {
    shared: Arc<Shared>,
    peer: Arc<KnownPeer>,
    line: Arc<Outgoing>,
    asked: Arc<Asked>,
}

/// Serves a connection until either side ends it.
pub(crate) async fn run<S>(stream: S, caller: Caller, shared: Arc<Shared>)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (mut reader, writer) = tokio::io::split(stream);
    let line = Arc::new(Outgoing::default());
    let writing = tokio::spawn(write_out(
        writer,
        Arc::clone(&line),
        shared.settings.write_timeout,
    ));
    let mut input = Input::new(&shared.settings);
    let greeting = introduce(&mut reader, &mut input, &shared, &caller, &line);
    let peer = match tokio::time::timeout(INTRODUCTION, greeting).await {
        Ok(Some(peer)) => peer,
        Ok(None) | Err(_) => {
            line.close();
            drop(writing.await);
            return;
        }
    };
    let asked = Asked::new(&shared, &line);
    let link = Link {
        shared,
        peer,
        line,
        asked,
    };
    link.note_state_id();
    link.serve(&mut reader, &mut input, writing).await;
}

/// What was read and is not yet looked at.
struct Input {
    octets: Vec<u8>,
    limits: Limits,
}

impl Input {
    fn new(settings: &Settings) -> Self {
        Self {
            octets: Vec::with_capacity(READ_OCTETS),
            limits: Limits {
                message_octets_max: settings.message_octets_max,
            },
        }
    }

    /// Reads some more; false at the end of the stream.
    async fn fill<S: AsyncRead>(&mut self, reader: &mut ReadHalf<S>) -> bool {
        self.octets.reserve(READ_OCTETS / 4);
        matches!(reader.read_buf(&mut self.octets).await, Ok(1..))
    }
}

/// Hears who it is. None: it is answered, or gone, and the connection is to be closed.
async fn introduce<S: AsyncRead>(
    reader: &mut ReadHalf<S>,
    input: &mut Input,
    shared: &Shared,
    caller: &Caller,
    line: &Arc<Outgoing>,
) -> Option<Arc<KnownPeer>> {
    loop {
        match next_frame(&input.octets, &input.limits) {
            Ok(Framing::Whole(frame)) => {
                let length = frame.octets.len();
                let now = shared.app.now();
                let accepted = shared.peers.accept(&frame, caller, line, now);
                input.octets.drain(..length);
                return match accepted {
                    Ok(peer) => Some(peer),
                    Err(refused) => {
                        let (code, from) = (refused.0.0, caller.address);
                        tracing::warn!(%from, code, "a Diameter connection was refused");
                        None
                    }
                };
            }
            Ok(Framing::Partial { .. }) => {
                if !input.fill(reader).await {
                    return None;
                }
            }
            Err(error) => {
                answer_garbage(&input.octets, &error, shared, line);
                return None;
            }
        }
    }
}

impl Link {
    async fn serve<S: AsyncRead>(
        &self,
        reader: &mut ReadHalf<S>,
        input: &mut Input,
        mut writing: tokio::task::JoinHandle<()>,
    ) {
        metrics::gauge!("simurgh_gy_connections").increment(1.0);
        let mut due = self.peer.tick(self.shared.app.now());
        loop {
            if !self.take_messages(input) {
                break;
            }
            let settings = &self.shared.settings;
            let is_busy = self.asked.count() >= settings.requests_max;
            let is_slow = self.line.is_full(settings.unwritten_octets_max);
            tokio::select! {
                more = input.fill(reader), if !is_busy && !is_slow => if !more { break },
                () = self.asked.fewer.notified(), if is_busy => {}
                () = self.line.taken.notified(), if is_slow => {}
                () = until(due.map(|due| due.since(self.shared.app.now()).as_micros())) => {
                    due = self.peer.tick(self.shared.app.now());
                }
                () = until_instant(self.asked.patience_ends()) => self.asked.give_up(),
                _ = &mut writing => break,
            }
        }
        metrics::gauge!("simurgh_gy_connections").decrement(1.0);
        self.peer.disconnected(&self.line, self.shared.app.now());
        self.line.close();
        if !writing.is_finished() {
            drop(writing.await);
        }
    }

    /// Looks at every whole message; false when the stream cannot be followed any further.
    fn take_messages(&self, input: &mut Input) -> bool {
        let mut at = 0;
        let mut wishes = Vec::new();
        let follows = loop {
            let rest = input.octets.get(at..).unwrap_or(&[]);
            match next_frame(rest, &input.limits) {
                Ok(Framing::Whole(frame)) => {
                    at += frame.octets.len();
                    self.message(&frame, &mut wishes);
                }
                Ok(Framing::Partial { .. }) => break true,
                Err(error) => {
                    answer_garbage(rest, &error, &self.shared, &self.line);
                    break false;
                }
            }
        };
        input.octets.drain(..at);
        if !wishes.is_empty() {
            let asker: Arc<dyn Asker> = Arc::<Asked>::clone(&self.asked);
            self.shared.desk.charge(&asker, wishes);
        }
        follows
    }

    fn message(&self, frame: &Frame<'_>, wishes: &mut Vec<(u64, UseRequest)>) {
        let now = self.shared.app.now();
        match self.peer.received(frame, now) {
            Turn::Done if frame.header.is_request() => self.note_state_id(),
            Turn::Done => {}
            Turn::Application if frame.header.is_request() => self.request(frame, wishes),
            Turn::Application => self.peer.answered(frame),
        }
    }

    /// The peer itself said its Origin-State-Id, in a CER or DWR.
    fn note_state_id(&self) {
        if let Some((peer, state_id)) = self.peer.said_state_id() {
            let Shared { app, restarts, .. } = &*self.shared;
            restarts.heard(app, (&peer.host, &peer.realm), state_id, app.now());
        }
    }

    /// A client said its Origin-State-Id: the peer, or one that is behind it. Peers speak for themselves.
    fn note_client(&self, ccr: &CreditControlRequest<'_>) {
        let Some(state_id) = ccr.origin_state_id else {
            return;
        };
        let client = (ccr.origin_host, ccr.origin_realm);
        let is_self = self.peer.host.eq_ignore_ascii_case(ccr.origin_host);
        if is_self || !self.shared.peers.knows(ccr.origin_host) {
            let Shared { app, restarts, .. } = &*self.shared;
            restarts.heard(app, client, state_id, app.now());
        }
    }

    fn request(&self, frame: &Frame<'_>, wishes: &mut Vec<(u64, UseRequest)>) {
        let outcome = match (frame.header.application, frame.header.command) {
            (application::CREDIT_CONTROL, CREDIT_CONTROL) => self.credit_control(frame, wishes),
            (application::CREDIT_CONTROL, SESSION_TERMINATION) => self.session_termination(frame),
            (application::CREDIT_CONTROL | application::BASE, _) => {
                Err(Fault::bare(ResultCode::COMMAND_UNSUPPORTED))
            }
            _ => Err(Fault::bare(ResultCode::APPLICATION_UNSUPPORTED)),
        };
        if let Err(fault) = outcome {
            self.fault(frame, &fault);
        }
    }

    fn credit_control<'a>(
        &self,
        frame: &Frame<'a>,
        wishes: &mut Vec<(u64, UseRequest)>,
    ) -> Result<(), Fault<'a>> {
        let ccr = decode::<CreditControlRequest<'a>>(frame)?;
        let local = self.shared.peers.local();
        if !ccr.destination_realm.eq_ignore_ascii_case(&local.realm) {
            return Err(Fault::bare(ResultCode::REALM_NOT_SERVED));
        }
        // It came round: whoever we gave it to gave it back. Source: `RFC 6733 §6.1.3`
        let mut passed = ccr.route_record.iter();
        if passed.any(|host| host.eq_ignore_ascii_case(&local.host)) {
            return Err(Fault::bare(ResultCode::LOOP_DETECTED));
        }
        self.note_client(&ccr);
        let wish = request(&ccr)?;
        let ticket = self.asked.add(frame.octets);
        match wish {
            Wish::Charge(request) => wishes.push((ticket, request)),
            Wish::CheckBalance(request) => {
                let (asked, app) = (Arc::clone(&self.asked), self.shared.app.clone());
                tokio::spawn(async move {
                    let checked = app.check_balance(request).await;
                    let outcome = Outcome::Checked(checked.map_err(Unheard::from));
                    asked.settle([(ticket, outcome)]);
                });
            }
        }
        Ok(())
    }

    /// A client that says with an STR as well what its last CCR has said.
    fn session_termination<'a>(&self, frame: &Frame<'a>) -> Result<(), Fault<'a>> {
        let str = decode::<SessionTerminationRequest<'a>>(frame)?;
        let local = self.shared.peers.local();
        let answer = SessionTerminationAnswer {
            session_id: str.session_id,
            result_code: ResultCode::SUCCESS,
            origin_host: &local.host,
            origin_realm: &local.realm,
            proxy_info: str.proxy_info,
            ..SessionTerminationAnswer::default()
        };
        self.line.push(|out| {
            written(encode_as(out, &frame.header.answer(), &answer));
        });
        Ok(())
    }

    fn fault(&self, frame: &Frame<'_>, fault: &Fault<'_>) {
        let code = fault.result_code().0;
        tracing::debug!(
            code,
            command = frame.header.command,
            "a request was at fault"
        );
        let origin = self.shared.peers.local().origin();
        self.line.push(|out| {
            written(encode_fault(out, frame, origin, fault));
        });
    }
}

/// Source: `RFC 8506 §3.1`
const CREDIT_CONTROL: u32 = 272;
/// Source: `RFC 6733 §8.4.1`
const SESSION_TERMINATION: u32 = 275;

/// What became of a wish.
enum Outcome {
    Charged(Heard),
    Checked(Result<Option<bool>, Unheard>),
    TooSlow,
}

/// The requests of a connection that wait for their answers.
struct Asked {
    shared: Arc<Shared>,
    line: Arc<Outgoing>,
    waiting: Mutex<WaitingRequests>,
    fewer: Notify,
}

/// In the order in which they came; their tickets are numbered from `first` on.
#[derive(Default)]
struct WaitingRequests {
    first: u64,
    requests: VecDeque<Option<WaitingRequest>>,
    count: usize,
}

struct WaitingRequest {
    octets: Vec<u8>,
    since: Instant,
}

impl Asked {
    fn new(shared: &Arc<Shared>, line: &Arc<Outgoing>) -> Arc<Self> {
        Arc::new(Self {
            shared: Arc::clone(shared),
            line: Arc::clone(line),
            waiting: Mutex::default(),
            fewer: Notify::new(),
        })
    }

    fn waiting(&self) -> MutexGuard<'_, WaitingRequests> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self) -> usize {
        self.waiting().count
    }

    /// Keeps a request; its ticket.
    fn add(&self, octets: &[u8]) -> u64 {
        let request = WaitingRequest {
            octets: octets.to_vec(),
            since: Instant::now(),
        };
        let mut waiting = self.waiting();
        waiting.count += 1;
        waiting.requests.push_back(Some(request));
        waiting.first + (waiting.requests.len() as u64 - 1)
    }

    /// When the oldest request has waited for too long.
    fn patience_ends(&self) -> Option<Instant> {
        let waiting = self.waiting();
        let oldest = waiting.requests.front()?.as_ref()?;
        oldest
            .since
            .checked_add(self.shared.settings.answer_timeout)
    }

    /// Answers the requests that have waited for too long. What is decided of them is kept with their
    /// sessions, for whoever asks again.
    fn give_up(&self) {
        let patience = self.shared.settings.answer_timeout;
        let now = Instant::now();
        let waiting = self.waiting();
        let late = (waiting.first..)
            .zip(&waiting.requests)
            .filter(|(_, it)| {
                let since = it.as_ref().map(|it| it.since);
                since.is_some_and(|since| now.saturating_duration_since(since) >= patience)
            })
            .map(|(ticket, _)| (ticket, Outcome::TooSlow));
        let late: Vec<_> = late.collect();
        drop(waiting);
        self.settle(late);
    }

    /// Writes answers. Who was answered already is passed over.
    fn settle(&self, outcomes: impl IntoIterator<Item = (u64, Outcome)>) {
        let mut waiting = self.waiting();
        let outcomes = outcomes.into_iter();
        let taken =
            outcomes.filter_map(|(ticket, outcome)| Some((waiting.take(ticket)?.octets, outcome)));
        let taken: Vec<_> = taken.collect();
        drop(waiting);
        self.line.push(|out| {
            for (octets, outcome) in taken {
                self.shared.answer(out, &octets, outcome);
            }
        });
        self.fewer.notify_one();
    }
}

impl WaitingRequests {
    fn take(&mut self, ticket: u64) -> Option<WaitingRequest> {
        let place = usize::try_from(ticket.checked_sub(self.first)?).ok()?;
        let taken = self.requests.get_mut(place)?.take()?;
        self.count -= 1;
        while let Some(None) = self.requests.front() {
            self.requests.pop_front();
            self.first += 1;
        }
        Some(taken)
    }
}

impl Asker for Asked {
    fn answered(&self, heard: Vec<(u64, Heard)>) {
        let heard = heard.into_iter();
        self.settle(heard.map(|(ticket, heard)| (ticket, Outcome::Charged(heard))));
    }
}

impl Shared {
    fn answer(&self, out: &mut Vec<u8>, request: &[u8], outcome: Outcome) {
        let Ok(Framing::Whole(frame)) = next_frame(
            request,
            &Limits {
                message_octets_max: request.len(),
            },
        ) else {
            return;
        };
        let Ok(ccr) = decode::<CreditControlRequest<'_>>(&frame) else {
            return;
        };
        let header = frame.header.answer();
        let origin = self.peers.local().origin();
        let settings = &self.settings;
        let speaker = Speaker::new(origin, &settings.at_the_end, settings.failure_handling)
            .telling(settings.limit_told)
            .holding(settings.quota_holding_seconds);
        let unheard = match outcome {
            Outcome::Charged(Ok(answer)) => {
                return speaker.write_answer(out, &header, &ccr, &answer);
            }
            Outcome::Checked(Ok(enough)) => {
                return speaker.write_check(out, &header, &ccr, enough);
            }
            Outcome::Charged(Err(unheard)) | Outcome::Checked(Err(unheard)) => Some(unheard),
            Outcome::TooSlow => None,
        };
        let too_busy = Fault::bare(ResultCode::TOO_BUSY);
        match (unheard, settings.store_down) {
            (Some(Unheard::Busy | Unheard::Stopping), _)
            | (Some(Unheard::Fault(_)) | None, StoreDown::Busy) => {
                metrics::counter!("simurgh_gy_too_busy_total").increment(1);
                written(encode_fault(out, &frame, origin, &too_busy));
            }
            (Some(Unheard::Fault(_)) | None, StoreDown::Refuse) => {
                speaker.write_result(out, &header, &ccr, ResultCode::UNABLE_TO_COMPLY);
            }
            (Some(Unheard::Fault(_)) | None, StoreDown::LetThrough) => {
                metrics::counter!("simurgh_gy_let_through_total").increment(1);
                let code = ResultCode::CREDIT_CONTROL_NOT_APPLICABLE;
                speaker.write_result(out, &header, &ccr, code);
            }
        }
    }
}

/// Tells a peer whose stream cannot be followed what was wrong, if it said enough to be answered.
fn answer_garbage(octets: &[u8], error: &FrameError, shared: &Shared, line: &Outgoing) {
    tracing::warn!(%error, "a Diameter stream cannot be followed");
    metrics::counter!("simurgh_gy_broken_streams_total").increment(1);
    let Some(header) = header(octets).filter(|it| it.is_request()) else {
        return;
    };
    let frame = Frame {
        header,
        octets: &[],
    };
    let origin = shared.peers.local().origin();
    line.push(|out| {
        written(encode_fault(
            out,
            &frame,
            origin,
            &Fault::bare(error.result_code()),
        ));
    });
}

/// Writes what is to be written until the connection is to be closed or takes nothing.
async fn write_out<S: AsyncWrite>(
    mut writer: WriteHalf<S>,
    line: Arc<Outgoing>,
    patience: Duration,
) {
    let mut octets = Vec::new();
    loop {
        let close = line.take(&mut octets);
        if !octets.is_empty() {
            let written = tokio::time::timeout(patience, writer.write_all(&octets)).await;
            if !matches!(written, Ok(Ok(()))) {
                return;
            }
            octets.clear();
            continue;
        }
        if close {
            drop(tokio::time::timeout(patience, writer.shutdown()).await);
            return;
        }
        line.wake.notified().await;
    }
}

async fn until_instant(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}

async fn until(micros: Option<i64>) {
    match micros {
        Some(micros) => {
            let micros = u64::try_from(micros).unwrap_or(0);
            tokio::time::sleep(Duration::from_micros(micros)).await;
        }
        None => std::future::pending().await,
    }
}
