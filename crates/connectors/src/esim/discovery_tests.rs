//! An SM-DS that hears what waits for chips.

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::Uri;
use axum::{Json, Router};
use serde_json::{Value, json};
use simurgh_app::ports::{DiscoveryFault, DiscoveryServers as _, ForeignEvent};
use simurgh_rsp::message::status::Status;

use super::{DiscoveryTeller, LpaTransportSettings};

type Heard = Arc<Mutex<Vec<(String, Value)>>>;

/// Answers every call so; hears where it went and what it said.
async fn smds(answer: Value) -> (String, Heard) {
    let heard = Heard::default();
    let hear = |State(heard): State<Heard>, uri: Uri, body: Bytes| {
        let body = serde_json::from_slice(&body).unwrap();
        heard.lock().unwrap().push((uri.path().to_owned(), body));
        std::future::ready(Json(answer))
    };
    let router = Router::new().fallback(hear).with_state(Arc::clone(&heard));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, heard)
}

fn teller(address: &str) -> DiscoveryTeller {
    let reach = LpaTransportSettings {
        danger_plain_http: true,
        ..LpaTransportSettings::default()
    };
    let own = "smdp.example.com".to_owned();
    DiscoveryTeller::new(own, vec![address.to_owned()], &reach).unwrap()
}

fn event(smds: &str) -> ForeignEvent {
    ForeignEvent {
        smds: smds.to_owned(),
        eid: "89049032123451234512345678901235".parse().unwrap(),
        event_id: "A-TOKEN".to_owned(),
        server_address: "smdp.example.com".to_owned(),
    }
}

fn executed() -> Value {
    json!({ "header": { "functionExecutionStatus": { "status": "Executed-Success" } } })
}

fn failed(status: Status) -> Value {
    let data = json!({ "subjectCode": status.subject(), "reasonCode": status.reason() });
    let status = json!({ "status": "Failed", "statusCodeData": data });
    json!({ "header": { "functionExecutionStatus": status } })
}

#[tokio::test]
async fn events_are_registered_and_deleted_as_the_specification_writes_it() {
    let (address, heard) = smds(executed()).await;
    let teller = teller(&address);
    assert!(teller.reaches(&address) && !teller.reaches("other.example.com"));
    assert_eq!(teller.register(&event(&address)).await, Ok(()));
    assert_eq!(teller.withdraw(&event(&address)).await, Ok(()));
    let heard = heard.lock().unwrap();
    let [(register, first), (delete, second)] = heard.as_slice() else {
        panic!("{} calls", heard.len())
    };
    assert_eq!(register, "/gsma/rsp2/es12/registerEvent");
    assert_eq!(first["rspServerAddress"], "smdp.example.com");
    assert_eq!(
        (&first["eventId"], &first["forwardingIndicator"]),
        (&json!("A-TOKEN"), &json!(false))
    );
    assert_eq!(delete, "/gsma/rsp2/es12/deleteEvent");
    assert_eq!(second["eid"], "89049032123451234512345678901235");
}

#[tokio::test]
async fn what_is_done_already_is_well_and_other_refusals_are_named() {
    let (address, _) = smds(failed(Status::EventRecordAlreadyInUse)).await;
    assert_eq!(teller(&address).register(&event(&address)).await, Ok(()));
    let refused = teller(&address).withdraw(&event(&address)).await;
    assert_eq!(
        refused,
        Err(DiscoveryFault::Refused("8.9.5/3.3".to_owned()))
    );
    let (address, _) = smds(failed(Status::EventRecordUnknown)).await;
    assert_eq!(teller(&address).withdraw(&event(&address)).await, Ok(()));
}

#[tokio::test]
async fn one_that_is_gone_or_says_nothing_is_unreachable() {
    let unreachable = |said| matches!(said, Err(DiscoveryFault::Unreachable(_)));
    let (address, _) = smds(json!({})).await;
    assert!(unreachable(
        teller(&address).register(&event(&address)).await
    ));
    let gone = "127.0.0.1:1";
    assert!(unreachable(teller(gone).register(&event(gone)).await));
}
