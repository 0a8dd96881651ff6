//! The table of RFC 6733 §5.6, with two machines that talk to each other.

use std::sync::Arc;

use simurgh_diameter::allowed::{AllowedPeer, AllowedPeers};
use simurgh_diameter::base::{CapabilitiesExchangeAnswer, DisconnectCause, ErrorAnswer};
use simurgh_diameter::frame::header;
use simurgh_diameter::message::{Message, decode_any};
use simurgh_diameter::peer::{Effect, Event, Local, Outbox, Peer, Side, State, Turn};
use simurgh_vocab::{Duration, Timestamp};

use crate::{avp, ccr, frame, with, written};

fn at(seconds: u32) -> Timestamp {
    Timestamp::from_micros(0).plus(Duration::seconds(seconds))
}

fn named(host: &str) -> AllowedPeer {
    AllowedPeer {
        host: host.to_owned(),
        realm: "example.com".to_owned(),
        addresses: Vec::new(),
    }
}

fn local(host: &str, applications: &[u32]) -> Local {
    Local {
        host: host.to_owned(),
        realm: "example.com".to_owned(),
        addresses: vec!["127.0.0.1".parse().unwrap()],
        vendor_id: 0,
        product_name: "simurgh".to_owned(),
        origin_state_id: Some(7),
        applications: applications.to_vec(),
        vendors: vec![10415],
    }
}

/// A peer that is `us` and talks to `them`.
fn peer(us: &str, them: &str) -> Peer {
    let local = Arc::new(local(us, &[4]));
    Peer::new(local, named(them), Duration::seconds(30), 42, at(0))
}

struct Pair {
    client: Peer,
    server: Peer,
    to_client: Outbox,
    to_server: Outbox,
}

fn step(peer: &mut Peer, event: Event<'_>, seconds: u32, out: &mut Outbox) -> Turn {
    out.clear();
    peer.handle(event, at(seconds), out).unwrap()
}

/// A client and a server with an open connection.
fn opened() -> Pair {
    let mut pair = Pair {
        client: peer("pgw.example.com", "ocs.example.com"),
        server: peer("ocs.example.com", "pgw.example.com"),
        to_client: Outbox::default(),
        to_server: Outbox::default(),
    };
    step(&mut pair.client, Event::Start, 0, &mut pair.to_server);
    assert_eq!(pair.to_server.effects, [Effect::Connect]);
    step(&mut pair.client, Event::Connected, 0, &mut pair.to_server);
    let cer = pair.to_server.initiator.clone();
    step(
        &mut pair.server,
        Event::Accepted(&frame(&cer)),
        0,
        &mut pair.to_client,
    );
    let cea = pair.to_client.responder.clone();
    step(
        &mut pair.client,
        Event::Received(Side::Initiator, &frame(&cea)),
        0,
        &mut pair.to_server,
    );
    pair
}

#[test]
fn rfc6733_5_3_capabilities_are_exchanged_and_both_sides_open() {
    let pair = opened();
    assert_eq!(pair.client.state(), State::Open(Side::Initiator));
    assert_eq!(pair.server.state(), State::Open(Side::Responder));
    assert_eq!(pair.to_server.effects, [Effect::Open(Side::Initiator)]);
    assert_eq!(pair.server.usable(), Some(Side::Responder));
    assert_eq!(pair.server.remote_state_id(), Some(7));
}

#[test]
fn rfc6733_5_3_without_a_common_application_the_answer_is_5010() {
    let mut out = Outbox::default();
    let gx = Arc::new(local("pgw.example.com", &[16_777_238]));
    let mut client = Peer::new(
        gx,
        named("ocs.example.com"),
        Duration::seconds(30),
        1,
        at(0),
    );
    step(&mut client, Event::Start, 0, &mut out);
    step(&mut client, Event::Connected, 0, &mut out);
    let cer = out.initiator.clone();
    let mut server = peer("ocs.example.com", "pgw.example.com");
    step(&mut server, Event::Accepted(&frame(&cer)), 0, &mut out);
    assert_eq!(
        (server.state(), &out.effects[..]),
        (State::Closed, &[Effect::Reject][..])
    );
    let cea = out.rejected.clone();
    let Ok(Message::Error(ErrorAnswer { result_code, .. })) = decode_any(&frame(&cea)) else {
        panic!("an error");
    };
    assert_eq!(result_code.0, 5010);
    step(
        &mut client,
        Event::Received(Side::Initiator, &frame(&cea)),
        0,
        &mut out,
    );
    assert_eq!(
        (client.state(), &out.effects[..]),
        (State::Closed, &[Effect::Close(Side::Initiator)][..])
    );
    // Only security that is agreed upon in band: there is none.
    let tls = with(
        opened().to_server.initiator_of_cer(),
        &avp(299, 0, 0x40, &[0, 0, 0, 1]),
    );
    step(&mut server, Event::Accepted(&frame(&tls)), 0, &mut out);
    let Ok(Message::Error(ErrorAnswer { result_code, .. })) = decode_any(&frame(&out.rejected))
    else {
        panic!("an error");
    };
    assert_eq!(result_code.0, 5017);
}

trait OfCer {
    fn initiator_of_cer(self) -> Vec<u8>;
}

impl OfCer for Outbox {
    /// A CER as the client of [`opened`] writes it.
    fn initiator_of_cer(mut self) -> Vec<u8> {
        let mut client = peer("pgw.example.com", "ocs.example.com");
        step(&mut client, Event::Start, 0, &mut self);
        step(&mut client, Event::Connected, 0, &mut self);
        self.initiator
    }
}

#[test]
fn rfc6733_5_6_1_only_peers_of_the_table_are_admitted() {
    let cer = Outbox::default().initiator_of_cer();
    let from = "10.0.0.1".parse().unwrap();
    let admitted = |peers: Vec<AllowedPeer>| {
        let peers = AllowedPeers::new(peers);
        let admitted = peers.admit(&frame(&cer), from);
        admitted.map(|_| ()).map_err(|fault| fault.result_code().0)
    };
    assert_eq!(admitted(vec![named("PGW.example.COM")]), Ok(()));
    assert_eq!(admitted(Vec::new()), Err(3010));
    assert_eq!(admitted(vec![named("other.example.com")]), Err(3010));
    let elsewhere = AllowedPeer {
        addresses: vec!["10.0.0.2".parse().unwrap()],
        ..named("pgw.example.com")
    };
    assert_eq!(admitted(vec![elsewhere.clone()]), Err(3010));
    let here = AllowedPeer {
        addresses: vec![from],
        ..elsewhere
    };
    assert_eq!(admitted(vec![here]), Ok(()));
    let request = written(&ccr(&[]));
    let peers = AllowedPeers::new(vec![named("pgw.example.com")]);
    let fault = peers.admit(&frame(&request), from).unwrap_err();
    assert_eq!(fault.result_code().0, 5012);
}

#[test]
fn rfc6733_5_6_4_the_greater_name_keeps_the_connection_it_accepted() {
    for (us, them, wins) in [
        ("pgw.example.com", "OCS.example.com", true),
        ("OCS.example.com", "pgw.example.com", false),
    ] {
        let mut out = Outbox::default();
        let mut other = peer(them, us);
        step(&mut other, Event::Start, 0, &mut out);
        step(&mut other, Event::Connected, 0, &mut out);
        let cer = out.initiator.clone();
        let mut one = peer(us, them);
        step(&mut one, Event::Start, 0, &mut out);
        step(&mut one, Event::Connected, 0, &mut out);
        assert_eq!(one.state(), State::WaitICea);
        let ours = out.initiator.clone();
        step(&mut one, Event::Accepted(&frame(&cer)), 0, &mut out);
        if wins {
            assert_eq!(one.state(), State::Open(Side::Responder));
            assert_eq!(
                out.effects,
                [
                    Effect::Close(Side::Initiator),
                    Effect::Open(Side::Responder)
                ]
            );
            continue;
        }
        assert!(matches!(one.state(), State::WaitReturns(_)));
        assert!(out.responder.is_empty());
        // The other side wins, and answers on the connection we opened.
        let mut answered = Outbox::default();
        step(&mut other, Event::Accepted(&frame(&ours)), 0, &mut answered);
        assert_eq!(other.state(), State::Open(Side::Responder));
        let cea = answered.responder.clone();
        step(
            &mut one,
            Event::Received(Side::Initiator, &frame(&cea)),
            0,
            &mut out,
        );
        assert_eq!(one.state(), State::Open(Side::Initiator));
        assert_eq!(
            out.effects,
            [
                Effect::Close(Side::Responder),
                Effect::Open(Side::Initiator)
            ]
        );
    }
}

#[test]
fn rfc6733_5_6_a_connection_that_came_while_ours_failed_is_used() {
    let mut out = Outbox::default();
    let cer = Outbox::default().initiator_of_cer();
    let mut server = peer("ocs.example.com", "pgw.example.com");
    step(&mut server, Event::Start, 0, &mut out);
    step(&mut server, Event::Accepted(&frame(&cer)), 0, &mut out);
    assert!(matches!(server.state(), State::WaitConnAckElect(_)));
    step(&mut server, Event::NotConnected, 1, &mut out);
    assert_eq!(server.state(), State::Open(Side::Responder));
    assert!(matches!(
        decode_any(&frame(&out.responder)),
        Ok(Message::CapabilitiesExchangeAnswer(
            CapabilitiesExchangeAnswer { .. }
        ))
    ));
    // A second one is rejected.
    step(&mut server, Event::Accepted(&frame(&cer)), 1, &mut out);
    assert_eq!(out.effects, [Effect::Reject]);
}

#[test]
fn rfc6733_5_6_what_does_not_happen_in_time_is_given_up() {
    let mut out = Outbox::default();
    let mut client = peer("pgw.example.com", "ocs.example.com");
    step(&mut client, Event::Start, 0, &mut out);
    step(&mut client, Event::Connected, 1, &mut out);
    step(&mut client, Event::Tick, 10, &mut out);
    assert_eq!(client.state(), State::WaitICea);
    step(&mut client, Event::Tick, 11, &mut out);
    assert_eq!(client.state(), State::Closed);
    // And tried again.
    step(&mut client, Event::Tick, 45, &mut out);
    assert_eq!(
        (client.state(), &out.effects[..]),
        (State::WaitConnAck, &[Effect::Connect][..])
    );
}

#[test]
fn rfc6733_5_5_watchdogs_are_answered_and_application_messages_handed_on() {
    let mut pair = opened();
    step(&mut pair.client, Event::Tick, 33, &mut pair.to_server);
    let dwr = pair.to_server.initiator.clone();
    let turn = step(
        &mut pair.server,
        Event::Received(Side::Responder, &frame(&dwr)),
        33,
        &mut pair.to_client,
    );
    assert_eq!(turn, Turn::Done);
    let dwa = pair.to_client.responder.clone();
    assert_eq!(header(&dwa).unwrap().ids, header(&dwr).unwrap().ids);
    step(
        &mut pair.client,
        Event::Received(Side::Initiator, &frame(&dwa)),
        33,
        &mut pair.to_server,
    );
    assert_eq!(pair.client.usable(), Some(Side::Initiator));
    let request = written(&ccr(&[]));
    let event = Event::Received(Side::Responder, &frame(&request));
    assert_eq!(
        step(&mut pair.server, event, 34, &mut pair.to_client),
        Turn::Application
    );
}

#[test]
fn rfc6733_5_5_4_a_silent_peer_is_failed_over_then_closed_and_sought_again() {
    let mut pair = opened();
    let out = &mut pair.to_server;
    step(&mut pair.client, Event::Tick, 33, out);
    step(&mut pair.client, Event::Tick, 70, out);
    assert_eq!(
        (pair.client.usable(), &out.effects[..]),
        (None, &[Effect::FailOver][..])
    );
    step(&mut pair.client, Event::Tick, 110, out);
    assert_eq!(
        (pair.client.state(), &out.effects[..]),
        (State::Closed, &[Effect::Close(Side::Initiator)][..])
    );
    step(&mut pair.client, Event::Tick, 150, out);
    assert_eq!(out.effects, [Effect::Connect]);
}

#[test]
fn rfc6733_5_4_a_connection_is_closed_after_both_agreed() {
    let mut pair = opened();
    step(
        &mut pair.server,
        Event::Stop(DisconnectCause::Rebooting),
        1,
        &mut pair.to_client,
    );
    assert_eq!(pair.server.state(), State::Closing(Side::Responder));
    assert_eq!(pair.to_client.effects, [Effect::FailOver]);
    let dpr = pair.to_client.responder.clone();
    step(
        &mut pair.client,
        Event::Received(Side::Initiator, &frame(&dpr)),
        1,
        &mut pair.to_server,
    );
    let dpa = pair.to_server.initiator.clone();
    // An answer that was on its way is still good; a request is not.
    let request = written(&ccr(&[]));
    let event = Event::Received(Side::Responder, &frame(&request));
    assert_eq!(
        step(&mut pair.server, event, 1, &mut pair.to_client),
        Turn::Done
    );
    assert!(header(&pair.to_client.responder).unwrap().is_error());
    step(
        &mut pair.server,
        Event::Received(Side::Responder, &frame(&dpa)),
        1,
        &mut pair.to_client,
    );
    assert_eq!(pair.to_client.effects, [Effect::Close(Side::Responder)]);
    step(
        &mut pair.client,
        Event::Disconnected(Side::Initiator),
        1,
        &mut pair.to_server,
    );
    assert_eq!(pair.client.state(), State::Closed);
    // Who was told good-bye does not come back by itself.
    assert_eq!(pair.client.due(), None);
}

#[test]
fn rfc6733_5_6_a_broken_connection_fails_over_and_a_server_takes_the_next_one_at_once() {
    let mut pair = opened();
    step(
        &mut pair.server,
        Event::Disconnected(Side::Responder),
        5,
        &mut pair.to_client,
    );
    assert_eq!(
        pair.to_client.effects,
        [Effect::FailOver, Effect::Close(Side::Responder)]
    );
    let cer = Outbox::default().initiator_of_cer();
    step(
        &mut pair.server,
        Event::Accepted(&frame(&cer)),
        6,
        &mut pair.to_client,
    );
    assert_eq!(pair.server.usable(), Some(Side::Responder));
}
