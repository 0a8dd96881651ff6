//! What a hostile or broken peer can do to others: nothing.

use std::time::Duration;

use simurgh_diameter::ResultCode;
use simurgh_diameter::base::DeviceWatchdogRequest;
use simurgh_diameter::credit_control::CcRequestType as Kind;
use simurgh_diameter::message::encode;

use crate::client::{ASK, Client, used};
use crate::world::{CLIENTS, Operator, REALM, Terms};

#[tokio::test]
async fn connections_of_one_address_are_limited_and_a_place_is_free_again_when_one_ends() {
    let mut terms = Terms::default();
    terms.settings.connections_per_address_max = 3;
    let operator = Operator::on("gy-flood", terms).await;
    let mut good = Client::open(&operator, CLIENTS[0]).await;
    let first = Client::connect(&operator, CLIENTS[1]).await;
    let _second = Client::connect(&operator, CLIENTS[1]).await;
    for _ in 0..100 {
        let mut one_more = Client::connect(&operator, CLIENTS[1]).await;
        assert_eq!(one_more.read().await, None, "closed at once");
    }
    let answer = good.data("good;1", Kind::Initial, 0, &[ASK]).await;
    assert_eq!(answer.code, 2001);
    drop(first);
    // The end of a connection is seen when the system says so.
    loop {
        let mut again = Client::connect(&operator, CLIENTS[1]).await;
        match again.greet().await {
            ResultCode::SUCCESS => break,
            ResultCode(0) => tokio::task::yield_now().await,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn who_comes_from_where_no_peer_is_gets_no_word() {
    let mut terms = Terms::default();
    for peer in &mut terms.settings.peers {
        peer.addresses = vec![[192, 0, 2, 1].into()];
    }
    let operator = Operator::on("gy-elsewhere", terms).await;
    let mut stranger = Client::connect(&operator, CLIENTS[0]).await;
    assert_eq!(stranger.greet().await, ResultCode(0));
}

#[tokio::test]
async fn a_second_connection_of_a_peer_is_refused_and_the_first_goes_on() {
    let operator = Operator::new("gy-twice").await;
    let mut first = Client::open(&operator, CLIENTS[0]).await;
    let mut second = Client::connect(&operator, CLIENTS[0]).await;
    assert_eq!(second.greet().await, ResultCode(0), "R-Reject");
    let answer = first.data("first;1", Kind::Initial, 0, &[ASK]).await;
    assert_eq!(answer.code, 2001);
}

fn watchdogs(client: &mut Client, count: usize) -> Vec<u8> {
    let mut octets = Vec::new();
    for _ in 0..count {
        let ids = client.next_ids();
        let request = DeviceWatchdogRequest {
            origin_host: CLIENTS[1],
            origin_realm: REALM,
            origin_state_id: None,
        };
        encode(&mut octets, ids, &request).unwrap();
    }
    octets
}

#[tokio::test]
async fn who_asks_faster_than_it_reads_waits_and_hears_every_answer() {
    let mut terms = Terms::default();
    // Less than one answer: nothing is read while anything waits to be written.
    terms.settings.unwritten_octets_max = 1;
    let operator = Operator::on("gy-hasty", terms).await;
    let mut hasty = Client::open(&operator, CLIENTS[1]).await;
    let watchdogs = watchdogs(&mut hasty, 20_000);
    hasty.write_beside_reading(&watchdogs, 20_000).await;
    let answer = hasty.data("hasty;1", Kind::Initial, 0, &[ASK]).await;
    assert_eq!(answer.code, 2001);
}

#[tokio::test]
async fn who_asks_and_never_reads_is_cut_off_and_nobody_else_notices() {
    let mut terms = Terms::default();
    terms.settings.unwritten_octets_max = 4_096;
    terms.settings.write_timeout = Duration::from_millis(200);
    let operator = Operator::on("gy-deaf", terms).await;
    let mut good = Client::open(&operator, CLIENTS[0]).await;
    good.data("good;1", Kind::Initial, 0, &[ASK]).await;
    let mut deaf = Client::open(&operator, CLIENTS[1]).await;
    let watchdogs = watchdogs(&mut deaf, 1_000);
    // As long as it can: the end is an error.
    let flood = tokio::spawn(async move { while deaf.try_write(&watchdogs).await {} });
    for number in 1..50 {
        let answer = good.data("good;1", Kind::Update, number, &[used(1)]).await;
        assert_eq!(answer.code, 2001);
    }
    flood.await.unwrap();
    let mut again = Client::connect(&operator, CLIENTS[1]).await;
    assert_eq!(
        again.greet().await,
        ResultCode::SUCCESS,
        "it may come again"
    );
    operator.audit().await;
}
