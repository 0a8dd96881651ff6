//! python-diameter, a client that nobody here wrote, charges a session: its peer state machine, its codec.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};
use simurgh_vocab::Unit;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::world::Operator;

/// The gateway; it ends with its input.
struct Gateway {
    child: Child,
    input: ChildStdin,
    said: Lines<BufReader<ChildStdout>>,
}

impl Gateway {
    /// Nothing when python-diameter is not installed.
    async fn start(operator: &Operator) -> Option<Self> {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let packages = std::env::var_os("SIMURGH_PEERS");
        let packages = packages.map(|peers| PathBuf::from(peers).join("python"));
        let mut python = Command::new("python3");
        if let Some(packages) = &packages {
            python.env("PYTHONPATH", packages);
        }
        let mut child = python
            .arg(root.join("tests/peers/diameter_gateway.py"))
            .arg(operator.address.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .ok()?;
        let input = child.stdin.take()?;
        let mut said = BufReader::new(child.stdout.take()?).lines();
        let first = said.next_line().await.ok()?;
        if first.is_none() {
            let installed = packages.is_some_and(|folder| folder.join("diameter").is_dir());
            assert!(!installed, "python-diameter is installed, but does not run");
            println!("skipped: diameter_gateway.py needs python3 and the packages of tests/peers");
            return None;
        }
        Some(Self { child, input, said })
    }

    async fn ask(&mut self, order: Value) -> Value {
        self.tell(order).await;
        self.hear().await
    }

    async fn tell(&mut self, order: Value) {
        let line = format!("{order}\n");
        self.input.write_all(line.as_bytes()).await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        let line = self.said.next_line().await.unwrap().unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

fn ccr(kind: u32, number: u32, used: Option<u64>, asks: bool) -> Value {
    json!({"do": "ccr", "kind": kind, "number": number, "used": used, "asks": asks})
}

#[tokio::test]
async fn python_diameter_charges_a_session_to_its_end_and_beyond() {
    let mut operator = Operator::new("gy-python").await;
    let Some(mut gateway) = Gateway::start(&operator).await else {
        return;
    };
    let first = gateway.ask(ccr(1, 0, None, true)).await;
    assert_eq!(
        (&first["code"], &first["group_code"]),
        (&json!(2001), &json!(2001))
    );
    assert_eq!(
        (&first["granted"], &first["validity"]),
        (&json!(100), &json!(1_800))
    );
    gateway.ask(ccr(2, 1, Some(995), true)).await;
    let over = gateway.ask(ccr(2, 2, Some(5), true)).await;
    assert_eq!(
        (&over["code"], &over["group_code"]),
        (&json!(2001), &json!(4012))
    );
    assert_eq!(over["redirect"], "https://example.com/plans");
    assert_eq!(operator.amounts(Unit::Octets).await, (0, 0, 1_000));

    operator.buy(300).await;
    let (app, line) = (operator.app.clone(), operator.line);
    let told = tokio::spawn(async move { app.reach_sessions(line).await });
    let asked = gateway.ask(json!({"do": "hear"})).await;
    assert_eq!(asked["session"], "pgw.example.com;python;1");
    assert_eq!(told.await.unwrap(), Ok(true));
    let resumed = gateway.ask(ccr(2, 3, None, true)).await;
    assert_eq!(resumed["granted"], 100);
    let end = gateway.ask(ccr(3, 4, Some(40), false)).await;
    assert_eq!(end["code"], 2001);
    assert_eq!(operator.amounts(Unit::Octets).await, (260, 0, 1_040));
    operator.audit().await;
    drop(gateway.input);
    assert!(gateway.child.wait().await.unwrap().success());
}
