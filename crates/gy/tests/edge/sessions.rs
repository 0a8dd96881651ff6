//! What becomes of balances.

use simurgh_diameter::ResultCode;
use simurgh_diameter::credit_control::{CcRequestType as Kind, RequestedAction};
use simurgh_vocab::{Duration, Unit};

use crate::client::{ASK, Client, Told, last, used};
use crate::world::{CLIENTS, Operator};

const SESSION: &str = "pgw.example.com;1;1";

#[tokio::test]
async fn a_session_is_charged_from_its_beginning_to_its_end() {
    let operator = Operator::new("gy-session").await;
    let mut client = Client::open(&operator, CLIENTS[0]).await;
    let answer = client.data(SESSION, Kind::Initial, 0, &[ASK]).await;
    assert_eq!(answer.code, 2001);
    let service = &answer.services[0];
    assert_eq!((service.group, service.code), (Some(1), 2001));
    assert_eq!(
        (service.granted, service.validity),
        (Some(100), Some(1_800))
    );
    assert_eq!(operator.amounts(Unit::Octets).await, (900, 100, 0));
    client.data(SESSION, Kind::Update, 1, &[used(80)]).await;
    assert_eq!(operator.amounts(Unit::Octets).await, (820, 100, 80));
    operator.audit().await;
    let answer = client
        .data(SESSION, Kind::Termination, 2, &[last(30)])
        .await;
    assert_eq!((answer.code, answer.services[0].granted), (2001, None));
    assert_eq!(operator.amounts(Unit::Octets).await, (890, 0, 110));
    operator.audit().await;
}

#[tokio::test]
async fn a_repeated_request_gets_the_stored_answer_even_after_a_restart() {
    let mut operator = Operator::new("gy-repeat").await;
    let mut client = Client::open(&operator, CLIENTS[0]).await;
    client.data(SESSION, Kind::Initial, 0, &[ASK]).await;
    let update = client.write_data(SESSION, Kind::Update, 1, &[used(70)]);
    client.write(&update).await;
    let first = client.hear().await;
    let again = client.again(&update).await;
    assert_eq!(
        again.octets[16..],
        first.octets[16..],
        "but for the hop-by-hop id"
    );
    drop(client);
    operator.restart().await;
    let mut client = Client::open(&operator, CLIENTS[0]).await;
    let again = client.again(&update).await;
    assert_eq!(again.octets[16..], first.octets[16..]);
    assert_eq!(operator.amounts(Unit::Octets).await, (830, 100, 70));
    // The session itself goes on.
    client
        .data(SESSION, Kind::Termination, 2, &[last(100)])
        .await;
    assert_eq!(operator.amounts(Unit::Octets).await, (830, 0, 170));
    operator.audit().await;
}

#[tokio::test]
async fn requests_in_one_piece_are_all_answered_and_a_double_among_them_once_debited() {
    let operator = Operator::new("gy-pipelined").await;
    let mut client = Client::open(&operator, CLIENTS[0]).await;
    let group = |group| Told { group, ..used(10) };
    let mut all = client.write_data(SESSION, Kind::Initial, 0, &[]);
    for number in 1..4 {
        let update = client.write_data(SESSION, Kind::Update, number, &[group(number)]);
        all.extend_from_slice(&update);
        all.extend_from_slice(&update);
    }
    client.write(&all).await;
    for _ in 0..7 {
        assert_eq!(client.hear().await.code, 2001);
    }
    assert_eq!(operator.amounts(Unit::Octets).await.2, 30);
    operator.audit().await;
}

#[tokio::test]
async fn the_last_units_lead_to_the_renewal_page_and_paying_resumes_the_session() {
    let mut operator = Operator::new("gy-redirect").await;
    let mut client = Client::open(&operator, CLIENTS[0]).await;
    client.data(SESSION, Kind::Initial, 0, &[ASK]).await;
    let nearly = client.data(SESSION, Kind::Update, 1, &[used(995)]).await;
    let last_units = &nearly.services[0];
    assert_eq!((last_units.code, last_units.granted), (2001, Some(5)));
    let page = Some("https://example.com/plans".to_owned());
    assert_eq!(last_units.redirected_to, page);
    let over = client.data(SESSION, Kind::Update, 2, &[used(5)]).await;
    assert_eq!((over.code, over.services[0].code), (2001, 4012));
    assert_eq!(over.services[0].redirected_to, page);
    let way = Told { group: 900, ..ASK };
    let free = client.data(SESSION, Kind::Update, 3, &[way]).await;
    assert_eq!(
        free.services[0].granted,
        Some(100),
        "the way to the shop is free"
    );

    operator.buy(500).await;
    let (app, line) = (operator.app.clone(), operator.line);
    let told = tokio::spawn(async move { app.reach_sessions(line).await });
    let session = client
        .hear_reauthorisation(ResultCode::LIMITED_SUCCESS)
        .await;
    assert_eq!(session, SESSION);
    assert_eq!(told.await.unwrap(), Ok(true));
    let resumed = client.data(SESSION, Kind::Update, 4, &[ASK]).await;
    assert_eq!(resumed.services[0].granted, Some(100));
    operator.audit().await;
}

#[tokio::test]
async fn a_session_that_its_client_does_not_know_is_given_up() {
    let operator = Operator::new("gy-unknown-there").await;
    let mut client = Client::open(&operator, CLIENTS[0]).await;
    client.data(SESSION, Kind::Initial, 0, &[ASK]).await;
    let (app, line) = (operator.app.clone(), operator.line);
    let told = tokio::spawn(async move { app.reach_sessions(line).await });
    client
        .hear_reauthorisation(ResultCode::UNKNOWN_SESSION_ID)
        .await;
    assert_eq!(told.await.unwrap(), Ok(true));
    assert_eq!(operator.amounts(Unit::Octets).await, (1_000, 0, 0));
    let gone = client.data(SESSION, Kind::Update, 1, &[used(1)]).await;
    assert_eq!(gone.code, 5002);
    operator.audit().await;
}

#[tokio::test]
async fn a_silent_session_holds_nothing_for_ever() {
    let operator = Operator::new("gy-silent").await;
    let mut client = Client::open(&operator, CLIENTS[0]).await;
    client.data(SESSION, Kind::Initial, 0, &[ASK]).await;
    operator.clock.advance(Duration::minutes(59));
    assert_eq!(operator.app.supervise_sessions().await, Ok(0));
    operator.clock.advance(Duration::minutes(1));
    assert_eq!(operator.app.supervise_sessions().await, Ok(1));
    assert_eq!(operator.amounts(Unit::Octets).await, (1_000, 0, 0));
    operator.audit().await;
    operator.clock.advance(Duration::hours(1));
    assert_eq!(
        operator.app.supervise_sessions().await,
        Ok(1),
        "and is forgotten"
    );
    operator.audit().await;
}

#[tokio::test]
async fn messages_are_debited_by_events() {
    let operator = Operator::new("gy-events").await;
    let mut client = Client::open(&operator, CLIENTS[0]).await;
    let debit = RequestedAction::DirectDebiting;
    assert_eq!(client.message_event("sms;1", debit, 2).await.code, 2001);
    assert_eq!(
        client.message_event("sms;1", debit, 2).await.code,
        2001,
        "the same again"
    );
    assert_eq!(operator.amounts(Unit::Messages).await, (1, 0, 2));
    assert_eq!(client.message_event("sms;2", debit, 2).await.code, 4012);
    let check = client
        .message_event("sms;3", RequestedAction::CheckBalance, 1)
        .await;
    assert_eq!(check.code, 2001);
    operator.audit().await;
}

#[tokio::test]
async fn strangers_and_what_is_not_understood_get_their_own_codes() {
    let operator = Operator::new("gy-codes").await;
    let mut client = Client::open(&operator, CLIENTS[0]).await;
    let unknown = client.data("nobody;1", Kind::Update, 1, &[used(1)]).await;
    assert_eq!(unknown.code, 5002);
    let twice = client.data(SESSION, Kind::Initial, 0, &[ASK, ASK]).await;
    assert_eq!(twice.code, 5007);
    let refund = client
        .message_event("sms;9", RequestedAction::RefundAccount, 1)
        .await;
    assert_eq!(refund.code, 5031);
    assert_eq!(operator.amounts(Unit::Octets).await, (1_000, 0, 0));
}
