//! One connection: bytes into messages, messages into answers.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use simurgh_app::App;
use simurgh_app::charge::{ChargeDesk, Unheard};
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
use crate::settings::{Settings, StoreDown};
use crate::translate::{Speaker, Wish, request, written};

/// How long a peer may take to say who it is.
const INTRODUCTION: Duration = Duration::from_secs(10);
/// How much is read at a time at least.
const READ_OCTETS: usize = 64 * 1_024;

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) app: App,
    pub(crate) desk: ChargeDesk,
    pub(crate) peers: Arc<Peers>,
    pub(crate) settings: Settings,
}

/// A connection under way.
struct Link {
    shared: Arc<Shared>,
    peer: Arc<KnownPeer>,
    line: Arc<Outgoing>,
    under_way: Arc<UnderWay>,
}

/// How many requests are under way.
#[derive(Default)]
struct UnderWay {
    count: AtomicUsize,
    fewer: Notify,
}

/// Counts one request for as long as it lives.
struct Counted(Arc<UnderWay>);

impl Counted {
    fn one(under_way: &Arc<UnderWay>) -> Self {
        under_way.count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(under_way))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
        self.0.fewer.notify_one();
    }
}

/// Serves a connection until either side ends it.
pub(crate) async fn run<S>(stream: S, from: IpAddr, shared: Arc<Shared>)
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
    let greeting = introduce(&mut reader, &mut input, &shared, from, &line);
    let peer = match tokio::time::timeout(INTRODUCTION, greeting).await {
        Ok(Some(peer)) => peer,
        Ok(None) | Err(_) => {
            line.close();
            drop(writing.await);
            return;
        }
    };
    let link = Link {
        shared,
        peer,
        line,
        under_way: Arc::default(),
    };
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
    from: IpAddr,
    line: &Arc<Outgoing>,
) -> Option<Arc<KnownPeer>> {
    loop {
        match next_frame(&input.octets, &input.limits) {
            Ok(Framing::Whole(frame)) => {
                let length = frame.octets.len();
                let now = shared.app.now();
                let accepted = shared.peers.accept(&frame, from, line, now);
                input.octets.drain(..length);
                return match accepted {
                    Ok(peer) => Some(peer),
                    Err(refused) => {
                        let code = refused.0.0;
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
            let is_full =
                self.under_way.count.load(Ordering::Relaxed) >= self.shared.settings.requests_max;
            tokio::select! {
                more = input.fill(reader), if !is_full => if !more { break },
                () = self.under_way.fewer.notified(), if is_full => {}
                () = until(due.map(|due| due.since(self.shared.app.now()).as_micros())) => {
                    due = self.peer.tick(self.shared.app.now());
                }
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
        let follows = loop {
            let rest = input.octets.get(at..).unwrap_or(&[]);
            match next_frame(rest, &input.limits) {
                Ok(Framing::Whole(frame)) => {
                    at += frame.octets.len();
                    self.message(&frame);
                }
                Ok(Framing::Partial { .. }) => break true,
                Err(error) => {
                    answer_garbage(rest, &error, &self.shared, &self.line);
                    break false;
                }
            }
        };
        input.octets.drain(..at);
        follows
    }

    fn message(&self, frame: &Frame<'_>) {
        let now = self.shared.app.now();
        match self.peer.received(frame, now) {
            Turn::Done => {}
            Turn::Application if frame.header.is_request() => self.request(frame),
            Turn::Application => self.peer.answered(frame),
        }
    }

    fn request(&self, frame: &Frame<'_>) {
        let outcome = match (frame.header.application, frame.header.command) {
            (application::CREDIT_CONTROL, CREDIT_CONTROL) => self.credit_control(frame),
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

    fn credit_control<'a>(&self, frame: &Frame<'a>) -> Result<(), Fault<'a>> {
        let ccr = decode::<CreditControlRequest<'a>>(frame)?;
        let local = self.shared.peers.local();
        if !ccr.destination_realm.eq_ignore_ascii_case(&local.realm) {
            return Err(Fault::bare(ResultCode::REALM_NOT_SERVED));
        }
        let wish = request(&ccr)?;
        let octets = frame.octets.to_vec();
        let counted = Counted::one(&self.under_way);
        let (shared, line) = (Arc::clone(&self.shared), Arc::clone(&self.line));
        tokio::spawn(async move {
            let outcome = shared.decide(wish).await;
            line.push(|out| shared.answer(out, &octets, outcome));
            drop(counted);
        });
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
    Charged(Result<simurgh_charging::Answer, Unheard>),
    Checked(Result<Option<bool>, Unheard>),
    TooSlow,
}

impl Shared {
    async fn decide(&self, wish: Wish) -> Outcome {
        let patience = self.settings.answer_timeout;
        match wish {
            Wish::Charge(request) => {
                let charged = tokio::time::timeout(patience, self.desk.charge(request)).await;
                charged.map_or(Outcome::TooSlow, Outcome::Charged)
            }
            Wish::CheckBalance(request) => {
                let checked = tokio::time::timeout(patience, self.app.check_balance(request)).await;
                checked.map_or(Outcome::TooSlow, |it| {
                    Outcome::Checked(it.map_err(Unheard::from))
                })
            }
        }
    }

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
        let speaker = Speaker::new(origin, &self.settings.at_the_end);
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
        match (unheard, self.settings.store_down) {
            (Some(Unheard::Busy | Unheard::Stopping), _) => {
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

async fn until(micros: Option<i64>) {
    match micros {
        Some(micros) => {
            let micros = u64::try_from(micros).unwrap_or(0);
            tokio::time::sleep(Duration::from_micros(micros)).await;
        }
        None => std::future::pending().await,
    }
}
