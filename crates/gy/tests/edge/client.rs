//! A client of the network: one connection.

use simurgh_diameter::base::{
    CapabilitiesExchangeAnswer, CapabilitiesExchangeRequest, DeviceWatchdogRequest, ReAuthAnswer,
    ReAuthRequest,
};
use simurgh_diameter::credit_control::{
    CcRequestType, CreditControlAnswer, CreditControlRequest, MultipleServicesCreditControl,
    RequestedAction, RequestedServiceUnit, SubscriptionId, SubscriptionIdType, UsedServiceUnit,
};
use simurgh_diameter::frame::{Frame, Framing, Ids, Limits, next_frame, retransmit};
use simurgh_diameter::message::{Group, application, decode, encode, encode_as};
use simurgh_diameter::value::Address;
use simurgh_diameter::{Private, Repeated, ResultCode};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::world::{NUMBER, Operator, REALM};

/// What of an answer tests look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) octets: Vec<u8>,
    pub(crate) code: u32,
    pub(crate) services: Vec<HeardService>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeardService {
    pub(crate) group: Option<u32>,
    pub(crate) code: u32,
    pub(crate) granted: Option<u64>,
    pub(crate) redirected_to: Option<String>,
    pub(crate) validity: Option<u32>,
    pub(crate) holding: Option<u32>,
    /// The filters of the last units.
    pub(crate) filters: Vec<String>,
}

/// One service of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    pub(crate) group: u32,
    pub(crate) used: Option<u64>,
    pub(crate) asks: bool,
}

/// Asks for units of rating group 1.
pub(crate) const ASK: Told = Told {
    group: 1,
    used: None,
    asks: true,
};

/// Reports units of rating group 1 and asks for more.
pub(crate) const fn used(used: u64) -> Told {
    Told {
        used: Some(used),
        ..ASK
    }
}

/// Reports the last units of rating group 1.
pub(crate) const fn last(used: u64) -> Told {
    Told {
        group: 1,
        used: Some(used),
        asks: false,
    }
}

/// TCP, or TLS over it.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Wire for S {}

pub(crate) struct Client {
    stream: Box<dyn Wire>,
    pub(crate) host: &'static str,
    /// What it says of its restarts.
    pub(crate) state_id: Option<u32>,
    input: Vec<u8>,
    /// All that was written and read.
    pub(crate) said: Vec<Vec<u8>>,
    ids: Ids,
}

impl Client {
    /// Connects without a word.
    pub(crate) async fn connect(operator: &Operator, host: &'static str) -> Self {
        let stream = TcpStream::connect(operator.address).await.unwrap();
        Self::over(Box::new(stream), host)
    }

    /// Speaks over what is connected.
    pub(crate) fn over(stream: Box<dyn Wire>, host: &'static str) -> Self {
        Self {
            stream,
            host,
            state_id: None,
            input: Vec::new(),
            said: Vec::new(),
            ids: Ids {
                hop_by_hop: 1,
                end_to_end: 1,
            },
        }
    }

    /// Connects and exchanges capabilities.
    pub(crate) async fn open(operator: &Operator, host: &'static str) -> Self {
        let mut client = Self::connect(operator, host).await;
        assert_eq!(client.greet().await, ResultCode::SUCCESS);
        client
    }

    /// The code of the answer; zero when the connection is closed without one.
    pub(crate) async fn greet(&mut self) -> ResultCode {
        let host_ip_address = [Address::Ip([127, 0, 0, 1].into())];
        let request = CapabilitiesExchangeRequest {
            origin_host: self.host,
            origin_realm: REALM,
            host_ip_address: Repeated::from(&host_ip_address),
            vendor_id: 0,
            product_name: "test",
            origin_state_id: self.state_id,
            auth_application_id: Repeated::from(&[application::CREDIT_CONTROL]),
            ..Default::default()
        };
        let mut out = Vec::new();
        encode(&mut out, self.next_ids(), &request).unwrap();
        self.write(&out).await;
        let Some(octets) = self.read().await else {
            return ResultCode(0);
        };
        let frame = frame(&octets);
        match decode::<CapabilitiesExchangeAnswer<'_>>(&frame) {
            Ok(answer) => answer.result_code,
            Err(_) => result_code(&frame),
        }
    }

    pub(crate) fn next_ids(&mut self) -> Ids {
        let ids = self.ids;
        self.ids.hop_by_hop += 1;
        self.ids.end_to_end += 1;
        ids
    }

    pub(crate) async fn write(&mut self, octets: &[u8]) {
        self.said.push(octets.to_vec());
        self.stream.write_all(octets).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Whether the other side still takes something.
    pub(crate) async fn try_write(&mut self, octets: &[u8]) -> bool {
        self.stream.write_all(octets).await.is_ok()
    }

    /// Writes a lot and reads beside it until so many answers have come.
    pub(crate) async fn write_beside_reading(&mut self, octets: &[u8], answers: usize) {
        let (mut reader, mut writer) = tokio::io::split(&mut self.stream);
        let writing = async { writer.write_all(octets).await.unwrap() };
        let reading = async {
            let (mut input, mut heard) = (Vec::new(), 0);
            while heard < answers {
                assert!(reader.read_buf(&mut input).await.unwrap() > 0, "{heard}");
                while let Ok(Framing::Whole(frame)) = next_frame(&input, &Limits::default()) {
                    let length = frame.octets.len();
                    input.drain(..length);
                    heard += 1;
                }
            }
            assert!(input.is_empty() && heard == answers);
        };
        tokio::join!(writing, reading);
    }

    /// Asks whether the other side is there.
    pub(crate) async fn watchdog(&mut self, state_id: Option<u32>) {
        let request = DeviceWatchdogRequest {
            origin_host: self.host,
            origin_realm: REALM,
            origin_state_id: state_id,
        };
        let mut out = Vec::new();
        encode(&mut out, self.next_ids(), &request).unwrap();
        self.write(&out).await;
        let octets = self.read().await.unwrap();
        assert_eq!(frame(&octets).header.command, 280);
    }

    /// The next message; none at the end of the stream.
    pub(crate) async fn read(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Ok(Framing::Whole(frame)) = next_frame(&self.input, &Limits::default()) {
                let octets = frame.octets.to_vec();
                self.input.drain(..octets.len());
                self.said.push(octets.clone());
                return Some(octets);
            }
            match self.stream.read_buf(&mut self.input).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Sends a request of a data session and hears the answer.
    pub(crate) async fn data(
        &mut self,
        session: &str,
        kind: CcRequestType,
        number: u32,
        told: &[Told],
    ) -> Heard {
        let request = self.write_data(session, kind, number, told);
        self.write(&request).await;
        self.hear().await
    }

    /// A request of a data session.
    pub(crate) fn write_data(
        &mut self,
        session: &str,
        kind: CcRequestType,
        number: u32,
        told: &[Told],
    ) -> Vec<u8> {
        let used: Vec<_> = told
            .iter()
            .map(|it| UsedServiceUnit {
                total_octets: it.used,
                ..UsedServiceUnit::default()
            })
            .collect();
        let services: Vec<_> = told
            .iter()
            .zip(used.chunks(1))
            .map(|(it, used)| MultipleServicesCreditControl {
                rating_group: Some(it.group),
                requested_service_unit: it.asks.then(RequestedServiceUnit::default),
                used_service_unit: it.used.map_or(Repeated::NONE, |_| Repeated::from(used)),
                ..MultipleServicesCreditControl::default()
            })
            .collect();
        let request = CreditControlRequest {
            service_context_id: "32251@3gpp.org",
            multiple_services_credit_control: Repeated::from(services.as_slice()),
            ..self.blank(session, kind, number)
        };
        let ids = self.next_ids();
        whole(&request, ids)
    }

    /// Debits or checks messages by a single event.
    pub(crate) async fn message_event(
        &mut self,
        session: &str,
        action: RequestedAction,
        count: u64,
    ) -> Heard {
        let request = CreditControlRequest {
            service_context_id: "8.32274@3gpp.org",
            requested_action: Some(action),
            requested_service_unit: Some(RequestedServiceUnit {
                service_specific_units: Some(count),
                ..RequestedServiceUnit::default()
            }),
            ..self.blank(session, CcRequestType::Event, 0)
        };
        let ids = self.next_ids();
        let request = whole(&request, ids);
        self.write(&request).await;
        self.hear().await
    }

    pub(crate) fn blank<'a>(
        &self,
        session: &'a str,
        kind: CcRequestType,
        number: u32,
    ) -> CreditControlRequest<'a> {
        CreditControlRequest {
            session_id: session,
            origin_host: self.host,
            origin_realm: REALM,
            destination_realm: REALM,
            auth_application_id: application::CREDIT_CONTROL,
            cc_request_type: kind,
            cc_request_number: number,
            subscription_id: Repeated::from(&SUBSCRIBER),
            ..CreditControlRequest::default()
        }
    }

    /// Sends a request again, as after a broken link.
    pub(crate) async fn again(&mut self, request: &[u8]) -> Heard {
        let mut request = request.to_vec();
        let hop_by_hop = self.next_ids().hop_by_hop;
        retransmit(&mut request, hop_by_hop);
        self.write(&request).await;
        self.hear().await
    }

    pub(crate) async fn hear(&mut self) -> Heard {
        let octets = self.read().await.unwrap();
        let frame = frame(&octets);
        let Ok(answer) = decode::<CreditControlAnswer<'_>>(&frame) else {
            let code = result_code(&frame).0;
            let services = Vec::new();
            return Heard {
                octets: octets.clone(),
                code,
                services,
            };
        };
        let several = answer.multiple_services_credit_control.iter();
        let services = several.map(|it| HeardService {
            group: it.rating_group,
            code: it.result_code.unwrap_or_default().0,
            granted: it.granted_service_unit.and_then(|units| units.total_octets),
            redirected_to: it
                .final_unit_indication
                .and_then(|last| last.redirect_server)
                .map(|server| server.redirect_server_address.to_owned()),
            validity: it.validity_time_seconds,
            holding: it.quota_holding_time_seconds,
            filters: it
                .final_unit_indication
                .map(|last| last.filter_id.iter().map(str::to_owned).collect())
                .unwrap_or_default(),
        });
        Heard {
            code: answer.result_code.0,
            services: services.collect(),
            octets: octets.clone(),
        }
    }

    /// Sends a request of its own making and hears the answer.
    pub(crate) async fn ask(&mut self, request: &CreditControlRequest<'_>) -> Heard {
        let ids = self.next_ids();
        self.write(&whole(request, ids)).await;
        self.hear().await
    }

    /// Waits for a RAR and answers it; the session it is about.
    pub(crate) async fn hear_reauthorisation(&mut self, code: ResultCode) -> String {
        let octets = self.read().await.unwrap();
        let frame = frame(&octets);
        let request = decode::<ReAuthRequest<'_>>(&frame).unwrap();
        assert_eq!(request.destination_host, self.host);
        let answer = ReAuthAnswer {
            session_id: request.session_id,
            result_code: code,
            origin_host: self.host,
            origin_realm: REALM,
            ..ReAuthAnswer::default()
        };
        let mut out = Vec::new();
        encode_as(&mut out, &frame.header.answer(), &answer).unwrap();
        let session = request.session_id.to_owned();
        self.write(&out).await;
        session
    }
}

static SUBSCRIBER: [SubscriptionId<'static>; 1] = [SubscriptionId {
    subscription_id_type: SubscriptionIdType::E164,
    subscription_id_data: Private(NUMBER),
}];

pub(crate) fn frame(octets: &[u8]) -> Frame<'_> {
    match next_frame(octets, &Limits::default()) {
        Ok(Framing::Whole(frame)) => frame,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn whole(request: &CreditControlRequest<'_>, ids: Ids) -> Vec<u8> {
    let mut out = Vec::new();
    encode(&mut out, ids, request).unwrap();
    out
}

fn result_code(frame: &Frame<'_>) -> ResultCode {
    let answer = simurgh_diameter::base::ErrorAnswer::read_group(frame.avps());
    answer.unwrap().result_code
}
