//! The state of a peer, as data in and data out: no sockets, no clock. The caller owns up to two
//! connections with a peer, the one it opened (initiator) and the one it accepted (responder), feeds
//! [`Event`]s in, writes out what is in the [`Outbox`] and follows its effects.
//!
//! The states and events are those of the table in RFC 6733 §5.6; their names are kept.

use std::net::IpAddr;
use std::sync::Arc;

use simurgh_vocab::{Duration, Timestamp};

use crate::allowed::AllowedPeer;
use crate::base::{
    CapabilitiesExchangeAnswer, CapabilitiesExchangeRequest, DeviceWatchdogAnswer,
    DeviceWatchdogRequest, DisconnectCause, DisconnectPeerAnswer, DisconnectPeerRequest,
};
use crate::encode::TooLong;
use crate::fault::{Fault, ResultCode};
use crate::frame::{Frame, Header, Ids};
use crate::message::{Command, Origin, application, decode, encode, encode_as, encode_fault};
use crate::transactions::Sequence;
use crate::value::{Address, Repeated};
use crate::watchdog::{Health, Order, Sign, Watchdog};

/// How long a connection may take to open or to close.
const EXCHANGE: Duration = Duration::seconds(10);

/// What we say about ourselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    /// Our Origin-Host.
    pub host: String,
    /// Our Origin-Realm.
    pub realm: String,
    /// Our addresses: at least one.
    pub addresses: Vec<IpAddr>,
    /// Our Vendor-Id.
    pub vendor_id: u32,
    /// Our Product-Name.
    pub product_name: String,
    /// Grows with every restart that loses sessions.
    pub origin_state_id: Option<u32>,
    /// The applications we speak.
    pub applications: Vec<u32>,
    /// The vendors whose AVPs we know.
    pub vendors: Vec<u32>,
}

impl Local {
    /// Our name, for answers.
    #[must_use]
    pub fn origin(&self) -> Origin<'_> {
        Origin {
            host: &self.host,
            realm: &self.realm,
        }
    }
}

/// One of the two connections that there can be with a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The one we opened.
    Initiator,
    /// The one we accepted.
    Responder,
}

/// What happened.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A connection is wanted.
    Start,
    /// The connection that was asked for is there.
    Connected,
    /// It could not be made.
    NotConnected,
    /// A connection was accepted, and this CER on it is of this peer.
    Accepted(&'a Frame<'a>),
    /// A message came.
    Received(Side, &'a Frame<'a>),
    /// The other side closed a connection, or it broke.
    Disconnected(Side),
    /// Time has passed; to be said at [`Peer::due`], earlier does no harm.
    Tick,
    /// The connection is no longer wanted.
    Stop(DisconnectCause),
}

/// What the caller has to do, after it has written what is in the buffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Open a connection.
    Connect,
    /// Close this one.
    Close(Side),
    /// Close the connection that was accepted last, not the one that is in use.
    Reject,
    /// Capabilities were exchanged on this side: what comes on it is to be handled. Whether requests may be
    /// sent says [`Peer::usable`]: a connection that was made again has to prove itself until
    /// [`FailBack`](Self::FailBack).
    Open(Side),
    /// Send no more requests, and repeat elsewhere what is unanswered.
    FailOver,
    /// Requests may be sent again.
    FailBack,
}

/// What is to be written to each connection, and what else is to be done.
#[derive(Debug, Default)]
pub struct Outbox {
    /// For the connection we opened.
    pub initiator: Vec<u8>,
    /// For the connection we accepted.
    pub responder: Vec<u8>,
    /// For the connection that is rejected.
    pub rejected: Vec<u8>,
    /// In order.
    pub effects: Vec<Effect>,
}

impl Outbox {
    fn of(&mut self, side: Side) -> &mut Vec<u8> {
        match side {
            Side::Initiator => &mut self.initiator,
            Side::Responder => &mut self.responder,
        }
    }

    /// Forgets everything, and keeps the memory.
    pub fn clear(&mut self) {
        self.initiator.clear();
        self.responder.clear();
        self.rejected.clear();
        self.effects.clear();
    }
}

/// Whose turn it is with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Nothing more is to be done with it.
    Done,
    /// It is for the application: a request to answer, or an answer to match.
    Application,
}

/// Where the conversation is.
///
/// Source: RFC 6733 §5.6
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    Closed,
    /// A connection was asked for.
    WaitConnAck,
    /// A CER was sent.
    WaitICea,
    /// A connection was asked for, and one came from the other side. Holds its CER's header.
    WaitConnAckElect(Header),
    /// CERs crossed, and the other side decides. Holds its CER's header.
    WaitReturns(Header),
    /// In use.
    Open(Side),
    /// A DPR was sent or answered.
    Closing(Side),
}

/// One peer.
#[derive(Debug)]
pub struct Peer {
    local: Arc<Local>,
    remote: AllowedPeer,
    state: State,
    /// When to give up waiting, in the states that wait.
    deadline: Timestamp,
    watchdog: Watchdog,
    sequence: Sequence,
    /// Whether we connect again after a connection is lost.
    persistent: bool,
    remote_state_id: Option<u32>,
}

impl Peer {
    /// A peer without a connection. `random` seeds ids and jitter; `watchdog_interval` is Tw (30 s).
    #[must_use]
    pub fn new(
        local: Arc<Local>,
        remote: AllowedPeer,
        watchdog_interval: Duration,
        random: u64,
        now: Timestamp,
    ) -> Self {
        Self {
            local,
            remote,
            state: State::Closed,
            deadline: now,
            watchdog: Watchdog::new(watchdog_interval, random, now),
            sequence: Sequence::new(random, now),
            persistent: false,
            remote_state_id: None,
        }
    }

    /// Where the conversation is.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Whether requests should be sent now, and on which side. Not while a watchdog is unanswered for long, nor
    /// on a connection that we made again and that has not answered three watchdogs yet; whoever has no other
    /// server may look at [`state`](Self::state) instead.
    ///
    /// Source: RFC 3539 §3.4.1
    #[must_use]
    pub fn usable(&self) -> Option<Side> {
        match self.state {
            State::Open(side) if self.watchdog.health() == Health::Okay => Some(side),
            State::Open(_)
            | State::Closed
            | State::WaitConnAck
            | State::WaitICea
            | State::WaitConnAckElect(_)
            | State::WaitReturns(_)
            | State::Closing(_) => None,
        }
    }

    /// The other side's Origin-State-Id: when it grows, its sessions are gone.
    #[must_use]
    pub const fn remote_state_id(&self) -> Option<u32> {
        self.remote_state_id
    }

    /// Who it is.
    #[must_use]
    pub const fn remote(&self) -> &AllowedPeer {
        &self.remote
    }

    /// Where ids of requests to this peer come from.
    pub const fn sequence(&mut self) -> &mut Sequence {
        &mut self.sequence
    }

    /// When to say [`Event::Tick`]; never, when it is closed and nobody wants it open.
    #[must_use]
    pub const fn due(&self) -> Option<Timestamp> {
        match self.state {
            State::Open(_) => Some(self.watchdog.due()),
            State::Closed if self.persistent => Some(self.watchdog.due()),
            State::Closed => None,
            State::WaitConnAck
            | State::WaitICea
            | State::WaitConnAckElect(_)
            | State::WaitReturns(_)
            | State::Closing(_) => Some(self.deadline),
        }
    }

    /// One step.
    ///
    /// # Errors
    /// [`TooLong`], when our own names are longer than a message.
    ///
    /// Source: RFC 6733 §5.6
    pub fn handle(
        &mut self,
        event: Event<'_>,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Result<Turn, TooLong> {
        match event {
            Event::Received(side, frame) => return self.received(side, frame, now, out),
            Event::Accepted(frame) => self.accepted(frame, now, out)?,
            Event::Start => self.start(now, out),
            Event::Connected => self.connected(now, out)?,
            Event::NotConnected => self.not_connected(now, out)?,
            Event::Disconnected(side) => self.disconnected(side, now, out)?,
            Event::Tick => self.tick(now, out)?,
            Event::Stop(cause) => self.stop(cause, now, out)?,
        }
        Ok(Turn::Done)
    }

    fn wait(&mut self, state: State, now: Timestamp) {
        self.state = state;
        self.deadline = now.plus(EXCHANGE);
    }

    fn start(&mut self, now: Timestamp, out: &mut Outbox) {
        self.persistent = true;
        if self.state == State::Closed {
            out.effects.push(Effect::Connect);
            self.wait(State::WaitConnAck, now);
        }
    }

    fn connected(&mut self, now: Timestamp, out: &mut Outbox) -> Result<(), TooLong> {
        match self.state {
            State::WaitConnAck => {
                self.send_cer(out)?;
                self.wait(State::WaitICea, now);
            }
            State::WaitConnAckElect(request) => {
                self.send_cer(out)?;
                self.elect(request, now, out)?;
            }
            State::Closed
            | State::WaitICea
            | State::WaitReturns(_)
            | State::Open(_)
            | State::Closing(_) => out.effects.push(Effect::Close(Side::Initiator)),
        }
        Ok(())
    }

    fn not_connected(&mut self, now: Timestamp, out: &mut Outbox) -> Result<(), TooLong> {
        match self.state {
            State::WaitConnAck => self.close(now, out),
            State::WaitConnAckElect(request) => self.answer_and_open(&request, now, out)?,
            State::Closed
            | State::WaitICea
            | State::WaitReturns(_)
            | State::Open(_)
            | State::Closing(_) => {}
        }
        Ok(())
    }

    /// R-Conn-CER.
    fn accepted(
        &mut self,
        frame: &Frame<'_>,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Result<(), TooLong> {
        let asked = match self.judge(frame) {
            Ok(asked) => asked,
            Err(fault) => {
                encode_fault(&mut out.rejected, frame, self.local.origin(), &fault)?;
                out.effects.push(Effect::Reject);
                return Ok(());
            }
        };
        match self.state {
            State::Closed => {
                self.remote_state_id = asked;
                self.answer_and_open(&frame.header, now, out)?;
            }
            State::WaitConnAck => {
                self.remote_state_id = asked;
                self.wait(State::WaitConnAckElect(frame.header), now);
            }
            State::WaitICea => {
                self.remote_state_id = asked;
                self.elect(frame.header, now, out)?;
            }
            State::WaitConnAckElect(_)
            | State::WaitReturns(_)
            | State::Open(_)
            | State::Closing(_) => out.effects.push(Effect::Reject),
        }
        Ok(())
    }

    /// Process-CER: whether it is who it has to be and speaks what we speak.
    ///
    /// Source: RFC 6733 §5.3
    fn judge<'f>(&self, frame: &Frame<'f>) -> Result<Option<u32>, Fault<'f>> {
        let request = decode::<CapabilitiesExchangeRequest<'f>>(frame)?;
        if !self.remote.is(request.origin_host, request.origin_realm) {
            return Err(Fault::bare(ResultCode::UNKNOWN_PEER));
        }
        let of_vendors = request.vendor_specific_application_id;
        let mut spoken = request
            .auth_application_id
            .iter()
            .chain(of_vendors.iter().filter_map(|one| one.auth_application_id));
        if !spoken.any(|one| one == application::RELAY || self.local.applications.contains(&one)) {
            return Err(Fault::bare(ResultCode::NO_COMMON_APPLICATION));
        }
        // 0 is NO_INBAND_SECURITY; TLS, if at all, begins before the first message.
        let security = request.inband_security_id;
        if !security.is_empty() && !security.iter().any(|one| one == 0) {
            return Err(Fault::bare(ResultCode::NO_COMMON_SECURITY));
        }
        Ok(request.origin_state_id)
    }

    /// Elect: the greater name keeps the connection it accepted.
    ///
    /// Source: RFC 6733 §5.6.4
    fn elect(&mut self, request: Header, now: Timestamp, out: &mut Outbox) -> Result<(), TooLong> {
        let lower = |name: &str| name.to_ascii_lowercase();
        if lower(&self.local.host) > lower(&self.remote.host) {
            out.effects.push(Effect::Close(Side::Initiator));
            return self.answer_and_open(&request, now, out);
        }
        self.wait(State::WaitReturns(request), now);
        Ok(())
    }

    fn answer_and_open(
        &mut self,
        request: &Header,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Result<(), TooLong> {
        let addresses: Vec<_> = self.addresses();
        let answer = CapabilitiesExchangeAnswer {
            result_code: ResultCode::SUCCESS,
            origin_host: &self.local.host,
            origin_realm: &self.local.realm,
            host_ip_address: Repeated::from(addresses.as_slice()),
            vendor_id: self.local.vendor_id,
            product_name: &self.local.product_name,
            origin_state_id: self.local.origin_state_id,
            supported_vendor_id: Repeated::from(self.local.vendors.as_slice()),
            auth_application_id: Repeated::from(self.local.applications.as_slice()),
            ..Default::default()
        };
        encode_as(&mut out.responder, &request.answer(), &answer)?;
        self.open(Side::Responder, now, out)
    }

    fn send_cer(&mut self, out: &mut Outbox) -> Result<(), TooLong> {
        let ids = self.sequence.take();
        let addresses: Vec<_> = self.addresses();
        let request = CapabilitiesExchangeRequest {
            origin_host: &self.local.host,
            origin_realm: &self.local.realm,
            host_ip_address: Repeated::from(addresses.as_slice()),
            vendor_id: self.local.vendor_id,
            product_name: &self.local.product_name,
            origin_state_id: self.local.origin_state_id,
            supported_vendor_id: Repeated::from(self.local.vendors.as_slice()),
            auth_application_id: Repeated::from(self.local.applications.as_slice()),
            ..Default::default()
        };
        encode(&mut out.initiator, ids, &request)?;
        Ok(())
    }

    fn addresses(&self) -> Vec<Address<'static>> {
        self.local
            .addresses
            .iter()
            .copied()
            .map(Address::Ip)
            .collect()
    }

    fn open(&mut self, side: Side, now: Timestamp, out: &mut Outbox) -> Result<(), TooLong> {
        // Only who opens a connection makes it prove itself again: a client that comes back to a server has
        // its requests answered at once.
        if side == Side::Responder && self.watchdog.health() == Health::Down {
            self.watchdog.renew();
        }
        self.state = State::Open(side);
        out.effects.push(Effect::Open(side));
        let order = self.watchdog.step(Sign::Up, now);
        self.follow(order, now, out)
    }

    fn received(
        &mut self,
        side: Side,
        frame: &Frame<'_>,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Result<Turn, TooLong> {
        match self.state {
            State::Open(open) if open == side => self.received_open(side, frame, now, out),
            State::WaitICea | State::WaitReturns(_) if side == Side::Initiator => {
                self.received_cea(frame, now, out)?;
                Ok(Turn::Done)
            }
            State::Closing(closing) if closing == side => {
                self.received_closing(side, frame, now, out)
            }
            State::Closed
            | State::WaitConnAck
            | State::WaitConnAckElect(_)
            | State::WaitICea
            | State::WaitReturns(_)
            | State::Open(_)
            | State::Closing(_) => Ok(Turn::Done),
        }
    }

    /// I-Rcv-CEA, I-Rcv-Non-CEA.
    fn received_cea(
        &mut self,
        frame: &Frame<'_>,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Result<(), TooLong> {
        let answer = decode::<CapabilitiesExchangeAnswer<'_>>(frame)
            .ok()
            .filter(|answer| {
                answer.result_code.is_success()
                    && !frame.header.is_error()
                    && self.remote.is(answer.origin_host, answer.origin_realm)
            });
        let Some(answer) = answer else {
            self.close(now, out);
            return Ok(());
        };
        self.remote_state_id = answer.origin_state_id;
        if matches!(self.state, State::WaitReturns(_)) {
            out.effects.push(Effect::Close(Side::Responder));
        }
        self.open(Side::Initiator, now, out)
    }

    fn received_open(
        &mut self,
        side: Side,
        frame: &Frame<'_>,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Result<Turn, TooLong> {
        let header = &frame.header;
        let is_dwa = header.command == DeviceWatchdogAnswer::CODE && !header.is_request();
        let sign = if is_dwa { Sign::Answer } else { Sign::Traffic };
        let order = self.watchdog.step(sign, now);
        self.follow(order, now, out)?;
        match (header.command, header.is_request()) {
            (DeviceWatchdogRequest::CODE, true) => self.answer_dwr(side, frame, out)?,
            (DisconnectPeerRequest::CODE, true) => self.answer_dpr(side, frame, now, out)?,
            (CapabilitiesExchangeRequest::CODE, true) => {
                let fault = Fault::bare(ResultCode::UNABLE_TO_COMPLY);
                encode_fault(out.of(side), frame, self.local.origin(), &fault)?;
            }
            (
                DeviceWatchdogRequest::CODE
                | DisconnectPeerRequest::CODE
                | CapabilitiesExchangeRequest::CODE,
                false,
            ) => {}
            (_, true | false) => return Ok(Turn::Application),
        }
        Ok(Turn::Done)
    }

    fn answer_dwr(
        &mut self,
        side: Side,
        frame: &Frame<'_>,
        out: &mut Outbox,
    ) -> Result<(), TooLong> {
        let to = out.of(side);
        match decode::<DeviceWatchdogRequest<'_>>(frame) {
            Ok(request) => {
                self.remote_state_id = request.origin_state_id.or(self.remote_state_id);
                let answer = DeviceWatchdogAnswer {
                    result_code: ResultCode::SUCCESS,
                    origin_host: &self.local.host,
                    origin_realm: &self.local.realm,
                    origin_state_id: self.local.origin_state_id,
                    ..Default::default()
                };
                encode_as(to, &frame.header.answer(), &answer)?;
            }
            Err(fault) => {
                encode_fault(to, frame, self.local.origin(), &fault)?;
            }
        }
        Ok(())
    }

    fn answer_dpr(
        &mut self,
        side: Side,
        frame: &Frame<'_>,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Result<(), TooLong> {
        match decode::<DisconnectPeerRequest<'_>>(frame) {
            Ok(_) => {
                let answer = DisconnectPeerAnswer {
                    result_code: ResultCode::SUCCESS,
                    origin_host: &self.local.host,
                    origin_realm: &self.local.realm,
                    ..Default::default()
                };
                encode_as(out.of(side), &frame.header.answer(), &answer)?;
                // It said good-bye: it has to come again by itself.
                self.persistent = false;
                self.leave(now, out);
                self.wait(State::Closing(side), now);
            }
            Err(fault) => {
                encode_fault(out.of(side), frame, self.local.origin(), &fault)?;
            }
        }
        Ok(())
    }

    /// While closing, answers to what was asked before still count.
    fn received_closing(
        &mut self,
        side: Side,
        frame: &Frame<'_>,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Result<Turn, TooLong> {
        let header = &frame.header;
        match (header.command, header.is_request()) {
            (DisconnectPeerAnswer::CODE, false) => self.close(now, out),
            // Both said it at once.
            (DisconnectPeerRequest::CODE, true) => self.answer_dpr(side, frame, now, out)?,
            (_, false) => return Ok(Turn::Application),
            (_, true) => {
                let fault = Fault::bare(ResultCode::UNABLE_TO_DELIVER);
                encode_fault(out.of(side), frame, self.local.origin(), &fault)?;
            }
        }
        Ok(Turn::Done)
    }

    fn disconnected(
        &mut self,
        side: Side,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Result<(), TooLong> {
        match (self.state, side) {
            (State::WaitICea, Side::Initiator) => self.close(now, out),
            (State::WaitConnAckElect(_), Side::Responder) => self.wait(State::WaitConnAck, now),
            (State::WaitReturns(_), Side::Responder) => self.wait(State::WaitICea, now),
            (State::WaitReturns(request), Side::Initiator) => {
                out.effects.push(Effect::Close(Side::Initiator));
                self.answer_and_open(&request, now, out)?;
            }
            (State::Open(used) | State::Closing(used), side) if used == side => {
                self.close(now, out)
            }
            (
                State::Closed
                | State::WaitConnAck
                | State::WaitICea
                | State::WaitConnAckElect(_)
                | State::Open(_)
                | State::Closing(_),
                Side::Initiator | Side::Responder,
            ) => {}
        }
        Ok(())
    }

    fn tick(&mut self, now: Timestamp, out: &mut Outbox) -> Result<(), TooLong> {
        if self.due().is_none_or(|due| now < due) {
            return Ok(());
        }
        match self.state {
            State::Open(_) | State::Closed => {
                let order = self.watchdog.step(Sign::Expired, now);
                self.follow(order, now, out)
            }
            State::WaitConnAck
            | State::WaitICea
            | State::WaitConnAckElect(_)
            | State::WaitReturns(_)
            | State::Closing(_) => {
                self.close(now, out);
                Ok(())
            }
        }
    }

    fn stop(
        &mut self,
        cause: DisconnectCause,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Result<(), TooLong> {
        self.persistent = false;
        let State::Open(side) = self.state else {
            self.close(now, out);
            return Ok(());
        };
        let ids = self.sequence.take();
        let request = DisconnectPeerRequest {
            origin_host: &self.local.host,
            origin_realm: &self.local.realm,
            disconnect_cause: cause,
        };
        encode(out.of(side), ids, &request)?;
        self.leave(now, out);
        self.wait(State::Closing(side), now);
        Ok(())
    }

    fn follow(&mut self, order: Order, now: Timestamp, out: &mut Outbox) -> Result<(), TooLong> {
        match (order, self.state) {
            (Order::Ask, State::Open(side)) => self.send_dwr(side, out)?,
            (Order::FailOver, _) => out.effects.push(Effect::FailOver),
            (Order::FailBack, _) => out.effects.push(Effect::FailBack),
            (Order::Close, _) => self.close(now, out),
            (Order::Connect, State::Closed) => self.start(now, out),
            (Order::Wait | Order::Ask | Order::Connect, _) => {}
        }
        Ok(())
    }

    fn send_dwr(&mut self, side: Side, out: &mut Outbox) -> Result<(), TooLong> {
        let ids: Ids = self.sequence.take();
        let request = DeviceWatchdogRequest {
            origin_host: &self.local.host,
            origin_realm: &self.local.realm,
            origin_state_id: self.local.origin_state_id,
        };
        encode(out.of(side), ids, &request)?;
        Ok(())
    }

    /// The open connection is no longer for requests.
    fn leave(&mut self, now: Timestamp, out: &mut Outbox) {
        if self.watchdog.step(Sign::Down, now) == Order::FailOver {
            out.effects.push(Effect::FailOver);
        }
    }

    /// Closes whatever there is.
    fn close(&mut self, now: Timestamp, out: &mut Outbox) {
        match self.state {
            State::Closed => {}
            State::WaitConnAck | State::WaitICea => {
                out.effects.push(Effect::Close(Side::Initiator));
            }
            State::WaitConnAckElect(_) | State::WaitReturns(_) => {
                out.effects.push(Effect::Close(Side::Initiator));
                out.effects.push(Effect::Close(Side::Responder));
            }
            State::Open(side) | State::Closing(side) => {
                self.leave(now, out);
                out.effects.push(Effect::Close(side));
            }
        }
        self.state = State::Closed;
    }
}
