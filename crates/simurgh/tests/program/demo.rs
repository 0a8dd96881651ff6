//! `simurgh demo`.

use std::path::Path;

use super::process::{Folder, From, Serving, get, host, program};

fn started(folder: &Path, more: &[&str]) -> Serving {
    let folder = folder.to_str().unwrap();
    let mut arguments = vec!["demo", "--port", "0", "--data-dir", folder];
    arguments.extend(more);
    let mut demo = Serving::start(program(&arguments), From::Output);
    demo.wait_for("Stop with");
    demo
}

/// The address after a name in the greeting.
fn address(demo: &Serving, name: &str) -> String {
    let line = demo.said.iter().find(|line| line.starts_with(name));
    host(line.unwrap().split_whitespace().last().unwrap())
}

/// The line that says how staff logs in: chance, made once and kept.
fn staff(demo: &Serving) -> String {
    let line = demo.said.iter().find(|line| line.starts_with("Console:"));
    line.unwrap().clone()
}

#[test]
fn it_serves_keeps_its_data_and_forgets_it_when_told_to() {
    let folder = Folder::new();
    let data = folder.0.join("data");
    let mut demo = started(&data, &[]);
    let (portal, admin) = (address(&demo, "portal"), address(&demo, "admin"));
    assert!(get(&admin, "/healthz").starts_with("HTTP/1.1 200"));
    assert!(get(&admin, "/readyz").starts_with("HTTP/1.1 200"));
    let page = get(&portal, "/");
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("x-request-id: ") && page.contains("<html lang=\"en\""));
    // What is played beside it is served within the same limits.
    let long = format!("/?{}", "a".repeat(5_000));
    for outside in ["sandbox", "identity"] {
        let outside = address(&demo, outside);
        let page = get(&outside, "/");
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
        assert!(page.contains("x-request-id: "), "{page}");
        assert!(get(&outside, &long).starts_with("HTTP/1.1 414"));
    }
    let inbox = get(&portal, "/inbox.json");
    assert!(inbox.starts_with("HTTP/1.1 200"), "{inbox}");
    let metrics = get(&admin, "/metrics");
    for name in [
        "simurgh_build_info{version=",
        "simurgh_http_requests_total{site=\"portal\",method=\"GET\",route=\"/\",status=\"200\"} 1",
        "simurgh_http_request_seconds_bucket{site=\"portal\",route=\"/\",le=\"0.1\"}",
        "simurgh_outbox_due ",
        "simurgh_outbox_oldest_seconds ",
        "simurgh_outbox_stuck ",
        "simurgh_payments_open{state=\"unknown\"} 0",
        "simurgh_store_commits_total ",
        "simurgh_store_queue_length ",
    ] {
        assert!(metrics.contains(name), "{name}: {metrics}");
    }
    let first = staff(&demo);
    demo.signal("TERM");
    assert_eq!(demo.ended().code(), Some(0));

    let mut again = started(&data, &[]);
    assert_eq!(staff(&again), first);
    again.signal("INT");
    assert_eq!(again.ended().code(), Some(0));

    let mut anew = started(&data, &["--reset"]);
    assert_ne!(staff(&anew), first);
    anew.signal("TERM");
    assert_eq!(anew.ended().code(), Some(0));
}
