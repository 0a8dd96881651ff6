//! ES2+ and ES12 as other operators and servers call them.

use serde_json::{Value, json};
use simurgh_rsp::identity::Iccid;
use simurgh_rsp::message::es2::path;
use simurgh_rsp::message::es12;
use simurgh_rsp::message::status::Status;
use simurgh_subscriber::ProfileState;

use super::place::{Kind, each_store};
use super::world::{
    ADDRESS, BROKER, BROKERS_CERTIFICATE, OPERATOR, Operator, RESELLER, SMDS, TOKEN, eid, iccid,
};

fn is(said: Result<Value, Status>, subject: &str, reason: &str) {
    let status = said.unwrap_err();
    assert_eq!((status.subject(), status.reason()), (subject, reason));
}

fn stocked(kind: Kind) -> Operator {
    let operator = Operator::over(kind);
    operator.stock(iccid(0));
    operator
}

fn order(iccid: Iccid) -> Value {
    json!({"iccid": iccid.digits()})
}

fn confirm(iccid: Iccid) -> Value {
    json!({"iccid": iccid.digits(), "releaseFlag": false})
}

#[test]
fn an_order_from_its_reservation_to_the_phone() {
    each_store(|kind| {
        let mut operator = stocked(kind);
        let said = operator
            .told(path::DOWNLOAD_ORDER, json!({"profileType": "prepaid"}))
            .unwrap();
        assert_eq!(said["iccid"], iccid(0).digits());
        let mut body = confirm(iccid(0));
        body["confirmationCode"] = "0815".into();
        let said = operator.told(path::CONFIRM_ORDER, body).unwrap();
        assert_eq!(said["smdpAddress"], ADDRESS);
        let token = said["matchingId"].as_str().unwrap().to_owned();
        operator
            .told(path::RELEASE_PROFILE, order(iccid(0)))
            .unwrap();
        let mut phone = operator.phone(1);
        let mut net = super::world::Net::of(&operator);
        phone
            .download(&mut net, &token, &mut super::world::Willing(Some("0815")))
            .unwrap();
        // It is on its way: the order cannot be taken back any more.
        let cancel =
            json!({"iccid": iccid(0).digits(), "finalProfileStatusIndicator": "Available"});
        is(operator.told(path::CANCEL_ORDER, cancel), "8.2.1", "3.5");
    });
}

#[test]
fn a_call_that_is_repeated_is_answered_the_same() {
    each_store(|kind| {
        let operator = stocked(kind);
        let call = |path: &str, mut body: Value| {
            body["header"] = json!({
                "functionRequesterIdentifier": OPERATOR,
                "functionCallIdentifier": "one",
            });
            let bearer = format!("Bearer {TOKEN}");
            let headers = [("authorization", bearer.as_str())];
            let answer = operator.post_with(path, body.to_string().into_bytes(), &headers);
            super::world::read(answer.1)
        };
        let first = call(path::DOWNLOAD_ORDER, order(iccid(0))).unwrap();
        assert_eq!(call(path::DOWNLOAD_ORDER, order(iccid(0))), Ok(first));
        is(
            call(path::DOWNLOAD_ORDER, json!({"profileType": "prepaid"})),
            "1.6",
            "2.1",
        );
    });
}

#[test]
fn who_is_not_known_is_turned_away() {
    each_store(|kind| {
        let operator = stocked(kind);
        let body = order(iccid(0)).to_string().into_bytes();
        for headers in [&[][..], &[("authorization", "Bearer guessed")]] {
            for path in [
                path::DOWNLOAD_ORDER,
                path::RELEASE_PROFILE,
                es12::path::DELETE_EVENT,
            ] {
                assert_eq!(operator.post_with(path, body.clone(), headers).0, 401);
            }
        }
        assert_eq!(operator.profile(iccid(0)).state, ProfileState::Available);
    });
}

#[test]
fn pair_1_1_1_2_in_the_name_of_another_and_1_1_2_2_in_nobodys() {
    each_store(|kind| {
        let operator = stocked(kind);
        let bearer = format!("Bearer {TOKEN}");
        let said = |header: Value| {
            let mut body = order(iccid(0));
            body["header"] = header;
            let headers = [("authorization", bearer.as_str())];
            let body = body.to_string().into_bytes();
            super::world::read(operator.post_with(path::DOWNLOAD_ORDER, body, &headers).1)
        };
        let other = json!({"functionRequesterIdentifier": "other", "functionCallIdentifier": "1"});
        is(said(other), "1.1", "1.2");
        is(said(json!({"functionCallIdentifier": "1"})), "1.1", "2.2");
    });
}

#[test]
fn pairs_8_2_1_1_2_and_8_2_5_1_2_what_a_caller_may_not_order() {
    each_store(|kind| {
        let operator = stocked(kind);
        let said = |mut body: Value| {
            body["header"] =
                json!({"functionRequesterIdentifier": "reseller", "functionCallIdentifier": "1"});
            let headers = [("authorization", "Bearer its token")];
            let body = body.to_string().into_bytes();
            super::world::read(operator.post_with(path::DOWNLOAD_ORDER, body, &headers).1)
        };
        is(said(order(iccid(0))), "8.2.1", "1.2");
        is(said(json!({"profileType": "internal"})), "8.2.5", "1.2");
        assert!(said(json!({"profileType": "prepaid"})).is_ok());
    });
}

#[test]
fn pairs_of_8_2_1_a_profile_that_is_taken_unknown_or_elsewhere() {
    each_store(|kind| {
        let mut operator = stocked(kind);
        is(
            operator.told(path::DOWNLOAD_ORDER, order(iccid(9))),
            "8.2.1",
            "3.9",
        );
        is(
            operator.told(path::RELEASE_PROFILE, order(iccid(0))),
            "8.2.1",
            "3.5",
        );
        operator
            .told(path::DOWNLOAD_ORDER, order(iccid(0)))
            .unwrap();
        is(
            operator.told(path::DOWNLOAD_ORDER, order(iccid(0))),
            "8.2.1",
            "3.3",
        );
    });
}

#[test]
fn a_caller_is_known_by_the_certificate_it_showed() {
    each_store(|kind| {
        let operator = stocked(kind);
        let mut body = order(iccid(0));
        body["header"] = json!({
            "functionRequesterIdentifier": BROKER,
            "functionCallIdentifier": "1",
        });
        let body = body.to_string().into_bytes();
        let asked = |shown: &[u8]| operator.post_shown(path::DOWNLOAD_ORDER, body.clone(), shown);
        assert_eq!(asked(b"another certificate").0, 401);
        let (status, answer) = asked(BROKERS_CERTIFICATE);
        assert_eq!(status, 200);
        assert_eq!(
            super::world::read(answer).unwrap()["iccid"],
            iccid(0).digits()
        );
    });
}

#[test]
fn pair_8_2_1_3_9_an_order_of_another_caller() {
    each_store(|kind| {
        let mut operator = stocked(kind);
        operator
            .told(path::DOWNLOAD_ORDER, order(iccid(0)))
            .unwrap();
        let others =
            |operator: &mut Operator, path: &str, body| operator.told_by(RESELLER, path, body);
        let cancel =
            json!({"iccid": iccid(0).digits(), "finalProfileStatusIndicator": "Available"});
        for (path, body) in [
            (path::CONFIRM_ORDER, confirm(iccid(0))),
            (path::CANCEL_ORDER, cancel),
            (path::RELEASE_PROFILE, order(iccid(0))),
        ] {
            is(others(&mut operator, path, body), "8.2.1", "3.9");
        }
        assert!(
            operator
                .told(path::CONFIRM_ORDER, confirm(iccid(0)))
                .is_ok()
        );
    });
}

#[test]
fn pair_8_9_5_3_9_an_event_of_another_caller() {
    each_store(|kind| {
        let mut operator = stocked(kind);
        let event = json!({
            "eid": eid(1).digits(),
            "rspServerAddress": "smdp.other.example",
            "eventId": "EVENT-1",
            "forwardingIndicator": false,
        });
        let registered = operator.told(es12::path::REGISTER_EVENT, event);
        assert!(registered.is_ok());
        let event = json!({"eid": eid(1).digits(), "eventId": "EVENT-1"});
        let deleted = operator.told_by(RESELLER, es12::path::DELETE_EVENT, event.clone());
        is(deleted, "8.9.5", "3.9");
        assert!(operator.told(es12::path::DELETE_EVENT, event).is_ok());
    });
}

#[test]
fn pair_8_2_5_3_9_a_type_that_never_was() {
    each_store(|kind| {
        let mut operator = stocked(kind);
        let body = json!({"profileType": "business"});
        is(operator.told(path::DOWNLOAD_ORDER, body), "8.2.5", "3.9");
    });
}

#[test]
fn pair_8_9_4_2_an_event_that_the_sm_ds_has_from_somebody_else() {
    each_store(|kind| {
        let mut operator = stocked(kind);
        let event = json!({
            "eid": eid(1).digits(),
            "rspServerAddress": "smdp.other.example",
            "eventId": "EVENT-1",
            "forwardingIndicator": false,
        });
        let registered = operator.told_by(RESELLER, es12::path::REGISTER_EVENT, event);
        assert!(registered.is_ok());
        let ordered = operator.told(path::DOWNLOAD_ORDER, order(iccid(0)));
        assert!(ordered.is_ok());
        let mut body = confirm(iccid(0));
        body["smdsAddress"] = SMDS.into();
        body["eid"] = eid(1).digits().into();
        body["matchingId"] = "EVENT-1".into();
        is(
            operator.told(path::CONFIRM_ORDER, body.clone()),
            "8.9",
            "4.2",
        );
        assert_eq!(operator.profile(iccid(0)).state, ProfileState::Allocated);
        body["matchingId"] = "EVENT-2".into();
        assert!(operator.told(path::CONFIRM_ORDER, body).is_ok());
    });
}

#[test]
fn pairs_of_8_2_5_a_type_that_is_out_of_stock_or_another() {
    each_store(|kind| {
        let mut operator = stocked(kind);
        let mut body = order(iccid(0));
        body["profileType"] = "business".into();
        is(operator.told(path::DOWNLOAD_ORDER, body), "8.2.5", "3.8");
        operator
            .told(path::DOWNLOAD_ORDER, json!({"profileType": "prepaid"}))
            .unwrap();
        is(
            operator.told(path::DOWNLOAD_ORDER, json!({"profileType": "prepaid"})),
            "8.2.5",
            "3.7",
        );
    });
}

#[test]
fn pairs_of_8_2_6_tokens_that_are_anothers() {
    each_store(|kind| {
        let mut operator = stocked(kind);
        operator.stock(iccid(1));
        for one in [iccid(0), iccid(1)] {
            operator.told(path::DOWNLOAD_ORDER, order(one)).unwrap();
        }
        let with_token = |iccid: Iccid| {
            let mut body = confirm(iccid);
            body["matchingId"] = "ABC-1".into();
            body
        };
        operator
            .told(path::CONFIRM_ORDER, with_token(iccid(0)))
            .unwrap();
        is(
            operator.told(path::CONFIRM_ORDER, with_token(iccid(1))),
            "8.2.6",
            "3.3",
        );
        let cancel = json!({
            "iccid": iccid(0).digits(),
            "matchingId": "ABC-2",
            "finalProfileStatusIndicator": "Available",
        });
        is(operator.told(path::CANCEL_ORDER, cancel), "8.2.6", "3.1");
    });
}

#[test]
fn pairs_of_8_1_1_chips_that_are_missing_or_others() {
    each_store(|kind| {
        let mut operator = stocked(kind);
        operator
            .told(path::DOWNLOAD_ORDER, order(iccid(0)))
            .unwrap();
        let mut body = confirm(iccid(0));
        body["smdsAddress"] = SMDS.into();
        is(operator.told(path::CONFIRM_ORDER, body), "8.1.1", "2.2");
        operator.stock(iccid(1));
        let mut body = order(iccid(1));
        body["eid"] = eid(1).digits().into();
        operator.told(path::DOWNLOAD_ORDER, body).unwrap();
        let mut body = confirm(iccid(1));
        body["eid"] = eid(2).digits().into();
        is(operator.told(path::CONFIRM_ORDER, body), "8.1.1", "3.1");
    });
}

#[test]
fn pair_8_9_5_1_an_sm_ds_that_we_do_not_reach() {
    each_store(|kind| {
        let mut operator = stocked(kind);
        operator
            .told(path::DOWNLOAD_ORDER, order(iccid(0)))
            .unwrap();
        let mut body = confirm(iccid(0));
        body["smdsAddress"] = "elsewhere.example.com".into();
        body["eid"] = eid(1).digits().into();
        is(operator.told(path::CONFIRM_ORDER, body), "8.9", "5.1");
    });
}

#[test]
fn pairs_of_8_9_5_events_that_are_known_or_unknown() {
    each_store(|kind| {
        let mut operator = stocked(kind);
        let event = json!({
            "eid": eid(1).digits(),
            "rspServerAddress": "smdp.other.example",
            "eventId": "EVENT-1",
            "forwardingIndicator": false,
        });
        operator
            .told(es12::path::REGISTER_EVENT, event.clone())
            .unwrap();
        is(
            operator.told(es12::path::REGISTER_EVENT, event),
            "8.9.5",
            "3.3",
        );
        let mut phone = operator.phone(1);
        let mut lpa = simurgh_euicc::lpa::Lpa::open(&mut phone).unwrap();
        let found = lpa.discover(&mut super::world::Net::of(&operator)).unwrap();
        assert_eq!(found[0].server_address, "smdp.other.example");
        drop(lpa);
        let event = json!({"eid": eid(1).digits(), "eventId": "EVENT-1"});
        operator
            .told(es12::path::DELETE_EVENT, event.clone())
            .unwrap();
        is(
            operator.told(es12::path::DELETE_EVENT, event),
            "8.9.5",
            "3.9",
        );
    });
}

#[test]
fn pair_1_6_2_2_a_parameter_that_is_missing() {
    each_store(|kind| {
        let mut operator = stocked(kind);
        is(operator.told(path::DOWNLOAD_ORDER, json!({})), "1.6", "2.2");
        is(
            operator.told(path::CONFIRM_ORDER, order(iccid(0))),
            "1.6",
            "2.2",
        );
    });
}
