//! Faces of the chip towards other programs: the one-line JSON protocol of command-line LPAs, and the frames
//! of a virtual card reader. Both take and give octets; opening the streams is the caller's work.

use std::io::{ErrorKind, Read, Write};

use serde_json::{Value, json};
use simurgh_rsp::identity::{hex, unhex};

use crate::chip::{Environment, Euicc};

/// The longest line that is read, in octets: an APDU in hexadecimal digits and what is around it.
pub const LINE_MAX: usize = 4_096;

/// Answers one line: a JSON object whose `type` is `apdu` and whose `payload` says what to do (`connect`,
/// `disconnect`, `logic_channel_open`, `logic_channel_close`, `transmit`). `None` for lines that are not for
/// a chip: progress, results, requests to servers.
pub fn answer_line(
    chip: &mut Euicc,
    line: &str,
    environment: &mut Environment<'_>,
) -> Option<String> {
    if line.len() > LINE_MAX {
        return None;
    }
    let request: Value = serde_json::from_str(line).ok()?;
    if request.get("type")?.as_str()? != "apdu" {
        return None;
    }
    let payload = request.get("payload")?;
    let parameter = payload
        .get("param")
        .and_then(Value::as_str)
        .and_then(unhex)
        .unwrap_or_default();
    let answer = match payload.get("func")?.as_str()? {
        "connect" | "disconnect" => {
            chip.reset();
            json!({"ecode": 0})
        }
        "logic_channel_open" => match open_channel(chip, &parameter, environment) {
            Some(number) => json!({"ecode": number}),
            None => json!({"ecode": -1}),
        },
        "logic_channel_close" => {
            let number = parameter.first().copied().unwrap_or(0);
            chip.transmit(&[0x00, 0x70, 0x80, number], environment);
            json!({"ecode": 0})
        }
        "transmit" => json!({"ecode": 0, "data": hex(&chip.transmit(&parameter, environment))}),
        _ => json!({"ecode": -1}),
    };
    Some(json!({"type": "apdu", "payload": answer}).to_string())
}

/// Opens a channel and selects an application on it; closes it again when there is no such application.
fn open_channel(chip: &mut Euicc, aid: &[u8], environment: &mut Environment<'_>) -> Option<u8> {
    let opened = chip.transmit(&[0x00, 0x70, 0x00, 0x00, 0x01], environment);
    let [number, 0x90, 0x00] = opened[..] else {
        return None;
    };
    let length = u8::try_from(aid.len()).ok()?;
    // Channels from 4 on have another form of class, which LPAs do not use.
    let select = [&[number, 0xA4, 0x04, 0x00, length], aid].concat();
    let answer = chip.transmit(&select, environment);
    if number <= 3 && matches!(answer.first(), Some(0x61 | 0x90)) {
        if let [0x61, count] = answer[..] {
            chip.transmit(&[0x80 | number, 0xC0, 0x00, 0x00, count], environment);
        }
        return Some(number);
    }
    chip.transmit(&[0x00, 0x70, 0x80, number], environment);
    None
}

/// What an LPA asks of a server, when it leaves the connection to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpLine {
    /// The host name, with a port where that is not 443.
    pub address: String,
    /// The path below it.
    pub path: String,
    /// The body.
    pub body: Vec<u8>,
}

/// The longest line of an exchange with a server, in octets: a package in base 64, in hexadecimal digits.
pub const HTTP_LINE_MAX: usize = 4_194_304;

/// Reads a line whose `type` is `http`; `None` for all others, and for addresses that are not HTTPS.
#[must_use]
pub fn read_http_line(line: &str) -> Option<HttpLine> {
    if line.len() > HTTP_LINE_MAX {
        return None;
    }
    let request: Value = serde_json::from_str(line).ok()?;
    if request.get("type")?.as_str()? != "http" {
        return None;
    }
    let payload = request.get("payload")?;
    let rest = payload.get("url")?.as_str()?.strip_prefix("https://")?;
    let (address, path) = rest.split_once('/')?;
    Some(HttpLine {
        address: address.to_owned(),
        path: format!("/{path}"),
        body: unhex(payload.get("tx")?.as_str()?)?,
    })
}

/// The line that answers such a request: the HTTP status and the body, or status 0 when there was no answer.
#[must_use]
pub fn http_answer_line(status: u16, body: &[u8]) -> String {
    json!({"type": "http", "payload": {"rcode": status, "rx": hex(body)}}).to_string()
}

/// What the card says of itself at power on: T=0 at up to 512/32, class A to C of supply, 15 historical octets
/// (capabilities of the file system, the name), a checksum (ISO/IEC 7816-3 §8).
pub const ATR: [u8; 22] = [
    0x3B, 0x9F, 0x96, 0x80, 0x1F, 0xC7, 0x80, 0x31, 0xE0, 0x73, 0xFE, 0x21, 0x1B, 0x53, 0x69, 0x6D,
    0x75, 0x72, 0x67, 0x68, 0x21, 0xC9,
];

/// Answers one frame of a virtual card reader (vsmartcard), without its two octets of length. A frame of one
/// octet controls: 0 power off, 1 power on, 2 reset, 4 ask for the ATR; only the last is answered.
pub fn answer_frame(
    chip: &mut Euicc,
    frame: &[u8],
    environment: &mut Environment<'_>,
) -> Option<Vec<u8>> {
    match frame {
        [] => None,
        [0..=2] => {
            chip.reset();
            None
        }
        [4] => Some(ATR.to_vec()),
        [_] => None,
        apdu => Some(chip.transmit(apdu, environment)),
    }
}

/// The longest frame that is read: an APDU of the short form.
const FRAME_MAX: usize = 512;

/// Reads one frame of a virtual card reader: two octets of length, then the frame. `None` at the end.
///
/// # Errors
/// That of the stream; [`std::io::ErrorKind::InvalidData`] for a frame that no card can take.
pub fn read_frame(stream: &mut dyn Read) -> std::io::Result<Option<Vec<u8>>> {
    let mut length = [0; 2];
    match stream.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = usize::from(u16::from_be_bytes(length));
    if length > FRAME_MAX {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut frame = vec![0; length];
    stream.read_exact(&mut frame)?;
    Ok(Some(frame))
}

/// Writes one frame.
///
/// # Errors
/// That of the stream.
pub fn write_frame(stream: &mut dyn Write, frame: &[u8]) -> std::io::Result<()> {
    let length = u16::try_from(frame.len()).map_err(|_| ErrorKind::InvalidData)?;
    stream.write_all(&[&length.to_be_bytes(), frame].concat())?;
    stream.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T0 says that TA1, TD1 and 15 historical octets follow; TD1 announces TD2, TD2 announces TA3.
    #[test]
    fn the_atr_is_well_formed() {
        assert_eq!((ATR[1], ATR[3], ATR[4]), (0x9F, 0x80, 0x1F));
        assert_eq!(ATR.len(), 6 + 15 + 1);
        assert_eq!(ATR[1..].iter().fold(0, |sum, octet| sum ^ octet), 0);
    }
}
