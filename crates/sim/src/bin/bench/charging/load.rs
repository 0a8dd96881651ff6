//! The clients' process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use simurgh_diameter::Repeated;
use simurgh_diameter::base::CapabilitiesExchangeRequest;
use simurgh_diameter::frame::{FLAG_REQUEST, Frame, Framing, Ids, Limits, next_frame};
use simurgh_diameter::message::{application, encode};
use simurgh_diameter::value::Address;
use simurgh_sim::{CHARGED_REALM, gateway};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::wire::{About, Requests, UPDATES, check};
use super::{Case, said};

/// After every line was met, before measuring.
const WARM_UP: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(8);

/// Presses on the server: first every line has a short session, then sessions of any line follow each other.
/// Says `measuring`, then: answers, answers per second, and the 50th and 99th of a hundred times in
/// milliseconds.
pub(crate) fn press(address: &str, case: &Case) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.map_err(said)?.block_on(press_all(address, case))
}

async fn press_all(address: &str, case: &Case) -> Result<(), String> {
    let common = Arc::new(Common {
        sessions: AtomicU64::new(0),
        lines: case.lines,
        ready: Barrier::new(usize::try_from(case.conns).map_err(said)?),
    });
    let mut clients = JoinSet::new();
    for conn in 0..case.conns {
        let client = Client::open(address, conn, case, Arc::clone(&common)).await?;
        clients.spawn(client.run(case.window));
    }
    let mut times: Vec<u32> = Vec::new();
    while let Some(ended) = clients.join_next().await {
        times.extend(ended.map_err(said)??);
    }
    let answers = times.len();
    let per_s = u128::try_from(answers).map_err(said)? * 1_000_000 / MEASURED.as_micros();
    times.sort_unstable();
    let at = |percent: usize| {
        let place = answers * percent / 100;
        crate::thousandths(times.get(place).copied().unwrap_or(0).into())
    };
    println!("{answers} {per_s} {} {}", at(50), at(99));
    std::future::pending().await
}

/// What all connections share.
struct Common {
    sessions: AtomicU64,
    lines: u32,
    ready: Barrier,
}

struct Client {
    stream: TcpStream,
    input: Vec<u8>,
    output: Vec<u8>,
    requests: Requests,
    common: Arc<Common>,
}

/// A session under way.
struct Slot {
    session: u64,
    line: u32,
    number: u32,
    last: u32,
    sent: Instant,
}

impl Client {
    async fn open(
        address: &str,
        conn: u32,
        case: &Case,
        common: Arc<Common>,
    ) -> Result<Self, String> {
        let stream = TcpStream::connect(address).await.map_err(said)?;
        stream.set_nodelay(true).map_err(said)?;
        let mut client = Self {
            stream,
            input: Vec::with_capacity(256 * 1_024),
            output: Vec::with_capacity(256 * 1_024),
            requests: Requests::new(conn, case.groups)?,
            common,
        };
        client.greet(conn).await?;
        Ok(client)
    }

    async fn greet(&mut self, conn: u32) -> Result<(), String> {
        let host = gateway(conn);
        let addresses = [Address::Ip([127, 0, 0, 1].into())];
        let request = CapabilitiesExchangeRequest {
            origin_host: &host,
            origin_realm: CHARGED_REALM,
            host_ip_address: Repeated::from(&addresses),
            vendor_id: 0,
            product_name: "bench",
            auth_application_id: Repeated::from(&[application::CREDIT_CONTROL]),
            ..Default::default()
        };
        encode(&mut self.output, Ids::default(), &request).map_err(said)?;
        self.send().await?;
        loop {
            if let Framing::Whole(frame) =
                next_frame(&self.input, &Limits::default()).map_err(said)?
            {
                check(&frame)?;
                let length = frame.octets.len();
                self.input.drain(..length);
                return Ok(());
            }
            self.receive().await?;
        }
    }

    /// How long answers took, in microseconds.
    async fn run(mut self, window: u32) -> Result<Vec<u32>, String> {
        let lines = u64::from(self.common.lines);
        self.sessions(window, |run| run.begun < lines).await?;
        let rest = Instant::now() + WARM_UP;
        self.sessions(window, |run| run.now < rest).await?;
        if self.common.ready.wait().await.is_leader() {
            println!("measuring");
        }
        let end = Instant::now() + MEASURED;
        let mut times = self.sessions(window, |run| run.now < end).await?;
        times.shrink_to_fit();
        Ok(times)
    }

    /// Has `window` sessions under way as long as `goes_on` says; then ends them.
    async fn sessions(
        &mut self,
        window: u32,
        goes_on: impl Fn(&Run) -> bool,
    ) -> Result<Vec<u32>, String> {
        let mut slots = Vec::new();
        let mut times = Vec::new();
        for place in 0..window {
            let slot = self.begin();
            self.ask(place, &slot);
            slots.push(slot);
        }
        let mut live = window;
        while live > 0 {
            self.send().await?;
            self.receive().await?;
            let run = Run {
                now: Instant::now(),
                begun: self.common.sessions.load(Ordering::Relaxed),
            };
            let is_on = goes_on(&run);
            let input = std::mem::take(&mut self.input);
            let mut at = 0;
            while let Framing::Whole(frame) =
                next_frame(input.get(at..).unwrap_or_default(), &Limits::default()).map_err(said)?
            {
                at += frame.octets.len();
                let Some((place, slot)) = heard(&frame, &mut slots)? else {
                    continue;
                };
                if is_on {
                    let time = run.now.saturating_duration_since(slot.sent);
                    times.push(u32::try_from(time.as_micros()).unwrap_or(u32::MAX));
                }
                slot.sent = run.now;
                if slot.number < slot.last {
                    slot.number += 1;
                } else if is_on {
                    *slot = self.begin();
                } else {
                    live -= 1;
                    continue;
                }
                let slot = &*slot;
                self.ask(place, slot);
            }
            self.input = input;
            self.input.drain(..at);
        }
        Ok(times)
    }

    /// The next session: first of each line in turn, with nothing between its beginning and its end.
    fn begin(&self) -> Slot {
        let session = self.common.sessions.fetch_add(1, Ordering::Relaxed);
        let lines = u64::from(self.common.lines);
        let (line, last) = if session < lines {
            (session, 1)
        } else {
            // Anywhere: multiplied by an odd number near the golden ratio of 2^64.
            let anywhere = session.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
            (anywhere % lines, UPDATES + 1)
        };
        Slot {
            session,
            line: u32::try_from(line).unwrap_or(0),
            number: 0,
            last,
            sent: Instant::now(),
        }
    }

    fn ask(&mut self, place: u32, slot: &Slot) {
        let about = About {
            session: slot.session,
            line: slot.line,
            number: slot.number,
            ends: slot.number == slot.last,
            place,
        };
        self.requests.write(&mut self.output, &about);
    }

    async fn send(&mut self) -> Result<(), String> {
        self.stream.write_all(&self.output).await.map_err(said)?;
        self.output.clear();
        Ok(())
    }

    async fn receive(&mut self) -> Result<(), String> {
        self.input.reserve(64 * 1_024);
        match self.stream.read_buf(&mut self.input).await.map_err(said)? {
            0 => Err("the server hung up".to_owned()),
            _ => Ok(()),
        }
    }
}

/// How far a run is.
struct Run {
    now: Instant,
    begun: u64,
}

/// Whose answer it is; none if it is a request of the server's.
fn heard<'s>(
    frame: &Frame<'_>,
    slots: &'s mut [Slot],
) -> Result<Option<(u32, &'s mut Slot)>, String> {
    if frame.header.flags & FLAG_REQUEST != 0 {
        return Ok(None);
    }
    check(frame)?;
    let place = frame.header.ids.hop_by_hop;
    let slot = usize::try_from(place).ok().and_then(|it| slots.get_mut(it));
    let slot = slot.ok_or("an answer to nobody")?;
    Ok(Some((place, slot)))
}
