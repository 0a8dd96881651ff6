//! What the LPA decides itself: whom to ask, why it leaves, what it tries again.

use super::*;
use simurgh_rsp::message::metadata::{OperatorId, rule};

fn world() -> (TestPki, Euicc, Smdp) {
    let mut pki = pki(Curve::P256);
    let (chip, mut server) = (chip(&mut pki), Smdp::new(&pki));
    server.order(TOKEN, iccid(0), None);
    (pki, chip, server)
}

/// A server of which one path fails so many times.
struct Failing<'a> {
    server: &'a mut Smdp,
    path: &'static str,
    answer: Result<HttpAnswer, LpaError>,
    times: usize,
    asked: Vec<String>,
}

impl Servers for Failing<'_> {
    fn post(&mut self, address: &str, path: &str, body: &[u8]) -> Result<HttpAnswer, LpaError> {
        self.asked.push(address.to_owned());
        if path == self.path && self.times > 0 {
            self.times -= 1;
            return self.answer.clone();
        }
        self.server.post(address, path, body)
    }
}

fn unreachable() -> Result<HttpAnswer, LpaError> {
    Err(LpaError::Unreachable("no connection".into()))
}

/// A user who says this.
struct Saying(Consent);

impl User for Saying {
    fn consent(&mut self, _profile: &ProfileMetadata, _code_needed: bool) -> Consent {
        self.0.clone()
    }

    fn progress(&mut self, _progress: Progress) {}
}

#[test]
fn a_session_is_left_with_the_reason_that_is_true() {
    let (_, mut chip, mut server) = world();
    for (consent, reason) in [
        (Consent::No, CancelReason::EndUserRejection),
        (Consent::Later, CancelReason::Postponed),
    ] {
        let done = download(&mut chip, &mut server, &mut Saying(consent));
        assert_eq!(done, Err(LpaError::GivenUp));
        assert_eq!(server.cancelled.pop(), Some(reason));
    }
    // What may go better later must not end the order.
    for answer in [unreachable(), Ok((503, Vec::new()))] {
        let mut reader = reader(&mut chip);
        let mut lpa = Lpa::open(&mut reader).unwrap();
        let mut failing = Failing {
            server: &mut server,
            path: es9::path::BOUND_PROFILE_PACKAGE,
            answer,
            times: 1,
            asked: Vec::new(),
        };
        assert!(
            lpa.download(&order(TOKEN), &mut failing, &mut Willing(None))
                .is_err()
        );
        assert_eq!(server.cancelled.pop(), Some(CancelReason::Timeout));
    }
    assert!(download(&mut chip, &mut server, &mut Willing(None)).is_ok());
    assert!(server.cancelled.is_empty());
}

#[test]
fn a_profile_whose_rules_the_chip_forbids_is_not_fetched() {
    let (_, mut chip, mut server) = world();
    let metadata = &mut server.orders.get_mut(TOKEN).unwrap().metadata;
    metadata.rules = Some(NamedBits::of(&[rule::PPR2]));
    metadata.owner = Some(OperatorId {
        plmn: "46000".parse().unwrap(),
        gid1: None,
        gid2: None,
    });
    let done = download(&mut chip, &mut server, &mut Willing(None));
    assert_eq!(done, Err(LpaError::RulesNotAllowed));
    assert_eq!(server.cancelled, [CancelReason::PprNotAllowed]);
    assert!(server.orders[TOKEN].bound.is_none());
}

#[test]
fn an_activation_code_can_name_the_server() {
    let (_, mut chip, mut server) = world();
    let mut reader = reader(&mut chip);
    let mut lpa = Lpa::open(&mut reader).unwrap();
    let mut code = |text: &str| {
        let order = Order::of(&text.parse().unwrap(), DeviceInfo::default());
        lpa.download(&order, &mut server, &mut Willing(None))
    };
    let other = code("LPA:1$SMDP.example.com$TOKEN-1$2.999.11");
    assert_eq!(other, Err(LpaError::OtherServer));
    assert!(code("1$smdp.EXAMPLE.com$TOKEN-1$2.999.10").is_ok());
    assert!(server.cancelled.is_empty());
}

#[test]
fn without_a_code_discovery_comes_before_the_default_server() {
    let (pki, mut chip, mut server) = world();
    let mut reader = reader(&mut chip);
    let mut lpa = Lpa::open(&mut reader).unwrap();
    let device = DeviceInfo::default();
    // No discovery server answers, and there is no default.
    assert!(matches!(
        lpa.find_orders(&device, &mut server),
        Err(LpaError::Unreachable(_))
    ));
    lpa.set_default_address(ADDRESS).unwrap();
    let orders = lpa.find_orders(&device, &mut server).unwrap();
    assert_eq!(
        (orders[0].address.as_str(), &orders[0].matching_id),
        (ADDRESS, &None)
    );
    let mut discovery = Smds(Smdp::new(&pki));
    discovery.0.auth = pki.server(Role::DsAuth).unwrap();
    discovery.0.address = "smds.example.com";
    let orders = lpa.find_orders(&device, &mut discovery).unwrap();
    assert_eq!(orders[0].matching_id.as_deref(), Some(TOKEN));
    assert!(
        lpa.download(&orders[0], &mut server, &mut Willing(None))
            .is_ok()
    );
}

#[test]
fn notifications_wait_for_their_server_and_go_in_order() {
    let (_, mut chip, mut server) = world();
    let receivers = &mut server.orders.get_mut(TOKEN).unwrap().metadata.notifications;
    receivers.push(NotificationReceiver {
        events: NamedBits::of(&[1]),
        address: "elsewhere.example.com".into(),
    });
    let iccid = download(&mut chip, &mut server, &mut Willing(None)).unwrap();
    let mut reader = reader(&mut chip);
    let mut lpa = Lpa::open(&mut reader).unwrap();
    lpa.enable(&iccid).unwrap();
    lpa.disable(&iccid).unwrap();
    assert_eq!(lpa.notifications().unwrap().len(), 4);
    for answer in [unreachable(), Ok((500, Vec::new()))] {
        let mut failing = Failing {
            server: &mut server,
            path: es9::path::HANDLE_NOTIFICATION,
            answer,
            times: usize::MAX,
            asked: Vec::new(),
        };
        assert_eq!(lpa.deliver_notifications(&mut failing), Ok(0));
        // Each server is asked once: the others of the same must not overtake the first.
        assert_eq!(failing.asked, [ADDRESS, "elsewhere.example.com"]);
    }
    assert_eq!(lpa.deliver_notifications(&mut server), Ok(3));
    let heard: Vec<Event> = server.heard.iter().map(|(event, _)| *event).collect();
    assert_eq!(heard, [Event::Install, Event::Enable, Event::Disable]);
    let left = lpa.notifications().unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].address, "elsewhere.example.com");
}

#[test]
fn faults_are_told_in_words() {
    let (_, mut chip, mut server) = world();
    let unknown = {
        let mut reader = reader(&mut chip);
        let mut lpa = Lpa::open(&mut reader).unwrap();
        lpa.download(&order("USED"), &mut server, &mut Willing(None))
    };
    assert_eq!(
        unknown.unwrap_err().to_string(),
        "The activation code is not known or was used already (8.2.6/3.8)"
    );
    download(&mut chip, &mut server, &mut Willing(None)).unwrap();
    let again = download(&mut chip, &mut server, &mut Willing(None));
    assert_eq!(
        again.unwrap_err().to_string(),
        "the profile could not be installed: the profile is on this device already (StoreMetadata, 9)"
    );
}
