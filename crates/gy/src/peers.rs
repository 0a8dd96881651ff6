//! Who may connect, what state each is in, and the way out for requests of ours.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use simurgh_app::ports::{
    Asked, ClientAnswer, Clock, Entropy, Reauthorizer, SessionAddress, Unreachable,
};
use simurgh_diameter::allowed::{AllowedPeer, AllowedPeers};
use simurgh_diameter::base::{
    AbortSessionRequest, DisconnectCause, ErrorAnswer, ReAuthRequest, ReAuthRequestType,
};
use simurgh_diameter::frame::Frame;
use simurgh_diameter::message::{Group, application, encode};
use simurgh_diameter::peer::{Effect, Event, Local, Outbox, Peer, Side, Turn};
use simurgh_diameter::transactions::Transactions;
use simurgh_diameter::{Fault, ResultCode};
use simurgh_vocab::{Duration as Span, Timestamp};
use tokio::sync::{Notify, oneshot};

use crate::settings::Settings;
use crate::tls::Caller;
use crate::translate::{session_parts, written};

/// How long a client may take to answer a request of ours.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many requests of ours may wait for one client.
const WAITING_MAX: usize = 1_024;

/// The peers of this node.
pub struct Peers {
    local: Arc<Local>,
    allowed: AllowedPeers,
    known: Vec<Arc<KnownPeer>>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Peers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peers")
            .field("local", &self.local)
            .field("known", &self.known.len())
            .finish_non_exhaustive()
    }
}

/// A peer of the table.
pub(crate) struct KnownPeer {
    /// Its Diameter name, as the table writes it.
    pub(crate) host: String,
    state: Mutex<PeerState>,
}

struct PeerState {
    machine: Peer,
    /// The connection that is in use.
    line: Option<Arc<Outgoing>>,
    waiting: Transactions<oneshot::Sender<ResultCode>>,
}

/// What is to be written to a connection.
#[derive(Default)]
pub(crate) struct Outgoing {
    buffer: Mutex<Pending>,
    pub(crate) wake: Notify,
    /// Some of it was taken.
    pub(crate) taken: Notify,
}

#[derive(Default)]
struct Pending {
    octets: Vec<u8>,
    close: bool,
}

impl Outgoing {
    /// Adds messages that `write` appends to the buffer.
    pub(crate) fn push(&self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut locked(&self.buffer).octets);
        self.wake.notify_one();
    }

    /// Closes the connection once everything is written.
    pub(crate) fn close(&self) {
        locked(&self.buffer).close = true;
        self.wake.notify_one();
    }

    /// Takes what is to be written into `into`, which is empty; whether to close after it.
    pub(crate) fn take(&self, into: &mut Vec<u8>) -> bool {
        let mut pending = locked(&self.buffer);
        std::mem::swap(&mut pending.octets, into);
        self.taken.notify_one();
        pending.close
    }

    /// Whether the peer takes so little that this many octets wait.
    pub(crate) fn is_full(&self, octets_max: usize) -> bool {
        locked(&self.buffer).octets.len() >= octets_max
    }
}

impl Peers {
    /// The peers that `settings` allow.
    #[must_use]
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>, entropy: &dyn Entropy) -> Arc<Self> {
        let local = Arc::new(settings.local.clone());
        let now = clock.now();
        let known = settings.peers.iter().map(|remote| {
            let mut random = [0; 8];
            entropy.fill(&mut random);
            let (local, remote) = (Arc::clone(&local), remote.clone());
            let host = remote.host.clone();
            let random = u64::from_be_bytes(random);
            let machine = Peer::new(local, remote, span(settings.watchdog), random, now);
            Arc::new(KnownPeer {
                host,
                state: Mutex::new(PeerState {
                    machine,
                    line: None,
                    waiting: Transactions::new(span(PATIENCE), WAITING_MAX),
                }),
            })
        });
        Arc::new(Self {
            known: known.collect(),
            allowed: AllowedPeers::new(settings.peers.clone()),
            local,
            clock,
        })
    }

    /// Whether a peer may come from there.
    pub(crate) fn may_come_from(&self, address: IpAddr) -> bool {
        self.allowed.may_come_from(address)
    }

    /// Whether a name is that of a peer of the table.
    pub(crate) fn knows(&self, host: &str) -> bool {
        let known = self.known.iter();
        let mut hosts = known.map(|it| &it.host);
        hosts.any(|it| it.eq_ignore_ascii_case(host))
    }

    /// Who we are.
    pub(crate) fn local(&self) -> &Local {
        &self.local
    }

    /// Takes a connection by its first message. None: it was answered and is to be closed.
    pub(crate) fn accept(
        &self,
        first: &Frame<'_>,
        caller: &Caller,
        line: &Arc<Outgoing>,
        now: Timestamp,
    ) -> Result<Arc<KnownPeer>, Refused> {
        let refuse = |fault: &Fault<'_>| {
            let origin = self.local.origin();
            line.push(|out| {
                written(simurgh_diameter::message::encode_fault(
                    out, first, origin, fault,
                ));
            });
            Refused(fault.result_code())
        };
        let allowed = self.allowed.admit(first, caller.address);
        let allowed = allowed.map_err(|it| refuse(&it))?;
        if !caller.may_be(&allowed.host) {
            return Err(refuse(&Fault::bare(ResultCode::UNKNOWN_PEER)));
        }
        let mut known = self.known.iter();
        let peer = known
            .find(|it| {
                locked(&it.state)
                    .machine
                    .remote()
                    .is(&allowed.host, &allowed.realm)
            })
            .ok_or_else(|| refuse(&Fault::bare(ResultCode::UNKNOWN_PEER)))?;
        if peer.accepted(first, line, now) {
            Ok(Arc::clone(peer))
        } else {
            Err(Refused(ResultCode::UNABLE_TO_COMPLY))
        }
    }

    /// Tells every peer that we are going, and why.
    pub(crate) fn stop(&self, cause: DisconnectCause, now: Timestamp) {
        for peer in &self.known {
            peer.step(Event::Stop(cause), now);
        }
    }

    async fn ask(
        &self,
        session: &SessionAddress,
        write: impl Fn(&mut Vec<u8>, simurgh_diameter::frame::Ids) -> bool,
    ) -> Result<ClientAnswer, Unreachable> {
        let unreachable = |why: &str| Unreachable(why.to_owned());
        let now = self.clock.now();
        // The client itself, or whoever is connected and can pass it on.
        let is_client = |peer: &&Arc<KnownPeer>| {
            let state = locked(&peer.state);
            state.machine.remote().is(&session.client, &session.realm)
        };
        let direct = self.known.iter().find(is_client);
        let direct = direct.filter(|peer| peer.is_open());
        let mut others = self.known.iter();
        let peer = direct
            .or_else(|| others.find(|peer| peer.is_open()))
            .ok_or_else(|| unreachable("no peer is connected"))?;
        let answered = peer
            .send(now, write)
            .ok_or_else(|| unreachable("too many requests wait"))?;
        let answer = tokio::time::timeout(PATIENCE, answered).await;
        let code = answer
            .map_err(|_| unreachable("no answer"))?
            .map_err(|_| unreachable("the connection was lost"))?;
        match code {
            ResultCode::UNKNOWN_SESSION_ID => Ok(ClientAnswer::UnknownSession),
            ResultCode::UNABLE_TO_DELIVER | ResultCode::TOO_BUSY => {
                Err(unreachable("it could not be delivered"))
            }
            code if code.is_success() => Ok(ClientAnswer::Taken),
            _ => Ok(ClientAnswer::Refused),
        }
    }
}

/// A connection was not taken; what its peer was told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refused(pub(crate) ResultCode);

impl KnownPeer {
    fn is_open(&self) -> bool {
        let state = locked(&self.state);
        state.line.is_some() && state.machine.usable().is_some()
    }

    /// A connection came with this CER; whether it is in use now.
    fn accepted(&self, first: &Frame<'_>, line: &Arc<Outgoing>, now: Timestamp) -> bool {
        let mut state = locked(&self.state);
        let mut out = Outbox::default();
        if state
            .machine
            .handle(Event::Accepted(first), now, &mut out)
            .is_err()
        {
            return false;
        }
        let is_rejected = out.effects.contains(&Effect::Reject);
        if is_rejected {
            line.push(|octets| octets.append(&mut out.rejected));
        } else {
            state.line = Some(Arc::clone(line));
        }
        state.follow(&mut out);
        !is_rejected && state.line.is_some()
    }

    /// A message came; whether it is the application's turn.
    pub(crate) fn received(&self, frame: &Frame<'_>, now: Timestamp) -> Turn {
        let mut state = locked(&self.state);
        let mut out = Outbox::default();
        let event = Event::Received(Side::Responder, frame);
        let turn = state.machine.handle(event, now, &mut out);
        state.follow(&mut out);
        turn.unwrap_or(Turn::Done)
    }

    /// An answer to a request of ours came.
    pub(crate) fn answered(&self, frame: &Frame<'_>) {
        let waiting = locked(&self.state).waiting.answered(&frame.header);
        if let (Some(waiting), Ok(answer)) = (waiting, ErrorAnswer::read_group(frame.avps())) {
            // Whoever asked may have lost patience.
            match waiting.context.send(answer.result_code) {
                Ok(()) | Err(_) => {}
            }
        }
    }

    /// Its names and its Origin-State-Id, if it has said one.
    pub(crate) fn said_state_id(&self) -> Option<(AllowedPeer, u32)> {
        let state = locked(&self.state);
        let state_id = state.machine.remote_state_id()?;
        Some((state.machine.remote().clone(), state_id))
    }

    /// Does what is due; when to come again.
    pub(crate) fn tick(&self, now: Timestamp) -> Option<Timestamp> {
        self.step(Event::Tick, now);
        let mut state = locked(&self.state);
        while state.waiting.expired(now).is_some() {}
        state.machine.due()
    }

    /// The connection `line` has ended.
    pub(crate) fn disconnected(&self, line: &Arc<Outgoing>, now: Timestamp) {
        let mut state = locked(&self.state);
        if !state.line.as_ref().is_some_and(|it| Arc::ptr_eq(it, line)) {
            return;
        }
        state.line = None;
        drop(state.waiting.fail_over());
        drop(state);
        self.step(Event::Disconnected(Side::Responder), now);
    }

    fn step(&self, event: Event<'_>, now: Timestamp) {
        let mut state = locked(&self.state);
        let mut out = Outbox::default();
        if state.machine.handle(event, now, &mut out).is_err() {
            tracing::error!("our own names are too long for a message");
        }
        state.follow(&mut out);
    }

    fn send(
        &self,
        now: Timestamp,
        write: impl Fn(&mut Vec<u8>, simurgh_diameter::frame::Ids) -> bool,
    ) -> Option<oneshot::Receiver<ResultCode>> {
        let mut state = locked(&self.state);
        let ids = state.machine.sequence().take();
        let mut request = Vec::new();
        if !write(&mut request, ids) {
            return None;
        }
        let (answer, answered) = oneshot::channel();
        let line = state.line.clone()?;
        state.waiting.sent(ids, request.clone(), answer, now).ok()?;
        line.push(|out| out.append(&mut request));
        Some(answered)
    }
}

impl PeerState {
    /// Writes what the machine wants written and closes what it wants closed.
    fn follow(&mut self, out: &mut Outbox) {
        if let Some(line) = &self.line {
            if !out.responder.is_empty() {
                line.push(|octets| octets.append(&mut out.responder));
            }
            if out.effects.contains(&Effect::Close(Side::Responder)) {
                line.close();
                self.line = None;
                drop(self.waiting.fail_over());
            }
        }
    }
}

impl Reauthorizer for Peers {
    fn reauthorize<'a>(&'a self, session: &'a SessionAddress) -> Asked<'a> {
        Box::pin(self.ask(session, |out, ids| {
            let (session_id, cc_sub_session_id) = session_parts(&session.session);
            let request = ReAuthRequest {
                session_id,
                cc_sub_session_id,
                origin_host: &self.local.host,
                origin_realm: &self.local.realm,
                destination_realm: &session.realm,
                destination_host: &session.client,
                auth_application_id: application::CREDIT_CONTROL,
                re_auth_request_type: ReAuthRequestType::AuthorizeOnly,
                origin_state_id: self.local.origin_state_id,
                ..ReAuthRequest::default()
            };
            encode(out, ids, &request).is_ok()
        }))
    }

    fn abort<'a>(&'a self, session: &'a SessionAddress) -> Asked<'a> {
        Box::pin(self.ask(session, |out, ids| {
            let request = AbortSessionRequest {
                session_id: session_parts(&session.session).0,
                origin_host: &self.local.host,
                origin_realm: &self.local.realm,
                destination_realm: &session.realm,
                destination_host: &session.client,
                auth_application_id: application::CREDIT_CONTROL,
                origin_state_id: self.local.origin_state_id,
                ..AbortSessionRequest::default()
            };
            encode(out, ids, &request).is_ok()
        }))
    }
}

fn span(length: Duration) -> Span {
    Span::seconds(u32::try_from(length.as_secs()).unwrap_or(u32::MAX))
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
