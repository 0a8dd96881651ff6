//! The inventory: what lines are made of. It is read from operator files, or made up for tests.

use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrap};
use serde::{Deserialize, Serialize};
use simurgh_vocab::Msisdn;
use simurgh_vocab::identity::{Iccid, Imsi, Plmn, hex, unhex};
use zeroize::Zeroizing;

use super::EsimFault;
use crate::crypto::Purpose;
use crate::ports::{Entropy, Hidden, StockCounts, StockedSim, StoreExt, Tx};
use crate::{App, Fault};

/// The most rows of one file: what one transaction may hold.
pub const ROWS_MAX: usize = 100_000;

/// How many rows are stored by one transaction.
const ROWS_AT_ONCE: usize = 500;

/// Keys and codes of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimSecrets {
    /// The subscriber's key.
    pub ki: Hidden<[u8; 16]>,
    /// The operator's value of Milenage, bound to that key.
    pub opc: Hidden<[u8; 16]>,
    /// PIN 1 and PIN 2: 4 to 8 digits.
    pub pins: [Hidden<String>; 2],
    /// PUK 1 and PUK 2: 8 digits.
    pub puks: [Hidden<String>; 2],
    /// The operator's administrative code: 4 to 8 digits.
    pub administrative: Hidden<String>,
}

/// A subscription to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSim {
    /// The profile's number.
    pub iccid: Iccid,
    /// The subscription.
    pub imsi: Imsi,
    /// The home network.
    pub home: Plmn,
    /// Keys and codes.
    pub secrets: SimSecrets,
}

/// How [`SimSecrets`] are written before they are sealed.
#[derive(Serialize, Deserialize)]
struct SecretRow {
    ki: String,
    opc: String,
    pins: [String; 2],
    puks: [String; 2],
    administrative: String,
}

/// Why a file of subscriptions is refused as a whole. Lines count from 1, the heading is line 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportRefusal {
    /// The heading lacks a column.
    #[error("the heading lacks the column `{0}`")]
    Column(&'static str),
    /// A field is missing or not valid.
    #[error("line {line}, column `{column}`: {why}")]
    Field {
        /// Where.
        line: usize,
        /// Which.
        column: &'static str,
        /// What is wrong.
        why: &'static str,
    },
    /// There are too many rows.
    #[error("more than {ROWS_MAX} rows: split the file")]
    TooMany,
    /// There is no row.
    #[error("the file has no rows")]
    Empty,
    /// The transport key is no AES key.
    #[error("the transport key must be 32 or 64 hexadecimal digits (AES-128 or AES-256)")]
    TransportKey,
}

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    /// Rows that are new.
    pub added: usize,
    /// Rows that were there.
    pub known: usize,
}

/// Columns of operator files: `ki` and `opc` are wrapped by the transport key (AES key wrap, RFC 3394: 48
/// hexadecimal digits).
const COLUMNS: [&str; 9] = [
    "iccid", "imsi", "ki", "opc", "pin1", "puk1", "pin2", "puk2", "adm",
];

/// Reads an operator's file: comma-separated values (RFC 4180 without quotes) with a heading. `home_digits` tells
/// how many digits of the IMSI name the home network: 5 or 6.
///
/// # Errors
/// [`ImportRefusal`] with the first line that cannot be read; nothing is taken of such a file.
pub fn read_file(
    text: &str,
    transport_key: &str,
    home_digits: usize,
) -> Result<Vec<NewSim>, ImportRefusal> {
    let key = Zeroizing::new(unhex(transport_key.trim()).ok_or(ImportRefusal::TransportKey)?);
    if !matches!(key.len(), 16 | 32) {
        return Err(ImportRefusal::TransportKey);
    }
    let mut lines = text.lines().zip(1..);
    let (heading, _) = lines.next().ok_or(ImportRefusal::Empty)?;
    let names: Vec<String> = heading
        .trim_start_matches('\u{feff}')
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let mut places = [0; COLUMNS.len()];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        let found = names.iter().position(|name| name == column);
        *place = found.ok_or(ImportRefusal::Column(column))?;
    }
    let mut sims = Vec::new();
    for (row, line) in lines.filter(|(row, _)| !row.trim().is_empty()) {
        if sims.len() == ROWS_MAX {
            return Err(ImportRefusal::TooMany);
        }
        let fields: Vec<&str> = row.split(',').map(str::trim).collect();
        let row = Row {
            line,
            fields: places.map(|place| fields.get(place).copied().unwrap_or_default()),
        };
        sims.push(row.read(&key, home_digits)?);
    }
    if sims.is_empty() {
        return Err(ImportRefusal::Empty);
    }
    Ok(sims)
}

/// The fields of a row, in the order of [`COLUMNS`].
struct Row<'a> {
    line: usize,
    fields: [&'a str; COLUMNS.len()],
}

impl Row<'_> {
    fn field<T>(
        &self,
        column: &'static str,
        why: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, ImportRefusal> {
        let place = COLUMNS.iter().position(|name| *name == column);
        let text = place.and_then(|place| self.fields.get(place)).copied();
        text.and_then(read).ok_or(ImportRefusal::Field {
            line: self.line,
            column,
            why,
        })
    }

    fn read(&self, transport_key: &[u8], home_digits: usize) -> Result<NewSim, ImportRefusal> {
        let key = |column| self.wrapped(column, transport_key);
        let code = |column, lengths: std::ops::RangeInclusive<usize>, why| {
            self.field(column, why, |text| {
                let fits = lengths.contains(&text.len());
                let digits = text.bytes().all(|octet| octet.is_ascii_digit());
                (fits && digits).then(|| Hidden::new(text.to_owned()))
            })
        };
        let (pin, puk) = ("4 to 8 digits are expected", "8 digits are expected");
        let imsi: Imsi = self.field("imsi", "6 to 15 digits are expected", |text| {
            text.parse().ok()
        })?;
        let home = imsi.digits().get(..home_digits);
        Ok(NewSim {
            iccid: self.field("iccid", "18 to 20 digits with a right last one", |text| {
                text.parse().ok().filter(Iccid::is_checked)
            })?,
            home: self.field("imsi", "it does not begin with a network", |_| {
                home?.parse().ok()
            })?,
            imsi,
            secrets: SimSecrets {
                ki: key("ki")?,
                opc: key("opc")?,
                pins: [code("pin1", 4..=8, pin)?, code("pin2", 4..=8, pin)?],
                puks: [code("puk1", 8..=8, puk)?, code("puk2", 8..=8, puk)?],
                administrative: code("adm", 4..=8, pin)?,
            },
        })
    }

    /// A key that was wrapped by the transport key: with another transport key it does not open.
    fn wrapped(
        &self,
        column: &'static str,
        transport_key: &[u8],
    ) -> Result<Hidden<[u8; 16]>, ImportRefusal> {
        let wrong = "not a key of 128 bits that this transport key wrapped (48 hexadecimal digits)";
        self.field(column, wrong, |text| {
            let wrapped = unhex(text)?;
            let mut plain = Zeroizing::new([0; 16]);
            let into = plain.as_mut_slice();
            let opened = if transport_key.len() == 16 {
                let key = AesKek::new(&AES_128, transport_key).ok()?;
                key.unwrap(&wrapped, into).ok()?.len()
            } else {
                let key = AesKek::new(&AES_256, transport_key).ok()?;
                key.unwrap(&wrapped, into).ok()?.len()
            };
            (opened == 16).then(|| Hidden::new(*plain))
        })
    }
}

/// Makes up `count` subscriptions of a test network, from a serial number on: for demos and tests, where no real
/// network must know the keys.
#[must_use]
pub fn make_up(home: Plmn, first: u32, count: u32, entropy: &dyn Entropy) -> Vec<NewSim> {
    let numbers = first..first.saturating_add(count);
    numbers
        .filter_map(|serial| made_up(home, serial, entropy))
        .collect()
}

fn made_up(home: Plmn, serial: u32, entropy: &dyn Entropy) -> Option<NewSim> {
    let network = home.to_string();
    let digits = |count: usize| {
        let mut octets = vec![0; count];
        entropy.fill(&mut octets);
        let digits = octets.iter().map(|octet| char::from(b'0' + octet % 10));
        Hidden::new(digits.collect::<String>())
    };
    let key = || {
        let mut octets = [0; 16];
        entropy.fill(&mut octets);
        Hidden::new(octets)
    };
    let width = 15_usize.saturating_sub(network.len());
    Some(NewSim {
        iccid: Iccid::with_check_digit(&format!("89{network:0<6}{serial:010}")).ok()?,
        imsi: format!("{network}{serial:0width$}").parse().ok()?,
        home,
        secrets: SimSecrets {
            ki: key(),
            opc: key(),
            pins: [digits(4), digits(4)],
            puks: [digits(8), digits(8)],
            administrative: digits(8),
        },
    })
}

impl App {
    /// Adds subscriptions; those that are there stay as they are.
    ///
    /// # Errors
    /// [`EsimFault::Fault`]; what was stored before stays, and a repetition finds it.
    pub async fn add_sims(&self, sims: &[NewSim]) -> Result<Imported, EsimFault> {
        let now = self.now();
        let mut done = Imported::default();
        for some in sims.chunks(ROWS_AT_ONCE) {
            let sealed: Result<Vec<StockedSim>, EsimFault> =
                some.iter().map(|sim| self.seal_sim(sim)).collect();
            let sealed = sealed?;
            let count = some.len();
            let added = self
                .store
                .transact(move |tx| -> Result<usize, Fault> {
                    let mut added = 0;
                    for sim in &sealed {
                        added += usize::from(tx.insert_sim(sim, now)?);
                    }
                    Ok(added)
                })
                .await?;
            done.added += added;
            done.known += count - added;
        }
        Ok(done)
    }

    /// Adds numbers; those that are there stay as they are.
    ///
    /// # Errors
    /// [`EsimFault::Fault`].
    pub async fn add_numbers(&self, numbers: Vec<Msisdn>) -> Result<Imported, EsimFault> {
        let now = self.now();
        let count = numbers.len();
        let added = self
            .store
            .transact(move |tx| -> Result<usize, Fault> {
                let mut added = 0;
                for number in &numbers {
                    added += usize::from(tx.insert_number(number, now)?);
                }
                Ok(added)
            })
            .await?;
        Ok(Imported {
            added,
            known: count - added,
        })
    }

    /// How much is in stock.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn stock(&self) -> Result<StockCounts, Fault> {
        self.store
            .snapshot(|tx: &mut dyn Tx| Ok(tx.stock_counts()?))
            .await
    }

    fn seal_sim(&self, sim: &NewSim) -> Result<StockedSim, EsimFault> {
        let show = |both: &[Hidden<String>; 2]| both.each_ref().map(|one| one.show().clone());
        let row = SecretRow {
            ki: hex(sim.secrets.ki.show()),
            opc: hex(sim.secrets.opc.show()),
            pins: show(&sim.secrets.pins),
            puks: show(&sim.secrets.puks),
            administrative: sim.secrets.administrative.show().clone(),
        };
        let plain = serde_json::to_vec(&row).map(Zeroizing::new);
        let plain = plain.map_err(|error| broken(&error.to_string()))?;
        let sealed = self.keyring.seal(
            Purpose::SubscriberKeys,
            sim.iccid.as_octets(),
            &plain,
            self.entropy.as_ref(),
        );
        Ok(StockedSim {
            iccid: sim.iccid,
            imsi: sim.imsi.clone(),
            home: sim.home,
            sealed: sealed.map_err(|error| broken(&error.to_string()))?,
        })
    }

    /// Keys and codes of a subscription.
    pub(crate) fn open_sim(&self, sim: &StockedSim) -> Result<SimSecrets, EsimFault> {
        let opened = self
            .keyring
            .open(Purpose::SubscriberKeys, sim.iccid.as_octets(), &sim.sealed)
            .map(Zeroizing::new);
        let plain = opened.map_err(|error| broken(&error.to_string()))?;
        let row: SecretRow =
            serde_json::from_slice(&plain).map_err(|error| broken(&error.to_string()))?;
        let key = |text: &str| {
            let octets = unhex(text).and_then(|octets| octets.try_into().ok());
            octets
                .map(Hidden::new)
                .ok_or_else(|| broken("a key of another length"))
        };
        Ok(SimSecrets {
            ki: key(&row.ki)?,
            opc: key(&row.opc)?,
            pins: row.pins.map(Hidden::new),
            puks: row.puks.map(Hidden::new),
            administrative: Hidden::new(row.administrative),
        })
    }
}

fn broken(what: &str) -> EsimFault {
    EsimFault::Fault(Fault::Invariant(format!("inventory: {what}")))
}
