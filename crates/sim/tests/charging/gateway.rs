//! A gateway: sessions over one connection, each request sent until it is answered.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use simurgh_diameter::base::CapabilitiesExchangeRequest;
use simurgh_diameter::credit_control::{
    CcRequestType, CreditControlAnswer, CreditControlRequest, MultipleServicesCreditControl,
    RequestedServiceUnit, SubscriptionId, SubscriptionIdType, UsedServiceUnit,
};
use simurgh_diameter::frame::{Frame, Framing, Ids, Limits, next_frame, readdress, retransmit};
use simurgh_diameter::message::{application, decode, encode};
use simurgh_diameter::value::{Address, Private};
use simurgh_diameter::{Repeated, ResultCode};
use simurgh_sim::{CHARGED_REALM, Chance, gateway, line_number};

use super::model::{LINES, Model};

/// Sessions of a gateway at once: several of one line among them.
const SESSIONS: usize = 6;
/// How long an answer may take before the test has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Gateway {
    number: u32,
    host: String,
    chance: Chance,
    model: Arc<Model>,
    sessions: Vec<Option<Session>>,
    begun: u32,
    sent: u32,
}

struct Session {
    id: String,
    line: u32,
    /// The number of its next request.
    next: u32,
    held: i64,
    waiting: Option<Vec<u8>>,
    is_ending: bool,
    /// The last request that was answered, with its answer.
    last: Option<(Vec<u8>, Vec<u8>)>,
}

impl Gateway {
    pub(crate) fn new(number: u32, seed: u64, model: Arc<Model>) -> Self {
        Self {
            number,
            host: gateway(number),
            chance: Chance::new(seed ^ u64::from(number + 1)),
            model,
            sessions: (0..SESSIONS).map(|_| None).collect(),
            begun: 0,
            sent: 0,
        }
    }

    /// Works until the model comes to its end and every session has ended.
    pub(crate) fn work(mut self) {
        let mut connection = None;
        loop {
            for place in 0..SESSIONS {
                self.plan(place);
            }
            if self.sessions.iter().all(Option::is_none) {
                return;
            }
            // Until everything that was asked is answered, by whichever node.
            while self.exchange(&mut connection).is_none() {
                connection = None;
            }
        }
    }

    /// What a session asks next.
    fn plan(&mut self, place: usize) {
        let is_ending = self.model.is_ending();
        let Some(mut session) = self.sessions[place].take() else {
            if !is_ending {
                self.sessions[place] = Some(self.begin());
            }
            return;
        };
        if session.is_ending {
            if !is_ending {
                self.sessions[place] = Some(self.begin());
            }
            return;
        }
        session.is_ending = is_ending || session.held == 0 || self.chance.below(5) == 0;
        let part = i64::try_from(self.chance.below(101)).unwrap();
        let used = session.held / 100 * part;
        self.model.reports(session.line, session.held, used);
        session.held = 0;
        let kind = if session.is_ending {
            CcRequestType::Termination
        } else {
            CcRequestType::Update
        };
        let request = self.request(&session, kind, Some(used));
        session.waiting = Some(request);
        self.sessions[place] = Some(session);
    }

    fn begin(&mut self) -> Session {
        self.begun += 1;
        let line = u32::try_from(self.chance.below(LINES as usize)).unwrap();
        let mut session = Session {
            id: format!("{};{}", self.host, self.begun),
            line,
            next: 0,
            held: 0,
            waiting: None,
            is_ending: false,
            last: None,
        };
        session.waiting = Some(self.request(&session, CcRequestType::Initial, None));
        session
    }

    fn request(&mut self, session: &Session, kind: CcRequestType, used: Option<i64>) -> Vec<u8> {
        let number = line_number(session.line);
        let subscriber = [SubscriptionId {
            subscription_id_type: SubscriptionIdType::E164,
            subscription_id_data: Private(&number),
        }];
        let units = [UsedServiceUnit {
            total_octets: used.map(i64::unsigned_abs),
            ..UsedServiceUnit::default()
        }];
        let asks = kind != CcRequestType::Termination;
        let service = [MultipleServicesCreditControl {
            rating_group: Some(1),
            requested_service_unit: asks.then(RequestedServiceUnit::default),
            used_service_unit: used.map_or(Repeated::NONE, |_| Repeated::from(&units)),
            ..MultipleServicesCreditControl::default()
        }];
        let request = CreditControlRequest {
            session_id: &session.id,
            origin_host: &self.host,
            origin_realm: CHARGED_REALM,
            destination_realm: CHARGED_REALM,
            auth_application_id: application::CREDIT_CONTROL,
            service_context_id: "32251@3gpp.org",
            cc_request_type: kind,
            cc_request_number: session.next,
            subscription_id: Repeated::from(&subscriber),
            multiple_services_credit_control: Repeated::from(&service),
            ..CreditControlRequest::default()
        };
        self.sent += 1;
        let ids = Ids {
            hop_by_hop: 0,
            end_to_end: self.sent,
        };
        let mut out = Vec::new();
        encode(&mut out, ids, &request).unwrap();
        out
    }

    /// Sends what waits and hears the answers; none when the connection breaks.
    fn exchange(&mut self, connection: &mut Option<Connection>) -> Option<()> {
        let is_new = connection.is_none();
        if is_new {
            *connection = Some(Connection::open(self)?);
        }
        let connection = connection.as_mut()?;
        if is_new {
            self.ask_again(connection)?;
        }
        let mut out = Vec::new();
        let mut count = 0;
        for (place, session) in (0u32..).zip(&mut self.sessions) {
            let Some(request) = session.as_mut().and_then(|it| it.waiting.as_mut()) else {
                continue;
            };
            if is_new {
                // It may have been sent before. Source: RFC 6733 §5.5.4
                retransmit(request, place);
                self.model.is_repeated();
            } else {
                readdress(request, place);
            }
            out.extend_from_slice(request);
            count += 1;
        }
        connection.write(&out)?;
        for _ in 0..count {
            let answer = connection.read()?;
            self.hear(&answer);
        }
        Some(())
    }

    fn hear(&mut self, octets: &[u8]) {
        let frame = frame(octets);
        let place = frame.header.ids.hop_by_hop as usize;
        let session = self.sessions[place].as_mut().unwrap();
        let request = session.waiting.take().unwrap();
        let answer = decode::<CreditControlAnswer<'_>>(&frame).unwrap();
        let service = answer.multiple_services_credit_control.first();
        let code = service.and_then(|it| it.result_code);
        let granted = service.and_then(|it| it.granted_service_unit);
        let granted = granted.and_then(|it| it.total_octets).unwrap_or(0);
        let granted = i64::try_from(granted).unwrap();
        let is_fine = match code {
            Some(ResultCode::SUCCESS) => (granted > 0) != session.is_ending,
            Some(ResultCode::CREDIT_LIMIT_REACHED) => granted == 0 && !session.is_ending,
            _ => false,
        };
        if answer.result_code != ResultCode::SUCCESS || !is_fine {
            let number = session.next;
            let finding = format!("{} {number}: {:?} {code:?}", session.id, answer.result_code);
            self.model.finds(finding);
        }
        session.next += 1;
        session.held = granted;
        session.last = Some((request, octets.to_vec()));
        self.model.answered(session.line, granted);
    }

    /// Whoever is asked the last answered request again says the same again.
    fn ask_again(&mut self, connection: &mut Connection) -> Option<()> {
        for session in self.sessions.iter().flatten() {
            let Some((request, answer)) = &session.last else {
                continue;
            };
            let mut request = request.clone();
            retransmit(&mut request, 4_000);
            connection.write(&request)?;
            let mut again = connection.read()?;
            readdress(&mut again, frame(answer).header.ids.hop_by_hop);
            if again != *answer {
                self.model
                    .finds(format!("{} is answered otherwise", session.id));
            }
        }
        Some(())
    }
}

struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
}

impl Connection {
    fn open(gateway: &Gateway) -> Option<Self> {
        let address = gateway.model.address(gateway.number as usize);
        let stream = TcpStream::connect(address).ok()?;
        stream.set_nodelay(true).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let mut connection = Self {
            stream,
            input: Vec::new(),
        };
        let addresses = [Address::Ip([127, 0, 0, 1].into())];
        let request = CapabilitiesExchangeRequest {
            origin_host: &gateway.host,
            origin_realm: CHARGED_REALM,
            host_ip_address: Repeated::from(&addresses),
            vendor_id: 0,
            product_name: "test",
            auth_application_id: Repeated::from(&[application::CREDIT_CONTROL]),
            ..Default::default()
        };
        let mut out = Vec::new();
        encode(&mut out, Ids::default(), &request).unwrap();
        connection.write(&out)?;
        connection.read()?;
        Some(connection)
    }

    fn write(&mut self, octets: &[u8]) -> Option<()> {
        self.stream.write_all(octets).ok()
    }

    /// The next message; none when the connection is broken.
    fn read(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Framing::Whole(frame) = next_frame(&self.input, &Limits::default()).unwrap() {
                let octets = frame.octets.to_vec();
                self.input.drain(..octets.len());
                return Some(octets);
            }
            let mut more = [0; 16_384];
            match self.stream.read(&mut more) {
                Ok(0) => return None,
                Ok(count) => self.input.extend_from_slice(&more[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    panic!("no answer within {PATIENCE:?}")
                }
                Err(_) => return None,
            }
        }
    }
}

fn frame(octets: &[u8]) -> Frame<'_> {
    match next_frame(octets, &Limits::default()) {
        Ok(Framing::Whole(frame)) => frame,
        other => panic!("{other:?}"),
    }
}
