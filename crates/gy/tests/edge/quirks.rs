//! What real clients do that the books do not say, one test each; and the lines of the robustness list.

use simurgh_charging::UnknownSessions;
use simurgh_diameter::charging::ReportingReason;
use simurgh_diameter::credit_control::{
    CcRequestType as Kind, CreditControlAnswer, CreditControlRequest,
    MultipleServicesCreditControl, MultipleServicesIndicator, RequestedServiceUnit,
    UsedServiceUnit,
};
use simurgh_diameter::message::decode;
use simurgh_diameter::{Repeated, ResultCode};
use simurgh_gy::{AtTheEnd, LimitTold};
use simurgh_vocab::Unit;

use crate::client::{ASK, Client, Heard, Told, frame, last, used};
use crate::world::{CLIENTS, Operator, Terms};

const SESSION: &str = "pgw.example.com;1;1";

fn group(group: u32, told: Told) -> Told {
    Told { group, ..told }
}

fn codes(answer: &Heard) -> Vec<(Option<u32>, u32)> {
    let services = answer.services.iter();
    services.map(|it| (it.group, it.code)).collect()
}

async fn pair(name: &str) -> (Operator, Client) {
    let operator = Operator::new(name).await;
    let client = Client::open(&operator, CLIENTS[0]).await;
    (operator, client)
}

#[tokio::test]
async fn open5gs_asks_in_services_without_a_rating_group_and_without_the_indicator() {
    let (operator, mut client) = pair("quirk-open5gs").await;
    let services = [MultipleServicesCreditControl {
        requested_service_unit: Some(RequestedServiceUnit::default()),
        ..MultipleServicesCreditControl::default()
    }];
    let request = CreditControlRequest {
        service_context_id: "32251@3gpp.org",
        multiple_services_credit_control: Repeated::from(services.as_slice()),
        ..client.blank(SESSION, Kind::Initial, 0)
    };
    let answer = client.ask(&request).await;
    assert_eq!((answer.code, codes(&answer)), (2001, vec![(None, 2001)]));
    assert_eq!(answer.services[0].granted, Some(100));
    let asks_for_none = CreditControlRequest {
        multiple_services_indicator: Some(MultipleServicesIndicator::NotSupported),
        cc_request_type: Kind::Update,
        cc_request_number: 1,
        ..request
    };
    assert_eq!(client.ask(&asks_for_none).await.code, 2001);
    operator.audit().await;
}

#[tokio::test]
async fn kamailio_wants_a_result_code_in_every_service() {
    let (operator, mut client) = pair("quirk-kamailio-codes").await;
    let way = group(900, ASK);
    let told = [ASK, way];
    let answer = client.data(SESSION, Kind::Initial, 0, &told).await;
    assert_eq!(codes(&answer), [(Some(1), 2001), (Some(900), 2001)]);
    let told = [used(1_000), group(900, last(5))];
    let answer = client.data(SESSION, Kind::Update, 1, &told).await;
    let own = [(Some(1), 4012), (Some(900), 2001)];
    assert_eq!((answer.code, codes(&answer)), (2001, own.to_vec()));
    let told = [last(0)];
    let answer = client.data(SESSION, Kind::Termination, 2, &told).await;
    assert_eq!(codes(&answer), [(Some(1), 2001)]);
    operator.audit().await;
}

#[tokio::test]
async fn kamailio_ends_a_call_before_it_begins_and_no_quota_is_stuck() {
    let (operator, mut client) = pair("quirk-kamailio-early").await;
    let end = client.data(SESSION, Kind::Termination, 1, &[last(0)]).await;
    assert_eq!(end.code, 5002);
    let begin = client.data(SESSION, Kind::Initial, 0, &[ASK]).await;
    assert_eq!((begin.code, begin.services.len()), (5012, 0));
    assert_eq!(operator.amounts(Unit::Octets).await, (1_000, 0, 0));
    operator.audit().await;
}

#[tokio::test]
async fn kamailio_reports_more_use_than_there_can_be_and_what_there_is_pays() {
    let (operator, mut client) = pair("quirk-kamailio-much").await;
    client.data(SESSION, Kind::Initial, 0, &[ASK]).await;
    let much = client
        .data(SESSION, Kind::Update, 1, &[used(u64::MAX)])
        .await;
    assert_eq!((much.code, codes(&much)), (2001, vec![(Some(1), 4012)]));
    let again = client
        .data(SESSION, Kind::Termination, 2, &[last(u64::MAX)])
        .await;
    assert_eq!(again.code, 2001, "charged what there was");
    assert_eq!(operator.amounts(Unit::Octets).await, (0, 0, 1_000));
    operator.audit().await;
}

#[tokio::test]
async fn magma_sends_updates_of_one_session_side_by_side() {
    let (operator, mut client) = pair("quirk-magma-parallel").await;
    client.data(SESSION, Kind::Initial, 0, &[]).await;
    let mut all = Vec::new();
    for number in 1..=6 {
        let told = [group(number % 3, used(10))];
        all.extend(client.write_data(SESSION, Kind::Update, number, &told));
    }
    client.write(&all).await;
    for _ in 1..=6 {
        let answer = client.hear().await;
        assert_eq!((answer.code, answer.services[0].code), (2001, 2001));
    }
    assert_eq!(operator.amounts(Unit::Octets).await.2, 60);
    let mut other = Client::open(&operator, CLIENTS[1]).await;
    let elsewhere = other.data(SESSION, Kind::Update, 7, &[used(5)]).await;
    assert_eq!(elsewhere.code, 2001, "over another connection as well");
    operator.audit().await;
}

#[tokio::test]
async fn magma_answers_a_reauthorisation_with_an_update_for_each_group() {
    let (operator, mut client) = pair("quirk-magma-rar").await;
    let told = [group(1, ASK), group(2, ASK)];
    client.data(SESSION, Kind::Initial, 0, &told).await;
    let (app, line) = (operator.app.clone(), operator.line);
    let telling = tokio::spawn(async move { app.reach_sessions(line).await });
    // The race of its own update and our request is harmless.
    let racing = client.write_data(SESSION, Kind::Update, 1, &[group(1, used(7))]);
    client
        .hear_reauthorisation(ResultCode::LIMITED_SUCCESS)
        .await;
    client.write(&racing).await;
    assert_eq!(client.hear().await.code, 2001);
    assert_eq!(telling.await.unwrap(), Ok(true));
    for (number, of) in [(2, 1), (3, 2)] {
        let told = [group(of, used(3))];
        let answer = client.data(SESSION, Kind::Update, number, &told).await;
        assert_eq!(answer.services[0].code, 2001);
    }
    assert_eq!(operator.amounts(Unit::Octets).await.2, 13);
    operator.audit().await;
}

#[tokio::test]
async fn sigscale_knows_its_peers_by_address_and_so_can_we() {
    let mut terms = Terms::default();
    terms.settings.peers[0].addresses = vec![[192, 0, 2, 7].into()];
    let operator = Operator::on("quirk-sigscale", terms).await;
    let mut elsewhere = Client::connect(&operator, CLIENTS[0]).await;
    assert_eq!(elsewhere.greet().await, ResultCode::UNKNOWN_PEER);
    let mut anywhere = Client::connect(&operator, CLIENTS[1]).await;
    assert_eq!(anywhere.greet().await, ResultCode::SUCCESS);
}

#[tokio::test]
async fn free5gc_begins_without_services_and_numbers_groups_by_user() {
    let (operator, mut client) = pair("quirk-free5gc").await;
    let begin = client.data(SESSION, Kind::Initial, 0, &[]).await;
    assert_eq!((begin.code, begin.services.len()), (2001, 0));
    assert_eq!(operator.amounts(Unit::Octets).await, (1_000, 0, 0));
    let told = [group(u32::MAX, ASK), group(0, ASK)];
    let first = client.data(SESSION, Kind::Update, 1, &told).await;
    assert_eq!(codes(&first), [(Some(u32::MAX), 2001), (Some(0), 2001)]);
    operator.audit().await;
}

#[tokio::test]
async fn clients_that_look_at_the_whole_answer_only_can_be_told_there_that_nothing_is_left() {
    for (name, limit_told, code) in [
        ("robust-limit-services", LimitTold::InServices, 2001),
        ("robust-limit-answer", LimitTold::InAnswer, 4012),
    ] {
        let mut terms = Terms::default();
        terms.settings.limit_told = limit_told;
        let operator = Operator::on(name, terms).await;
        let mut client = Client::open(&operator, CLIENTS[0]).await;
        client.data(SESSION, Kind::Initial, 0, &[ASK]).await;
        let over = client.data(SESSION, Kind::Update, 1, &[used(1_000)]).await;
        assert_eq!((over.code, over.services[0].code), (2001, 4012));
        let begin = client.data("in-vain;1", Kind::Initial, 0, &[ASK]).await;
        assert_eq!((begin.code, begin.services[0].code), (code, 4012));
        let told = [ASK, group(900, ASK)];
        let partly = client.data("partly;1", Kind::Initial, 0, &told).await;
        assert_eq!(partly.code, 2001, "one of two has something");
        operator.audit().await;
    }
}

#[tokio::test]
async fn quota_that_is_not_used_is_asked_back_after_the_holding_time() {
    for (name, seconds, told) in [("holding-off", 0, None), ("holding-on", 90, Some(90))] {
        let mut terms = Terms::default();
        terms.settings.quota_holding_seconds = seconds;
        let operator = Operator::on(name, terms).await;
        let mut client = Client::open(&operator, CLIENTS[0]).await;
        let begin = client.data(SESSION, Kind::Initial, 0, &[ASK]).await;
        assert_eq!(begin.services[0].holding, told);
        // The client reports what it used until then, and asks for nothing.
        let back = client.data(SESSION, Kind::Update, 1, &[last(3)]).await;
        assert_eq!(
            (back.services[0].code, back.services[0].holding),
            (2001, None)
        );
        assert_eq!(operator.amounts(Unit::Octets).await, (997, 0, 3));
        operator.audit().await;
    }
}

#[tokio::test]
async fn the_last_units_can_lead_to_what_filters_allow() {
    let mut terms = Terms::default();
    terms.settings.at_the_end = AtTheEnd::Restrict(vec!["portal-only".to_owned()]);
    let operator = Operator::on("restricted", terms).await;
    let mut client = Client::open(&operator, CLIENTS[0]).await;
    client.data(SESSION, Kind::Initial, 0, &[ASK]).await;
    let over = client.data(SESSION, Kind::Update, 1, &[used(1_000)]).await;
    assert_eq!(over.services[0].code, 4012);
    assert_eq!(over.services[0].filters, ["portal-only"]);
    assert_eq!(over.services[0].redirected_to, None);
    // The way there costs nothing, and goes on.
    let free = client
        .data(SESSION, Kind::Update, 2, &[group(900, ASK)])
        .await;
    assert_eq!(free.services[0].code, 2001);
    operator.audit().await;
}

#[tokio::test]
async fn late_lost_and_doubled_requests_are_each_counted_once() {
    let (operator, mut client) = pair("robust-order").await;
    client.data(SESSION, Kind::Initial, 0, &[ASK]).await;
    let late = client.write_data(SESSION, Kind::Update, 2, &[used(20)]);
    // Number 1 was lost, 2 is late, 5 leaves a gap.
    let ahead = client.data(SESSION, Kind::Update, 5, &[used(50)]).await;
    assert_eq!(ahead.code, 2001);
    client.write(&late).await;
    let first = client.hear().await;
    assert_eq!(first.code, 2001);
    for _ in 0..2 {
        let doubled = client.again(&late).await;
        assert_eq!(doubled.octets[16..], first.octets[16..]);
    }
    assert_eq!(operator.amounts(Unit::Octets).await.2, 70);
    let again = client.data(SESSION, Kind::Initial, 0, &[ASK]).await;
    assert_eq!(again.code, 2001, "the stored answer");
    let second = client.data(SESSION, Kind::Initial, 6, &[ASK]).await;
    assert_eq!(second.code, 5012, "a session begins once");
    let end = client.data(SESSION, Kind::Termination, 7, &[last(1)]).await;
    assert_eq!(end.code, 2001);
    let after = client.data(SESSION, Kind::Update, 8, &[used(1)]).await;
    assert_eq!(after.code, 5002);
    assert_eq!(operator.amounts(Unit::Octets).await, (929, 0, 71));
    operator.audit().await;
}

#[tokio::test]
async fn a_session_of_another_server_is_refused_or_taken_over_as_the_operator_says() {
    let (operator, mut client) = pair("robust-unknown").await;
    let refused = client.data(SESSION, Kind::Update, 4, &[used(40)]).await;
    assert_eq!(refused.code, 5002);
    assert_eq!(operator.amounts(Unit::Octets).await, (1_000, 0, 0));
    let mut terms = Terms::default();
    terms.tariff.unknown_sessions = UnknownSessions::TakenOver;
    let operator = Operator::on("robust-taken-over", terms).await;
    let mut client = Client::open(&operator, CLIENTS[0]).await;
    let taken = client.data(SESSION, Kind::Update, 4, &[used(40)]).await;
    assert_eq!((taken.code, taken.services[0].granted), (2001, Some(100)));
    assert_eq!(operator.amounts(Unit::Octets).await, (860, 100, 40));
    let end = client.data(SESSION, Kind::Termination, 5, &[last(9)]).await;
    assert_eq!(end.code, 2001);
    assert_eq!(operator.amounts(Unit::Octets).await, (951, 0, 49));
    operator.audit().await;
}

#[tokio::test]
async fn ts_32_299_every_reporting_reason_counts_the_same_at_either_level() {
    let (operator, mut client) = pair("robust-reasons").await;
    client.data(SESSION, Kind::Initial, 0, &[ASK]).await;
    let mut number = 0;
    for reason in (0..=9).chain([77]).filter_map(ReportingReason::from_code) {
        for is_inside in [true, false] {
            number += 1;
            let outside = [reason];
            let reported = [UsedServiceUnit {
                total_octets: Some(10),
                reporting_reason: is_inside.then_some(reason),
                ..UsedServiceUnit::default()
            }];
            let services = [MultipleServicesCreditControl {
                rating_group: Some(1),
                used_service_unit: Repeated::from(reported.as_slice()),
                reporting_reason: match is_inside {
                    true => Repeated::NONE,
                    false => Repeated::from(outside.as_slice()),
                },
                requested_service_unit: Some(RequestedServiceUnit::default()),
                ..MultipleServicesCreditControl::default()
            }];
            let request = CreditControlRequest {
                service_context_id: "32251@3gpp.org",
                multiple_services_credit_control: Repeated::from(services.as_slice()),
                ..client.blank(SESSION, Kind::Update, number)
            };
            let answer = client.ask(&request).await;
            assert_eq!((answer.code, answer.services[0].code), (2001, 2001));
            let debited = operator.amounts(Unit::Octets).await.2;
            assert_eq!(debited, i64::from(number) * 10, "{reason:?}");
        }
    }
    operator.audit().await;
}

#[tokio::test]
async fn several_reports_of_a_group_are_added_and_time_goes_with_the_answer() {
    let (operator, mut client) = pair("robust-several").await;
    client.data(SESSION, Kind::Initial, 0, &[ASK]).await;
    let part = |total_octets, input_octets, output_octets| UsedServiceUnit {
        total_octets,
        input_octets,
        output_octets,
        ..UsedServiceUnit::default()
    };
    // A total wins over its directions; without one they are added.
    let reported = [
        part(Some(10), Some(900), Some(900)),
        part(None, Some(3), Some(4)),
        part(None, None, None),
    ];
    let services = [MultipleServicesCreditControl {
        rating_group: Some(1),
        used_service_unit: Repeated::from(reported.as_slice()),
        ..MultipleServicesCreditControl::default()
    }];
    let request = CreditControlRequest {
        service_context_id: "32251@3gpp.org",
        multiple_services_credit_control: Repeated::from(services.as_slice()),
        ..client.blank(SESSION, Kind::Update, 1)
    };
    let answer = client.ask(&request).await;
    let read = frame(&answer.octets);
    let read = decode::<CreditControlAnswer<'_>>(&read).unwrap();
    assert_eq!((read.cc_request_number, answer.code), (1, 2001));
    assert_eq!(answer.services[0].granted, None, "nothing was asked for");
    assert_eq!(operator.amounts(Unit::Octets).await, (983, 0, 17));
    operator.audit().await;
}
