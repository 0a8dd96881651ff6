//! `simurgh serve` as gateways of the network meet it: by Diameter.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use simurgh_diameter::Repeated;
use simurgh_diameter::ResultCode;
use simurgh_diameter::base::{CapabilitiesExchangeRequest, ErrorAnswer};
use simurgh_diameter::frame::{Framing, Ids, Limits, next_frame};
use simurgh_diameter::message::{Group as _, application, encode};
use simurgh_diameter::value::Address;

use super::process::{Folder, From, KEY, Serving, program};

/// What a gateway of this name is told when it introduces itself.
fn greeted(port: u16, host: &str) -> ResultCode {
    let addresses = [Address::Ip([127, 0, 0, 1].into())];
    let request = CapabilitiesExchangeRequest {
        origin_host: host,
        origin_realm: "example.com",
        host_ip_address: Repeated::from(&addresses),
        vendor_id: 0,
        product_name: "test",
        auth_application_id: Repeated::from(&[application::CREDIT_CONTROL]),
        ..CapabilitiesExchangeRequest::default()
    };
    let mut octets = Vec::new();
    encode(&mut octets, Ids::default(), &request).unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(&octets).unwrap();
    let mut answer = Vec::new();
    loop {
        if let Ok(Framing::Whole(frame)) = next_frame(&answer, &Limits::default()) {
            return ErrorAnswer::read_group(frame.avps()).unwrap().result_code;
        }
        let mut piece = [0; 1_024];
        let count = stream.read(&mut piece).unwrap();
        assert_ne!(count, 0, "it was closed without an answer");
        answer.extend_from_slice(piece.get(..count).unwrap());
    }
}

#[test]
fn gateways_of_the_table_are_let_in() {
    let folder = Folder::new();
    let port = {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let settings = format!(
        "master_key_file = '{key}'
[store]
url = 'sqlite:{store}'
[portal]
listen = '127.0.0.1:0'
url = 'http://localhost:8080'
[console]
listen = '127.0.0.1:0'
[admin]
listen = '127.0.0.1:0'
[charging]
listen = '127.0.0.1:{port}'
host = 'ocs.example.com'
realm = 'example.com'
peers = ['pgw.example.com', 'far.example.com=192.0.2.1']
",
        key = folder.file("key", &format!("{KEY}\n")).display(),
        store = folder.0.join("simurgh.db").display(),
    );
    let config = folder.file("simurgh.toml", &settings);
    let mut command = program(&["serve", "--config"]);
    command.arg(config);
    let mut serving = Serving::start(command, From::Error);
    serving.wait_for("\"serving\"");
    assert_eq!(greeted(port, "PGW.example.com"), ResultCode::SUCCESS);
    assert_eq!(greeted(port, "other.example.com"), ResultCode::UNKNOWN_PEER);
    assert_eq!(greeted(port, "far.example.com"), ResultCode::UNKNOWN_PEER);
}
