//! An operator's server that hears what becomes of its orders.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use simurgh_app::ports::{DownloadProgress, ProgressFailure, ProgressListener as _, ProgressPoint};
use simurgh_vocab::identity::Iccid;
use simurgh_vocab::{ProgressId, Timestamp};

use super::{Listener, LpaTransportSettings, ProgressTeller};
use crate::Secret;

type Heard = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

async fn server(status: StatusCode) -> (String, Heard) {
    let heard = Heard::default();
    let kept = Arc::clone(&heard);
    let hear = move |headers: HeaderMap, body: Bytes| {
        let body = serde_json::from_slice(&body).unwrap();
        kept.lock().unwrap().push((headers, body));
        std::future::ready(status)
    };
    let path = "/gsma/rsp2/es2plus/handleDownloadProgressInfo";
    let router = Router::new().route(path, post(hear));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, heard)
}

fn teller(address: &str) -> ProgressTeller {
    let reach = LpaTransportSettings {
        danger_plain_http: true,
        token: Some(Secret::new("a token for tests")),
        ..LpaTransportSettings::default()
    };
    let listener = Listener::at(address.to_owned(), &reach).unwrap();
    let listeners = BTreeMap::from([("mno".to_owned(), listener)]);
    ProgressTeller::new("smdp.example.com".to_owned(), listeners)
}

fn progress(operator: &str) -> DownloadProgress {
    DownloadProgress {
        id: ProgressId::from_parts(1, &[1; 10]),
        operator: operator.to_owned(),
        iccid: Iccid::with_check_digit("894460123456789012").unwrap(),
        profile_type: "prepaid".to_owned(),
        eid: None,
        point: ProgressPoint::ConfirmationFailure,
        at: Timestamp::from_micros(1_790_000_000_000_000),
        failure: Some(ProgressFailure {
            subject: "8.2.7".to_owned(),
            reason: "3.8".to_owned(),
        }),
        result: None,
    }
}

#[tokio::test]
async fn news_goes_out_as_the_specification_writes_it() {
    let (address, heard) = server(StatusCode::NO_CONTENT).await;
    let teller = teller(&address);
    assert!(teller.listens("mno") && !teller.listens("other"));
    assert_eq!(teller.tell(&progress("mno")).await, Ok(()));
    assert_eq!(teller.tell(&progress("mno")).await, Ok(()));
    assert_eq!(
        teller.tell(&progress("other")).await,
        Ok(()),
        "who left is told nothing"
    );
    let heard = heard.lock().unwrap();
    let [(headers, body), (_, again)] = heard.as_slice() else {
        panic!("{} calls", heard.len())
    };
    assert_eq!(headers["authorization"], "Bearer a token for tests");
    assert_eq!(headers["x-admin-protocol"], "gsma/rsp/v2.5.0");
    assert_eq!(body, again, "told again, it is the same call");
    assert_eq!(
        body["header"]["functionRequesterIdentifier"],
        "smdp.example.com"
    );
    assert_eq!(body["timestamp"], "2026-09-21T14:13:20Z");
    assert_eq!(body["notificationPointId"], 2);
    let status = &body["notificationPointStatus"];
    assert_eq!(status["status"], "Failed");
    assert_eq!(status["statusCodeData"]["subjectCode"], "8.2.7");
    assert_eq!(body["eid"], json!(null));
}

#[tokio::test]
async fn a_server_that_refuses_or_is_gone_is_told_later() {
    let (address, _) = server(StatusCode::SERVICE_UNAVAILABLE).await;
    assert!(teller(&address).tell(&progress("mno")).await.is_err());
    assert!(teller("127.0.0.1:1").tell(&progress("mno")).await.is_err());
}
