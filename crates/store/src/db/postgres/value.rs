//! Values in PostgreSQL's binary form.

use std::error::Error;

use postgres::types::private::BytesMut;
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::db::Value;

type BoxedError = Box<dyn Error + Sync + Send>;

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxedError> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) => match *ty {
                Type::INT8 => number.to_sql(ty, out),
                Type::INT4 => i32::try_from(*number)?.to_sql(ty, out),
                Type::INT2 => i16::try_from(*number)?.to_sql(ty, out),
                Type::BOOL => (*number != 0).to_sql(ty, out),
                Type::NUMERIC => {
                    out.extend_from_slice(&numeric(*number));
                    Ok(IsNull::No)
                }
                _ => Err(mismatch(self, ty)),
            },
            Self::Text(text) if is_text(ty) => text.to_sql(ty, out),
            Self::Blob(bytes) if *ty == Type::BYTEA => bytes.to_sql(ty, out),
            Self::Text(_) | Self::Blob(_) => Err(mismatch(self, ty)),
        }
    }

    fn accepts(_: &Type) -> bool {
        // What does not fit is refused above, with a message that names both sides.
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, BoxedError> {
        match *ty {
            Type::INT8 => i64::from_sql(ty, raw).map(Self::Int),
            Type::INT4 => i32::from_sql(ty, raw).map(|number| Self::Int(number.into())),
            Type::INT2 => i16::from_sql(ty, raw).map(|number| Self::Int(number.into())),
            Type::BOOL => bool::from_sql(ty, raw).map(|truth| Self::Int(truth.into())),
            // The sum of BIGINTs.
            Type::NUMERIC => whole(raw)
                .map(Self::Int)
                .ok_or_else(|| "a NUMERIC that is no 64-bit whole number".into()),
            Type::BYTEA => Ok(Self::Blob(raw.to_vec())),
            Type::VOID => Ok(Self::Null),
            _ => String::from_sql(ty, raw).map(Self::Text),
        }
    }

    fn from_sql_null(_: &Type) -> Result<Self, BoxedError> {
        Ok(Self::Null)
    }

    fn accepts(ty: &Type) -> bool {
        is_text(ty)
            || matches!(
                *ty,
                Type::INT8
                    | Type::INT4
                    | Type::INT2
                    | Type::BOOL
                    | Type::NUMERIC
                    | Type::BYTEA
                    | Type::VOID
            )
    }
}

fn is_text(ty: &Type) -> bool {
    matches!(
        *ty,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN
    )
}

fn mismatch(value: &Value, ty: &Type) -> BoxedError {
    format!("a {} where the statement takes {ty}", value.kind()).into()
}

const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
const BASE: u128 = 10_000;

/// A whole number as a NUMERIC: count of digits, weight of the first, sign, scale; digits of
/// base 10,000. Source: PostgreSQL 15, `numeric_recv`.
fn numeric(number: i64) -> Vec<u8> {
    let mut digits: Vec<u16> = Vec::new();
    let mut rest = u128::from(number.unsigned_abs());
    while rest > 0 {
        digits.push(u16::try_from(rest % BASE).unwrap_or(0));
        rest /= BASE;
    }
    let count = u16::try_from(digits.len()).unwrap_or(0);
    let sign = if number < 0 { NEGATIVE } else { POSITIVE };
    let header = [count, count.saturating_sub(1), sign, 0];
    let words = header.into_iter().chain(digits.into_iter().rev());
    words.flat_map(u16::to_be_bytes).collect()
}

/// The whole number that a NUMERIC is, if it is one.
fn whole(raw: &[u8]) -> Option<i64> {
    let mut words = raw
        .chunks_exact(2)
        .map(|pair| pair.try_into().map(u16::from_be_bytes).ok());
    let mut word = || words.next().flatten();
    let count = word()?;
    let weight = word()?.cast_signed();
    let sign = word()?;
    let _scale = word()?;
    let mut magnitude: i128 = 0;
    let places = i32::from(weight) + 1;
    for place in 0..i32::from(count).max(places) {
        let digit = if place < i32::from(count) { word()? } else { 0 };
        if place < places {
            magnitude = magnitude.checked_mul(10_000)?.checked_add(digit.into())?;
        } else if digit != 0 {
            return None;
        }
    }
    let signed = match sign {
        POSITIVE => magnitude,
        NEGATIVE => -magnitude,
        _ => return None,
    };
    i64::try_from(signed).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_survive_numeric() {
        for number in [0, 1, -1, 9_999, 10_000, -120_000_000, i64::MAX, i64::MIN] {
            assert_eq!(whole(&numeric(number)), Some(number), "{number}");
        }
    }

    #[test]
    fn a_fraction_or_not_a_number_is_refused() {
        let raw = |words: &[u16]| -> Vec<u8> {
            words.iter().flat_map(|word| word.to_be_bytes()).collect()
        };
        assert_eq!(
            whole(&raw(&[1, 1, 0, 0, 12])),
            Some(120_000),
            "trailing zeros are left out"
        );
        assert_eq!(whole(&raw(&[2, 0, 0, 1, 1, 5_000])), None, "1.5");
        assert_eq!(whole(&raw(&[2, 0, 0, 1, 1, 0])), Some(1), "1.0");
        assert_eq!(whole(&raw(&[0, 0, 0xC000, 0])), None, "NaN");
        assert_eq!(whole(&raw(&[2, 0, 0, 0, 1])), None, "cut short");
    }
}
