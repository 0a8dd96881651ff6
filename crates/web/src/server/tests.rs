//! The server's limits, against real sockets. Nothing here waits for a time: each test waits for
//! what the server does when a short limit is over.

use std::future::pending;
use std::sync::Arc;

use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::*;
use crate::frame::{Takes, gate};

const SHORT: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_secs(60);

struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

async fn served(router: Router, limits: Limits) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let stopped = async {
        stopped.await.unwrap();
    };
    let server = tokio::spawn(serve(listener, router, limits, stopped));
    Served {
        address,
        stop,
        server,
    }
}

impl Served {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

fn patient() -> Limits {
    Limits {
        connections_max: 8,
        head_timeout: LONG,
        body_timeout: LONG,
        write_timeout: LONG,
        stop_timeout: LONG,
    }
}

fn pages() -> Router {
    let echo = post(async |body: axum::body::Bytes| body);
    Router::new()
        .route("/", get(async || "here"))
        .route("/form", echo)
        .layer(axum::middleware::from_fn_with_state(Takes::Forms, gate))
}

/// Everything until the server closes the connection.
async fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset is a close as well.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

/// One answer's head, up to the empty line.
async fn head(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_the_connection() {
    let limits = Limits {
        head_timeout: SHORT,
        ..patient()
    };
    let server = served(pages(), limits).await;
    for begun in ["", "GET / HTTP/1.1\r\nhost: a\r\nx: "] {
        let mut stream = server.connect().await;
        stream.write_all(begun.as_bytes()).await.unwrap();
        let answer = rest(stream).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_connection_that_is_idle_after_an_answer_ends() {
    let limits = Limits {
        head_timeout: SHORT,
        ..patient()
    };
    let server = served(pages(), limits).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    let answer = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("here"));
}

#[tokio::test]
async fn a_body_that_does_not_come_is_answered_408() {
    let limits = Limits {
        body_timeout: SHORT,
        ..patient()
    };
    let server = served(pages(), limits).await;
    let mut stream = server.connect().await;
    let begun = "POST /form HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\
                 content-type: application/x-www-form-urlencoded\r\n\r\na=1";
    stream.write_all(begun.as_bytes()).await.unwrap();
    let answer = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn an_answer_that_is_not_taken_ends_the_connection() {
    let limits = Limits {
        write_timeout: SHORT,
        ..patient()
    };
    let gone = Arc::new(Notify::new());
    let told = Arc::clone(&gone);
    let large = get(async move || {
        // More than the buffers of both systems hold; dropped when the connection is.
        let tell = TellWhenDropped(told);
        Body::new(http_body_util::Full::new(axum::body::Bytes::from_owner(
            LargeOwner(vec![b'x'; 64 << 20], tell),
        )))
    });
    let server = served(Router::new().route("/large", large), limits).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    gone.notified().await;
}

struct TellWhenDropped(Arc<Notify>);

impl Drop for TellWhenDropped {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

struct LargeOwner(
    Vec<u8>,
    #[expect(dead_code, reason = "it acts when dropped")] TellWhenDropped,
);

impl AsRef<[u8]> for LargeOwner {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[tokio::test]
async fn one_connection_too_many_is_told_to_come_again() {
    let limits = Limits {
        connections_max: 1,
        ..patient()
    };
    let server = served(pages(), limits).await;
    let mut first = server.connect().await;
    first
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    assert!(head(&mut first).await.starts_with("HTTP/1.1 200"));
    let second = rest(server.connect().await).await;
    assert!(second.starts_with("HTTP/1.1 503") && second.contains("retry-after: 5"));
    // The first one's place is free once it is gone.
    drop(first);
    loop {
        let mut third = server.connect().await;
        third
            .write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            .await
            .unwrap();
        if rest(third).await.starts_with("HTTP/1.1 200") {
            break;
        }
    }
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let server = served(pages(), patient()).await;
    let long = "x".repeat(2 * HEAD_OCTETS_MAX);
    for request in [
        format!("GET /{long} HTTP/1.1\r\nhost: a\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: a\r\nx: {long}\r\n\r\n"),
        format!(
            "GET / HTTP/1.1\r\nhost: a\r\n{}\r\n",
            "x: 1\r\n".repeat(500)
        ),
        "GET / HTTP/1.1\r\nbroken\r\n\r\n".to_owned(),
        "\x16\x03\x01 TLS here".to_owned(),
    ] {
        let mut stream = server.connect().await;
        // The server may close before it has read everything.
        let _ = stream.write_all(request.as_bytes()).await;
        let answer = rest(stream).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_stop_finishes_what_is_under_way_and_no_more() {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (Arc::clone(&begun), Arc::clone(&go_on));
    let slow = get(async move || {
        tell.notify_one();
        wait.notified().await;
        "done"
    });
    let server = served(Router::new().route("/slow", slow), patient()).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    begun.notified().await;
    let address = server.address;
    server.stop.send(()).unwrap();
    // Nobody new is let in; the listener closes before the drain.
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    go_on.notify_one();
    assert!(rest(stream).await.ends_with("done"));
    server.server.await.unwrap();
}

#[tokio::test]
async fn a_stop_gives_up_what_does_not_end() {
    let begun = Arc::new(Notify::new());
    let tell = Arc::clone(&begun);
    let never = get(async move || {
        tell.notify_one();
        pending::<&str>().await
    });
    let limits = Limits {
        stop_timeout: SHORT,
        ..patient()
    };
    let server = served(Router::new().route("/never", never), limits).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /never HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    begun.notified().await;
    server.stop.send(()).unwrap();
    server.server.await.unwrap();
    assert_eq!(rest(stream).await, "");
}
