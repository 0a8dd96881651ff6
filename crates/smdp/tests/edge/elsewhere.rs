//! Orders that an SM-DS of somebody else tells of. Source: SGP.22 v2.5 §3.6, §5.3.2, §5.9

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use simurgh_rsp::message::es2::path;
use simurgh_rsp::message::status::Status;
use simurgh_vocab::Duration;

use super::world::{ADDRESS, ELSEWHERE, Operator, RESELLER, eid, iccid};

fn reserve(operator: &mut Operator) {
    operator.stock(iccid(0));
    let order = json!({ "iccid": iccid(0).digits(), "eid": eid(1).digits() });
    operator.told(path::DOWNLOAD_ORDER, order).unwrap();
}

fn confirm(operator: &mut Operator) -> Result<Value, Status> {
    let order = json!({
        "iccid": iccid(0).digits(),
        "eid": eid(1).digits(),
        "smdsAddress": ELSEWHERE,
        "releaseFlag": true,
    });
    operator.told(path::CONFIRM_ORDER, order)
}

fn known(operator: &Operator) -> usize {
    operator
        .runtime
        .block_on(operator.app.run_due_jobs())
        .unwrap();
    operator.elsewhere.events.lock().unwrap().len()
}

#[test]
fn an_event_stands_there_until_its_profile_is_installed() {
    let mut operator = Operator::new();
    reserve(&mut operator);
    let answer = confirm(&mut operator).unwrap();
    let token = answer["matchingId"].as_str().unwrap().to_owned();
    {
        let events = operator.elsewhere.events.lock().unwrap();
        let [event] = events.as_slice() else {
            panic!("{} events", events.len())
        };
        assert_eq!(
            (event.eid, event.server_address.as_str()),
            (eid(1), ADDRESS)
        );
        assert_eq!(event.event_id, token);
    }
    let own = operator.app.chip_events(eid(1));
    assert!(
        operator.runtime.block_on(own).unwrap().is_empty(),
        "ours knows nothing of it"
    );
    let mut phone = operator.phone(1);
    phone.fetch(&operator, &token).unwrap();
    phone.tell(&operator);
    assert_eq!(known(&operator), 0);
}

#[test]
fn an_order_that_is_cancelled_is_taken_back_there_however_late() {
    let mut operator = Operator::new();
    reserve(&mut operator);
    confirm(&mut operator).unwrap();
    operator.elsewhere.is_away.store(true, Ordering::SeqCst);
    let cancel = json!({ "iccid": iccid(0).digits(), "eid": eid(1).digits(), "finalProfileStatusIndicator": "Available" });
    operator.told(path::CANCEL_ORDER, cancel).unwrap();
    assert_eq!(known(&operator), 1, "it cannot be reached");
    operator.elsewhere.is_away.store(false, Ordering::SeqCst);
    operator.wait(Duration::hours(1));
    assert_eq!(known(&operator), 0);
}

#[test]
fn an_order_is_not_confirmed_when_the_smds_is_away_or_refuses() {
    let mut operator = Operator::new();
    reserve(&mut operator);
    operator.elsewhere.is_away.store(true, Ordering::SeqCst);
    assert_eq!(confirm(&mut operator), Err(Status::SmdsInaccessible));
    operator.elsewhere.is_away.store(false, Ordering::SeqCst);
    operator.elsewhere.refuses.store(true, Ordering::SeqCst);
    assert_eq!(confirm(&mut operator), Err(Status::SmdsExecutionError));
    operator.elsewhere.refuses.store(false, Ordering::SeqCst);
    assert!(confirm(&mut operator).is_ok());
    assert_eq!(known(&operator), 1);
}

fn confirm_with(operator: &mut Operator, token: &str) -> Result<Value, Status> {
    let order = json!({
        "iccid": iccid(0).digits(),
        "eid": eid(1).digits(),
        "matchingId": token,
        "smdsAddress": ELSEWHERE,
        "releaseFlag": true,
    });
    operator.told(path::CONFIRM_ORDER, order)
}

#[test]
fn an_order_that_is_refused_is_not_told_and_harms_no_event() {
    let mut operator = Operator::new();
    reserve(&mut operator);
    confirm_with(&mut operator, "A-TOKEN").unwrap();
    // It is confirmed already, with this token or another; and it is not the reseller's.
    assert!(confirm_with(&mut operator, "A-TOKEN").is_err());
    assert!(confirm(&mut operator).is_err());
    let order = json!({
        "iccid": iccid(0).digits(),
        "eid": eid(1).digits(),
        "matchingId": "A-TOKEN",
        "smdsAddress": ELSEWHERE,
        "releaseFlag": true,
    });
    let strange = operator.told_by(RESELLER, path::CONFIRM_ORDER, order);
    assert_eq!(strange, Err(Status::IccidUnknown));
    assert_eq!(known(&operator), 1);
}

#[test]
fn a_late_withdrawal_leaves_the_event_of_a_new_order() {
    let mut operator = Operator::new();
    reserve(&mut operator);
    confirm_with(&mut operator, "FIRST").unwrap();
    operator.elsewhere.is_away.store(true, Ordering::SeqCst);
    let cancel = json!({ "iccid": iccid(0).digits(), "eid": eid(1).digits(), "finalProfileStatusIndicator": "Available" });
    operator.told(path::CANCEL_ORDER, cancel).unwrap();
    assert_eq!(known(&operator), 1);
    operator.elsewhere.is_away.store(false, Ordering::SeqCst);
    let order = json!({ "iccid": iccid(0).digits(), "eid": eid(1).digits() });
    operator.told(path::DOWNLOAD_ORDER, order).unwrap();
    confirm_with(&mut operator, "SECOND").unwrap();
    operator.wait(Duration::hours(1));
    assert_eq!(known(&operator), 1);
    let events = operator.elsewhere.events.lock().unwrap();
    assert_eq!(events[0].event_id, "SECOND");
}
