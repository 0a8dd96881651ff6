//! A card behind another program, which is told what to do by lines of JSON: the other end of
//! [`crate::face::answer_line`].

use std::io::{BufRead, Read as _, Write};

use serde_json::{Value, json};
use simurgh_rsp::identity::{hex, unhex};

use super::channel::{Card, CardError};
use crate::face::LINE_MAX;

/// A card at the other end of two streams.
#[derive(Debug)]
pub struct LineCard<R, W: Write> {
    answers: R,
    requests: W,
}

impl<R: BufRead, W: Write> LineCard<R, W> {
    /// Connects to the card.
    ///
    /// # Errors
    /// [`CardError::Gone`] when nobody answers, or there is no card.
    pub fn connect(answers: R, requests: W) -> Result<Self, CardError> {
        let mut card = Self { answers, requests };
        card.ask("connect", &[])?;
        Ok(card)
    }

    fn ask(&mut self, function: &str, parameter: &[u8]) -> Result<Value, CardError> {
        let payload = json!({"func": function, "param": hex(parameter)});
        let request = json!({"type": "apdu", "payload": payload});
        let gone = |_| CardError::Gone;
        writeln!(self.requests, "{request}").map_err(gone)?;
        self.requests.flush().map_err(gone)?;
        let mut answers = self.answers.by_ref().take(LINE_MAX as u64);
        let mut line = String::new();
        answers.read_line(&mut line).map_err(gone)?;
        let answer: Value = serde_json::from_str(&line).map_err(|_| CardError::Gone)?;
        let payload = answer.get("payload").ok_or(CardError::Gone)?;
        match payload.get("ecode").and_then(Value::as_i64) {
            Some(0..) => Ok(payload.clone()),
            Some(_) | None => Err(CardError::Gone),
        }
    }
}

impl<R: BufRead, W: Write> Card for LineCard<R, W> {
    fn transmit(&mut self, apdu: &[u8]) -> Result<Vec<u8>, CardError> {
        let answer = self.ask("transmit", apdu)?;
        let data = answer.get("data").and_then(Value::as_str).and_then(unhex);
        data.ok_or(CardError::Gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a program answers, and what it was told.
    fn transmit(answers: &str) -> (Result<Vec<u8>, CardError>, String) {
        let mut told = Vec::new();
        let card = LineCard::connect(answers.as_bytes(), &mut told);
        let answer = card.and_then(|mut card| card.transmit(&[0x00, 0xA4]));
        (answer, String::from_utf8(told).unwrap())
    }

    const HERE: &str = "{\"type\":\"apdu\",\"payload\":{\"ecode\":0}}\n";

    #[test]
    fn commands_go_out_and_answers_come_back_as_lines() {
        let there = "{\"type\":\"apdu\",\"payload\":{\"ecode\":0,\"data\":\"6A82\"}}\n";
        let (answer, told) = transmit(&format!("{HERE}{there}"));
        assert_eq!(answer, Ok(vec![0x6A, 0x82]));
        let told: Vec<Value> = told
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(told[0]["payload"]["func"], "connect");
        assert_eq!(
            told[1]["payload"]["param"].as_str().map(str::to_uppercase),
            Some("00A4".into())
        );
    }

    #[test]
    fn a_program_that_ends_refuses_or_talks_nonsense_is_no_card() {
        for answers in [
            String::new(),
            "{\"type\":\"apdu\",\"payload\":{\"ecode\":-1}}\n".to_owned(),
            HERE.to_owned(),
            format!("{HERE}nonsense\n"),
            format!("{HERE}{HERE}"),
        ] {
            assert_eq!(transmit(&answers).0, Err(CardError::Gone), "{answers}");
        }
    }
}
