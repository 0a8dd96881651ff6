//! What peers may do to the listener and to each other.

use simurgh_diameter::ResultCode;
use simurgh_diameter::credit_control::CcRequestType as Kind;

use crate::client::{ASK, Client};
use crate::world::{CLIENTS, Operator};

#[tokio::test]
async fn only_peers_of_the_table_are_let_in() {
    let operator = Operator::new("gy-strangers").await;
    let mut stranger = Client::connect(&operator, "stranger.example.com").await;
    assert_eq!(stranger.greet().await, ResultCode::UNKNOWN_PEER);
    assert_eq!(stranger.read().await, None, "and the connection is closed");
}

#[tokio::test]
async fn who_does_not_greet_first_is_refused() {
    let operator = Operator::new("gy-rude").await;
    let mut rude = Client::connect(&operator, CLIENTS[0]).await;
    let answer = rude.data("rude;1", Kind::Initial, 0, &[ASK]).await;
    assert_eq!(answer.code, 5012);
    assert_eq!(rude.read().await, None);
}

#[tokio::test]
async fn garbage_half_messages_giant_lengths_and_silence_harm_nobody_else() {
    let operator = Operator::new("gy-garbage").await;
    let mut good = Client::open(&operator, CLIENTS[0]).await;
    let mut silent = Client::connect(&operator, CLIENTS[1]).await;
    let rubbish: [&[u8]; 4] = [
        b"GET / HTTP/1.1\r\n\r\n",
        &[1, 0, 0, 3, 0, 0, 0, 0],
        &[1, 255, 255, 252, 0, 0, 0, 0],
        &[0; 4_096],
    ];
    for octets in rubbish {
        let mut bad = Client::connect(&operator, CLIENTS[1]).await;
        bad.write(octets).await;
        while bad.read().await.is_some() {}
    }
    let mut half = Client::open(&operator, CLIENTS[1]).await;
    let request = half.write_data("half;1", Kind::Initial, 0, &[ASK]);
    half.write(&request[..request.len() / 2]).await;
    let answer = good.data("good;1", Kind::Initial, 0, &[ASK]).await;
    assert_eq!(answer.code, 2001);
    half.write(&request[request.len() / 2..]).await;
    assert_eq!(half.hear().await.code, 2001);
    drop(half);
    silent.write(&[1]).await;
    operator.audit().await;
}

#[tokio::test]
async fn a_stop_says_goodbye() {
    let mut operator = Operator::new("gy-stop").await;
    let mut client = Client::open(&operator, CLIENTS[0]).await;
    let stopping = operator.restart();
    let heard = async {
        let octets = client.read().await.unwrap();
        let frame = crate::client::frame(&octets);
        assert_eq!(
            (frame.header.command, frame.header.is_request()),
            (282, true)
        );
        drop(client);
    };
    tokio::join!(stopping, heard);
}
