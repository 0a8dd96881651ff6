//! Clauses of RFC 6733 that need a node to be seen: restarts, loops, what agents add.

use simurgh_diameter::ResultCode;
use simurgh_diameter::avp::Avp;
use simurgh_diameter::credit_control::{
    CcRequestType as Kind, CreditControlAnswer, CreditControlRequest,
};
use simurgh_diameter::message::decode;
use simurgh_diameter::{Repeated, dictionary};
use simurgh_vocab::{Duration, Unit};

use crate::client::{ASK, Client, frame, used, whole};
use crate::world::{CLIENTS, Operator};

/// Until the sessions of a client that restarted are given up.
async fn all_released(operator: &Operator) {
    while operator.amounts(Unit::Octets).await.1 > 0 {
        tokio::task::yield_now().await;
    }
}

/// A client with a session, that said 7 for its Origin-State-Id.
async fn client_with_a_session(operator: &Operator, session: &str) -> Client {
    let mut client = Client::connect(operator, CLIENTS[0]).await;
    client.state_id = Some(7);
    assert_eq!(client.greet().await, ResultCode::SUCCESS);
    client.data(session, Kind::Initial, 0, &[ASK]).await;
    assert_eq!(operator.amounts(Unit::Octets).await, (900, 100, 0));
    operator.clock.advance(Duration::seconds(1));
    client
}

#[tokio::test]
async fn rfc6733_8_16_a_client_that_comes_back_with_a_greater_state_has_lost_its_sessions() {
    let operator = Operator::new("gy-restarted").await;
    let client = client_with_a_session(&operator, "lost;1").await;
    let mut other = Client::open(&operator, CLIENTS[1]).await;
    other.data("kept;1", Kind::Initial, 0, &[ASK]).await;
    drop(client);
    let mut client = greeted_again(&operator, 8).await;
    let kept = operator.amounts(Unit::Octets);
    assert!(kept.await.1 > 0);
    client.data("new;1", Kind::Initial, 0, &[ASK]).await;
    let mut lost = client.data("lost;1", Kind::Update, 1, &[used(1)]).await;
    while lost.code != 5002 {
        lost = client.data("lost;1", Kind::Update, 1, &[used(1)]).await;
    }
    for (asks, session) in [(&mut client, "new;1"), (&mut other, "kept;1")] {
        let answer = asks.data(session, Kind::Update, 1, &[used(1)]).await;
        assert_eq!(answer.code, 2001, "{session}");
    }
    operator.audit().await;
}

/// The same client on another connection, when the end of the first one is known.
async fn greeted_again(operator: &Operator, state_id: u32) -> Client {
    loop {
        let mut client = Client::connect(operator, CLIENTS[0]).await;
        client.state_id = Some(state_id);
        if client.greet().await == ResultCode::SUCCESS {
            return client;
        }
    }
}

#[tokio::test]
async fn rfc6733_8_16_the_same_state_loses_nothing_and_a_watchdog_may_say_a_greater_one() {
    let operator = Operator::new("gy-watchdog-state").await;
    drop(client_with_a_session(&operator, "old;1").await);
    let mut client = greeted_again(&operator, 7).await;
    let answer = client.data("old;1", Kind::Update, 1, &[used(1)]).await;
    assert_eq!(answer.code, 2001);
    operator.clock.advance(Duration::seconds(1));
    client.watchdog(Some(8)).await;
    all_released(&operator).await;
    assert_eq!(operator.amounts(Unit::Octets).await, (999, 0, 1));
    operator.audit().await;
}

#[tokio::test]
async fn rfc6733_8_16_a_client_behind_an_agent_says_its_state_itself_but_peers_speak_for_themselves()
 {
    let operator = Operator::new("gy-behind").await;
    let mut client = client_with_a_session(&operator, "near;1").await;
    let mut agent = Client::open(&operator, CLIENTS[1]).await;
    let said = [
        ("far.example.com", 1),
        (CLIENTS[0], 1_000),
        ("far.example.com", 2),
    ];
    for (number, (host, state_id)) in said.into_iter().enumerate() {
        agent.host = host;
        let session = format!("behind;{number}");
        let request = CreditControlRequest {
            service_context_id: "32251@3gpp.org",
            origin_state_id: Some(state_id),
            ..agent.blank(&session, Kind::Initial, 0)
        };
        assert_eq!(agent.ask(&request).await.code, 2001);
        operator.clock.advance(Duration::seconds(1));
    }
    // Restarts are worked on in their order: when far's first session is gone, none of pgw's is to go.
    let mut number = 1;
    while agent.data("behind;0", Kind::Update, number, &[]).await.code != 5002 {
        number += 1;
    }
    let answer = client.data("near;1", Kind::Update, 1, &[used(1)]).await;
    assert_eq!(answer.code, 2001);
}

#[tokio::test]
async fn rfc6733_6_1_3_a_request_that_passed_us_before_is_refused_with_3005() {
    let operator = Operator::new("gy-loop").await;
    let mut client = Client::open(&operator, CLIENTS[0]).await;
    let passed = ["agent.example.com", "OCS.example.com"];
    let request = CreditControlRequest {
        service_context_id: "32251@3gpp.org",
        route_record: Repeated::from(passed.as_slice()),
        ..client.blank("loop;1", Kind::Initial, 0)
    };
    let answer = client.ask(&request).await;
    assert_eq!(answer.code, 3005);
    assert!(frame(&answer.octets).header.is_error(), "with the E flag");
    let request = CreditControlRequest {
        route_record: Repeated::from(&passed[..1]),
        ..request
    };
    assert_eq!(client.ask(&request).await.code, 2001);
}

#[tokio::test]
async fn rfc6733_6_2_what_agents_added_comes_back_in_order_in_answers_and_in_errors() {
    let operator = Operator::new("gy-agents").await;
    let mut client = Client::open(&operator, CLIENTS[0]).await;
    // Proxy-Host 280 and Proxy-State 33, both with the M flag, in Proxy-Info 284.
    let info = |name: &[u8; 4], state: u8| {
        let mut octets = vec![0, 0, 1, 28, 0x40, 0, 0, 32, 0, 0, 1, 24, 0x40, 0, 0, 12];
        octets.extend_from_slice(name);
        octets.extend_from_slice(&[0, 0, 0, 33, 0x40, 0, 0, 9, state, 0, 0, 0]);
        octets[7] = u8::try_from(octets.len() - 3).unwrap();
        octets
    };
    let (first, second) = (info(b"a.ex", 1), info(b"b.ex", 2));
    for (session, kind, code) in [("agents;1", Kind::Initial, 2001), ("", Kind::Initial, 5004)] {
        let request = CreditControlRequest {
            service_context_id: "32251@3gpp.org",
            ..client.blank(session, kind, 0)
        };
        let ids = client.next_ids();
        let mut octets = whole(&request, ids);
        octets.extend_from_slice(&first);
        octets.extend_from_slice(&second);
        let length = u8::try_from(octets.len() % 256).unwrap();
        octets[2] = u8::try_from(octets.len() / 256).unwrap();
        octets[3] = length;
        client.write(&octets).await;
        let answer = client.hear().await;
        assert_eq!(answer.code, code);
        let frame = frame(&answer.octets);
        let infos = frame.avps().filter_map(Result::ok);
        let infos: Vec<Avp<'_>> = infos
            .filter(|avp| avp.code == dictionary::PROXY_INFO.code)
            .collect();
        let states: Vec<u8> = infos
            .iter()
            .filter_map(|it| it.group().filter_map(Result::ok).find(|it| it.code == 33))
            .map(|it| it.data[0])
            .collect();
        assert_eq!(states, [1, 2], "{code}");
    }
}

#[tokio::test]
async fn rfc6733_3_the_t_flag_changes_nothing_but_who_is_told_twice() {
    let operator = Operator::new("gy-t-flag").await;
    let mut client = Client::open(&operator, CLIENTS[0]).await;
    let mut first = client.write_data("t;1", Kind::Initial, 0, &[ASK]);
    // The first copy was lost on the way: we hear the second one only.
    simurgh_diameter::frame::retransmit(&mut first, 77);
    client.write(&first).await;
    let answer = client.hear().await;
    let header = frame(&answer.octets).header;
    assert_eq!((answer.code, header.ids.hop_by_hop), (2001, 77));
    assert!(!header.is_retransmitted(), "an answer is no retransmission");
    let frame = frame(&answer.octets);
    let read = decode::<CreditControlAnswer<'_>>(&frame).unwrap();
    assert_eq!(read.session_id, "t;1");
    assert_eq!(operator.amounts(Unit::Octets).await, (900, 100, 0));
}
