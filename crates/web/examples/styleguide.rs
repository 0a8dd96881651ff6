//! The style guide and the help centre on their own: `cargo run -p simurgh-web --example styleguide`.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use simurgh_app::ports::Clock;
use simurgh_vocab::Timestamp;
use simurgh_web::brand::Brand;
use simurgh_web::frame::{Frames, Policy, Transport, dress};
use simurgh_web::{routes, styleguide};

/// A clock that stands still, so that screenshots can be compared.
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_787_380_200_000_000)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let policy = Policy::new(Transport::Http, &[]);
    let frames = Frames::new(Brand::default(), policy, Arc::new(Still));
    let frames = frames.map_err(io::Error::other)?;
    let router: Router = routes()
        .merge(styleguide::routes())
        .layer(from_fn_with_state(frames.clone(), dress))
        .with_state(frames);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 7171)).await?;
    println!("http://127.0.0.1:7171/design");
    axum::serve(listener, router).await
}
