//! A light HTTP/1.1 client for loopback: requests as ready bytes, answers read by their length. It
//! shares the machine's cores with the server, so it does as little as it can.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Connections that are kept alive, each with one request under way.
const CONNECTIONS: usize = 32;

/// An answer as it came over the wire.
pub(crate) struct Answer {
    /// The first line and the fields.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// A connection that is kept alive.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(server: SocketAddr) -> Result<Self, String> {
        let stream = TcpStream::connect(server).await.map_err(said)?;
        stream.set_nodelay(true).map_err(said)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(64 * 1_024),
        })
    }

    /// Asks and waits for the whole answer.
    pub(crate) async fn ask(&mut self, path: &str, cookie: &str) -> Result<Answer, String> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: text/html\r\n\
             accept-encoding: gzip, br\r\naccept-language: en\r\ncookie: {cookie}\r\n\r\n"
        );
        let (status, answer) = self.exchange(path, request.as_bytes()).await?;
        if status != 200 {
            return Err(format!("{path}: {}", answer.head));
        }
        Ok(answer)
    }

    /// Posts JSON and waits for the whole answer: its status and its body.
    pub(crate) async fn post(&mut self, path: &str, body: &str) -> Result<(u16, Vec<u8>), String> {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             x-admin-protocol: gsma/rsp/v2.5.0\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let (status, answer) = self.exchange(path, request.as_bytes()).await?;
        Ok((status, answer.body))
    }

    async fn exchange(&mut self, path: &str, request: &[u8]) -> Result<(u16, Answer), String> {
        self.stream.write_all(request).await.map_err(said)?;
        self.buffer.clear();
        let head_end = loop {
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8_lossy(self.buffer.get(..head_end).unwrap_or_default());
        let head = head.to_ascii_lowercase();
        let status = head
            .split_whitespace()
            .nth(1)
            .and_then(|status| status.parse().ok());
        let status: u16 = status.ok_or_else(|| format!("{path}: {head}"))?;
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .and_then(|length| length.trim().parse::<usize>().ok());
        let length = match (length, status) {
            (Some(length), _) => length,
            (None, 204) => 0,
            (None, _) => return Err(format!("{path}: an answer without a length: {head}")),
        };
        while self.buffer.len() < head_end + length {
            self.more().await?;
        }
        let body = self.buffer.get(head_end..head_end + length);
        let body = body.unwrap_or_default().to_vec();
        Ok((status, Answer { head, body }))
    }

    async fn more(&mut self) -> Result<(), String> {
        match self.stream.read_buf(&mut self.buffer).await.map_err(said)? {
            0 => Err("the server hung up".to_owned()),
            _ => Ok(()),
        }
    }
}

/// Asks for `path` as the customers of `cookies` by turns for `length`; gives back how long each
/// answer took, in microseconds.
pub(crate) async fn press(
    server: SocketAddr,
    path: &str,
    cookies: impl Fn(usize) -> String + Copy + Send + 'static,
    length: Duration,
) -> Result<Vec<u128>, String> {
    let mut tasks = JoinSet::new();
    for first in 0..CONNECTIONS {
        let path = path.to_owned();
        tasks.spawn(async move {
            let mut connection = Connection::open(server).await?;
            let mut times = Vec::new();
            let ends = Instant::now() + length;
            let mut turn = first;
            loop {
                let began = Instant::now();
                if began >= ends {
                    return Ok::<_, String>(times);
                }
                connection.ask(&path, &cookies(turn)).await?;
                times.push(began.elapsed().as_micros());
                turn += CONNECTIONS;
            }
        });
    }
    let mut times = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        times.extend(ended.map_err(said)??);
    }
    Ok(times)
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}
