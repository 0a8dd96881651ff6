//! What the operator who ordered a profile is told of its download. Source: SGP.22 v2.5 §5.3.5

use std::sync::atomic::Ordering;

use simurgh_app::ports::ProgressPoint as Point;
use simurgh_rsp::message::status::Status;
use simurgh_vocab::Duration;

use super::place::each_store;
use super::world::{Net, Operator, RESELLER, Willing, eid, iccid, refusal};

/// What was told: point, subject and reason code.
fn told(operator: &Operator) -> Vec<(Point, Option<(String, String)>)> {
    operator
        .runtime
        .block_on(operator.app.run_due_jobs())
        .unwrap();
    let news = operator.told_back.news.lock().unwrap();
    let say = news.iter().map(|one| {
        assert_eq!((one.iccid, one.eid), (iccid(0), Some(eid(1))));
        let failure = one.failure.clone();
        (one.point, failure.map(|it| (it.subject, it.reason)))
    });
    say.collect()
}

fn pair(status: Status) -> Option<(String, String)> {
    Some((status.subject().to_owned(), status.reason().to_owned()))
}

#[test]
fn every_point_of_a_download_is_told() {
    each_store(|kind| {
        let mut operator = Operator::over(kind);
        let token = operator.order(iccid(0), Some("2468"));
        let mut phone = operator.phone(1);
        let wrong = phone.download(&mut Net::of(&operator), &token, &mut Willing(Some("1357")));
        assert_eq!(refusal(wrong), Status::ConfirmationCodeRefused);
        let right = phone.download(&mut Net::of(&operator), &token, &mut Willing(Some("2468")));
        assert!(right.is_ok());
        phone.tell(&operator);
        // The outbox keeps no order among news of one moment: each says when it happened.
        let mut heard = told(&operator);
        heard.sort_by_key(|(point, _)| point.code());
        let expected = [
            (Point::Eligibility, None),
            (Point::Eligibility, None),
            (
                Point::ConfirmationFailure,
                pair(Status::ConfirmationCodeRefused),
            ),
            (Point::Download, None),
            (Point::Installation, None),
        ];
        assert_eq!(heard, expected);
        let news = operator.told_back.news.lock().unwrap();
        let results = news.iter().filter(|one| one.result.is_some());
        let points: Vec<_> = results.map(|one| one.point).collect();
        assert_eq!(points, [Point::Installation]);
        drop(news);
        assert_eq!(told(&operator).len(), 5, "nothing is told twice");
    });
}

#[test]
fn a_chip_that_may_not_have_it_is_told_of_with_the_reason() {
    each_store(|kind| {
        let mut operator = Operator::over(kind);
        let token = operator.order(iccid(0), None);
        operator.wait(Duration::days(90));
        let late = operator.phone(1).fetch(&operator, &token);
        assert!(late.is_ok(), "orders that are confirmed here last for ever");
        let mut operator = Operator::over(kind);
        let token = operator.ordered_over_es2(iccid(0));
        operator.wait(Duration::days(91));
        let late = operator.phone(1).fetch(&operator, &token);
        assert_eq!(refusal(late), Status::DownloadOrderExpired);
        let expected = [(Point::Eligibility, pair(Status::DownloadOrderExpired))];
        assert_eq!(told(&operator), expected);
    });
}

#[test]
fn news_waits_until_the_operator_can_be_reached() {
    each_store(|kind| {
        let mut operator = Operator::over(kind);
        let token = operator.order(iccid(0), None);
        operator.told_back.is_away.store(true, Ordering::SeqCst);
        operator.phone(1).fetch(&operator, &token).unwrap();
        assert_eq!(told(&operator), []);
        operator.told_back.is_away.store(false, Ordering::SeqCst);
        operator.wait(Duration::hours(1));
        let points: Vec<_> = told(&operator)
            .into_iter()
            .map(|(point, _)| point)
            .collect();
        assert_eq!(points.len(), 2);
        assert!(points.contains(&Point::Eligibility) && points.contains(&Point::Download));
    });
}

#[test]
fn news_that_cannot_be_told_for_days_is_given_up() {
    each_store(|kind| {
        let mut operator = Operator::over(kind);
        let token = operator.order(iccid(0), None);
        operator.told_back.is_away.store(true, Ordering::SeqCst);
        operator.phone(1).fetch(&operator, &token).unwrap();
        operator.wait(Duration::days(4));
        assert_eq!(told(&operator), []);
        operator.told_back.is_away.store(false, Ordering::SeqCst);
        operator.wait(Duration::days(4));
        assert_eq!(told(&operator), [], "they are forgotten");
    });
}

#[test]
fn operators_who_do_not_listen_are_told_nothing() {
    each_store(|kind| {
        let mut operator = Operator::over(kind);
        operator.stock(iccid(0));
        let order = serde_json::json!({ "iccid": iccid(0).digits(), "profileType": "prepaid" });
        let path = simurgh_rsp::message::es2::path::DOWNLOAD_ORDER;
        operator.told_by(RESELLER, path, order).unwrap();
        let confirm = serde_json::json!({ "iccid": iccid(0).digits(), "releaseFlag": true });
        let path = simurgh_rsp::message::es2::path::CONFIRM_ORDER;
        let answer = operator.told_by(RESELLER, path, confirm).unwrap();
        let token = answer["matchingId"].as_str().unwrap().to_owned();
        operator.phone(1).fetch(&operator, &token).unwrap();
        assert_eq!(told(&operator), []);
    });
}
