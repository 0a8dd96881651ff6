//! What a customer chooses in the shop, as it travels from page to page in addresses and forms.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use simurgh_commerce::{Order, QuoteRequest, Selection, Start};
use simurgh_vocab::{Currency, LineId, Timestamp};

use super::fields::{Fields, href};
use crate::frame::Refusal;

/// When a plan is to start, as the form offers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StartWish {
    /// Added to the running plan.
    Add,
    /// When the running plan ends.
    Queue,
    /// Now.
    Now,
    /// At first use.
    FirstUse,
    /// On a chosen day.
    OnDate,
}

impl StartWish {
    const ALL: [Self; 5] = [
        Self::Add,
        Self::Queue,
        Self::Now,
        Self::FirstUse,
        Self::OnDate,
    ];

    /// The value in forms.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Queue => "queue",
            Self::Now => "now",
            Self::FirstUse => "first-use",
            Self::OnDate => "on-date",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|wish| wish.code() == code)
    }
}

/// Which line something is bought for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineWish {
    /// The customer's first line; a new one if there is none.
    Usual,
    /// A new one.
    New,
    /// This one.
    This(LineId),
}

impl LineWish {
    /// The value in forms.
    pub(super) fn code(self) -> String {
        match self {
            Self::Usual => String::new(),
            Self::New => "new".to_owned(),
            Self::This(line) => line.number(),
        }
    }

    /// The line that the field `line` names.
    ///
    /// # Errors
    /// [`Refusal::BadRequest`].
    pub(super) fn from_fields(fields: &Fields) -> Result<Self, Refusal> {
        let wish = fields.read("line", Self::from_code)?;
        Ok(wish.unwrap_or(Self::Usual))
    }

    fn from_code(code: &str) -> Option<Self> {
        match code {
            "new" => Some(Self::New),
            _ => code.parse().ok().map(Self::This),
        }
    }
}

/// The chosen day cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoSuchDay;

/// What a customer chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    /// The plan, mix or extra data.
    pub(super) selection: Selection,
    /// How many periods; none until one is chosen.
    pub(super) periods: Option<u32>,
    /// The currency to pay in.
    pub(super) currency: Currency,
    /// When it is to start; none until that is chosen.
    pub(super) start: Option<StartWish>,
    /// The chosen day as it was typed.
    pub(super) day: String,
    /// The promotion code as it was typed.
    pub(super) code: String,
    /// The line.
    pub(super) line: LineWish,
}

impl Choice {
    /// Reads everything but the selection, in which the pages differ.
    ///
    /// # Errors
    /// [`Refusal::BadRequest`].
    pub(super) fn read(
        selection: Selection,
        currency: Currency,
        fields: &Fields,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            selection,
            periods: fields.read("periods", |text| text.parse().ok())?,
            currency: fields
                .read("currency", |text| text.parse().ok())?
                .unwrap_or(currency),
            start: fields.read("start", StartWish::from_code)?,
            day: fields.text("day").to_owned(),
            code: fields.text("code").to_owned(),
            line: LineWish::from_fields(fields)?,
        })
    }

    /// Reads the choice with its selection in the field `item`.
    ///
    /// # Errors
    /// [`Refusal::BadRequest`].
    pub(super) fn with_item(currency: Currency, fields: &Fields) -> Result<Self, Refusal> {
        let selection = fields.need("item", |text| text.parse().ok())?;
        Self::read(selection, currency, fields)
    }

    /// The number of periods; 1 until one is chosen.
    pub(super) fn periods(&self) -> u32 {
        self.periods.unwrap_or(1)
    }

    /// The fields in which it travels.
    pub(super) fn pairs(&self) -> Vec<(&'static str, String)> {
        let periods = self.periods.map_or_else(String::new, |n| n.to_string());
        let start = self.start.map_or("", StartWish::code);
        vec![
            ("item", self.selection.to_string()),
            ("periods", periods),
            ("currency", self.currency.code().to_owned()),
            ("line", self.line.code()),
            ("start", start.to_owned()),
            ("day", self.day.clone()),
            ("code", self.code.clone()),
        ]
    }

    /// The page on which the choice is made or changed.
    pub(super) fn edit_href(&self) -> String {
        let mut pairs = self.pairs();
        match &self.selection {
            Selection::Offer(code) => {
                pairs.retain(|(name, _)| *name != "item");
                href(&format!("/plans/{code}"), &pairs)
            }
            Selection::Mix(_) => href("/builder/plan", &pairs),
            Selection::AddOn(_) => href("/add-ons", &pairs),
        }
    }

    /// The same choice with another number of periods.
    pub(super) fn for_periods(&self, periods: u32) -> Self {
        Self {
            periods: Some(periods),
            ..self.clone()
        }
    }

    /// The start that was wished, with the chosen day beginning at midnight in `zone`.
    ///
    /// # Errors
    /// [`NoSuchDay`].
    pub(super) fn start_in(&self, wish: StartWish, zone: &TimeZone) -> Result<Start, NoSuchDay> {
        Ok(match wish {
            StartWish::Add => Start::Add,
            StartWish::Queue => Start::Queue,
            StartWish::Now => Start::Now,
            StartWish::FirstUse => Start::FirstUse,
            StartWish::OnDate => {
                let day: Date = self.day.parse().map_err(|_| NoSuchDay)?;
                let midnight = day.to_zoned(zone.clone()).map_err(|_| NoSuchDay)?;
                let micros = midnight.timestamp().as_microsecond();
                Start::On(Timestamp::from_micros(micros))
            }
        })
    }

    /// What is asked of the shop.
    pub(super) fn request(&self, start: Start) -> QuoteRequest {
        QuoteRequest {
            selection: self.selection.clone(),
            periods: self.periods(),
            currency: self.currency,
            start,
            promotion_code: Some(self.code.clone()).filter(|code| !code.is_empty()),
        }
    }
}

/// The choice that orders the same again.
pub(super) fn again(order: &Order) -> Choice {
    Choice {
        selection: order.selection.clone(),
        periods: Some(order.periods),
        currency: order.total.currency,
        start: None,
        day: String::new(),
        code: String::new(),
        line: order.line.map_or(LineWish::Usual, LineWish::This),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice() -> Choice {
        Choice {
            selection: Selection::Offer("basic".to_owned()),
            periods: Some(3),
            currency: Currency::Eur,
            start: Some(StartWish::OnDate),
            day: "2026-08-23".to_owned(),
            code: "A B".to_owned(),
            line: LineWish::New,
        }
    }

    #[test]
    fn a_day_begins_at_the_customers_midnight() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let start = choice().start_in(StartWish::OnDate, &zone);
        let midnight = Timestamp::from_micros(1_787_414_400_000_000);
        assert_eq!(start, Ok(Start::On(midnight)));
        for day in ["", "2026-02-30", "23.8.2026", "99999-01-01", "明天"] {
            let choice = Choice {
                day: day.to_owned(),
                ..choice()
            };
            assert_eq!(choice.start_in(StartWish::OnDate, &zone), Err(NoSuchDay));
        }
    }

    #[test]
    fn the_way_back_keeps_everything() {
        assert_eq!(
            choice().edit_href(),
            "/plans/basic?periods=3&currency=EUR&line=new&start=on-date&day=2026-08-23&code=A%20B"
        );
    }
}
