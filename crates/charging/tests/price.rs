#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
//! What use costs: by step and fee, by destination and zone, whole and in parts.

use proptest::prelude::*;
use simurgh_charging::{
    MICROS_PER_MINOR, Meter, PriceError, PriceLine, PriceList, Rate, RateTerms,
};
use simurgh_vocab::{Currency, Msisdn, Unit, ZoneCode};

const MINOR: i64 = MICROS_PER_MINOR;
const MIB: i64 = 1_048_576;

/// 15 minor units a minute, charged by the second.
const BY_SECOND: RateTerms = RateTerms {
    micros: 15 * MINOR,
    per: 60,
    first_step: 1,
    step: 1,
    set_up_micros: 0,
    minimum_minor: 0,
};

fn rate(terms: RateTerms) -> Rate {
    Rate::new(terms).unwrap()
}

fn flat(minor: i64) -> Rate {
    let micros = minor * MINOR;
    let per = 1;
    rate(RateTerms {
        micros,
        per,
        ..BY_SECOND
    })
}

fn zone(code: &str) -> ZoneCode {
    code.parse().unwrap()
}

fn number(text: &str) -> Msisdn {
    text.parse().unwrap()
}

#[test]
fn a_use_costs_its_steps_its_fee_and_no_less_than_the_minimum() {
    let by_minute = RateTerms {
        first_step: 60,
        step: 60,
        ..BY_SECOND
    };
    let minute_then_seconds = RateTerms {
        first_step: 60,
        ..BY_SECOND
    };
    let with_fee = RateTerms {
        set_up_micros: 5 * MINOR / 2,
        ..BY_SECOND
    };
    let with_minimum = RateTerms {
        minimum_minor: 10,
        ..BY_SECOND
    };
    let by_mib = RateTerms {
        micros: 3 * MINOR,
        per: MIB,
        first_step: MIB,
        step: MIB,
        ..BY_SECOND
    };
    let by_ten_kib = RateTerms {
        first_step: 10 * 1_024,
        step: 10 * 1_024,
        ..by_mib
    };
    let free = RateTerms {
        micros: 0,
        ..BY_SECOND
    };
    for (name, terms, used, price) in [
        ("no use costs nothing", with_fee, 0, 0),
        ("below zero is no use", with_fee, -5, 0),
        ("0.25 is rounded up", BY_SECOND, 1, 1),
        ("1 exactly is not", BY_SECOND, 4, 1),
        ("1.25 is rounded up", BY_SECOND, 5, 2),
        ("one second is a minute", by_minute, 1, 15),
        ("a minute is a minute", by_minute, 60, 15),
        ("the next is begun", by_minute, 61, 30),
        ("the first minute is whole", minute_then_seconds, 7, 15),
        ("then seconds: 15.25", minute_then_seconds, 61, 16),
        ("then seconds: 22.5", minute_then_seconds, 90, 23),
        ("fee and use are rounded together: 2.75", with_fee, 1, 3),
        ("fee and use: 2.5 + 0.5", with_fee, 2, 3),
        ("fee and use: 2.5 + 0.75", with_fee, 3, 4),
        ("the minimum", with_minimum, 1, 10),
        ("the minimum is reached", with_minimum, 40, 10),
        ("and passed", with_minimum, 41, 11),
        ("one octet is a MiB", by_mib, 1, 3),
        ("a MiB and an octet", by_mib, MIB + 1, 6),
        ("10 KiB: 0.03", by_ten_kib, 1, 1),
        ("a MiB in steps of 10 KiB: 3.01", by_ten_kib, MIB, 4),
        ("free", free, 1_000, 0),
    ] {
        assert_eq!(rate(terms).price(used), price, "{name}");
    }
}

#[test]
fn the_largest_prices_stay_numbers() {
    let largest = rate(RateTerms {
        micros: 1_000_000_000 * MINOR,
        per: 1,
        first_step: 1 << 40,
        step: 1 << 40,
        set_up_micros: 1_000_000_000 * MINOR,
        minimum_minor: 1_000_000_000,
    });
    assert_eq!(largest.price(i64::MAX), i64::MAX);
    let meter = Meter::at(i64::MAX);
    assert_eq!(meter.price(&largest, i64::MAX), 0);
    assert_eq!(Meter::default().buys(&largest, i64::MAX - 1, i64::MAX), 0);
    assert_eq!(Meter::default().buys(&flat(0), 0, i64::MAX), i64::MAX);
}

#[test]
fn money_buys_whole_steps_and_what_is_paid_lasts() {
    let call = rate(RateTerms {
        first_step: 60,
        step: 6,
        ..BY_SECOND
    });
    let new = Meter::default();
    for (name, meter, minor, wish, units) in [
        ("too little for the first minute", new, 14, 300, 0),
        ("the first minute", new, 15, 300, 60),
        ("1.5 more is rounded up to 2", new, 16, 300, 60),
        ("a step more", new, 17, 300, 66),
        ("no more than the wish", new, 17, 61, 61),
        ("the rest of the minute is paid", Meter::at(20), 0, 300, 40),
        ("the half that rounding took", Meter::at(66), 1, 300, 6),
        ("nothing for a debt", Meter::at(20), -1, 300, 0),
        ("nothing wished", new, 100, 0, 0),
    ] {
        assert_eq!(meter.buys(&call, minor, wish), units, "{name}");
    }
}

#[test]
fn the_nearest_zone_then_the_longest_prefix_sets_the_price() {
    let line = |unit, place: &str, prefix: &str, minor| PriceLine {
        unit,
        zone: zone(place),
        prefix: prefix.to_owned(),
        rate: flat(minor),
    };
    let list = PriceList::new(
        Currency::Cny,
        vec![
            line(Unit::Seconds, "europe", "", 1),
            line(Unit::Seconds, "europe", "86", 2),
            line(Unit::Seconds, "europe", "8610", 3),
            line(Unit::Seconds, "europe", "1", 4),
            line(Unit::Seconds, "france", "33", 5),
            line(Unit::Messages, "europe", "86", 6),
            line(Unit::Octets, "europe", "", 7),
        ],
    )
    .unwrap();
    let europe = vec![zone("europe")];
    let france = vec![zone("france"), zone("europe")];
    let peking = Some(number("+861065201234"));
    let mobile = Some(number("+8613800138000"));
    let paris = Some(number("+33142345678"));
    for (name, unit, zones, called, price) in [
        ("longest of three", Unit::Seconds, &europe, &peking, Some(3)),
        ("the second", Unit::Seconds, &europe, &mobile, Some(2)),
        ("every number", Unit::Seconds, &europe, &paris, Some(1)),
        ("no number", Unit::Seconds, &europe, &None, Some(1)),
        ("the nearer zone", Unit::Seconds, &france, &paris, Some(5)),
        (
            "the wider zone, where the nearer is silent",
            Unit::Seconds,
            &france,
            &mobile,
            Some(2),
        ),
        ("no price: message", Unit::Messages, &europe, &paris, None),
        ("no price: no number", Unit::Messages, &europe, &None, None),
        ("data", Unit::Octets, &france, &None, Some(7)),
    ] {
        let found = list.rate(unit, zones, called.as_ref());
        assert_eq!(found.map(|rate| rate.price(1)), price, "{name}");
    }
    assert_eq!(list.rate(Unit::Octets, &[zone("asia")], None), None);
}

#[test]
fn rates_that_make_no_sense_are_refused() {
    for (name, terms, error) in [
        (
            "per",
            RateTerms {
                per: 0,
                ..BY_SECOND
            },
            PriceError::Step,
        ),
        (
            "step",
            RateTerms {
                step: -1,
                ..BY_SECOND
            },
            PriceError::Step,
        ),
        (
            "first step",
            RateTerms {
                first_step: (1 << 40) + 1,
                ..BY_SECOND
            },
            PriceError::Step,
        ),
        (
            "price",
            RateTerms {
                micros: -1,
                ..BY_SECOND
            },
            PriceError::Amount,
        ),
        (
            "fee",
            RateTerms {
                set_up_micros: i64::MAX,
                ..BY_SECOND
            },
            PriceError::Amount,
        ),
        (
            "minimum",
            RateTerms {
                minimum_minor: i64::MAX,
                ..BY_SECOND
            },
            PriceError::Amount,
        ),
    ] {
        assert_eq!(Rate::new(terms), Err(error), "{name}");
    }
}

#[test]
fn lists_that_make_no_sense_are_refused() {
    let line = |unit, prefix: &str| PriceLine {
        unit,
        zone: zone("europe"),
        prefix: prefix.to_owned(),
        rate: flat(1),
    };
    for (lines, error) in [
        (vec![line(Unit::Seconds, "+86")], PriceError::Prefix),
        (vec![line(Unit::Seconds, "0044")], PriceError::Prefix),
        (
            vec![line(Unit::Seconds, "1234567890123456")],
            PriceError::Prefix,
        ),
        (vec![line(Unit::Octets, "86")], PriceError::PrefixOfData),
        (
            vec![
                line(Unit::Seconds, "86"),
                line(Unit::Seconds, "1"),
                line(Unit::Seconds, "86"),
            ],
            PriceError::Twice,
        ),
    ] {
        assert_eq!(PriceList::new(Currency::Eur, lines), Err(error));
    }
}

fn any_rate() -> impl Strategy<Value = Rate> {
    let amounts = (0i64..20_000_000, 0i64..5_000_000, 0i64..30);
    let steps = (1i64..100, 1i64..100, 1i64..100);
    (amounts, steps).prop_map(|((micros, set_up_micros, minimum_minor), steps)| {
        let (per, first_step, step) = steps;
        rate(RateTerms {
            micros,
            per,
            first_step,
            step,
            set_up_micros,
            minimum_minor,
        })
    })
}

proptest! {
    #[test]
    fn the_parts_of_a_use_cost_what_the_whole_costs(
        rate in any_rate(),
        parts in prop::collection::vec(0i64..400, 0..20),
    ) {
        let mut meter = Meter::default();
        let mut paid = 0;
        for part in &parts {
            let price = meter.price(&rate, *part);
            prop_assert!(price >= 0);
            paid += price;
            meter = meter.after(*part);
        }
        let whole: i64 = parts.iter().sum();
        prop_assert_eq!(meter.used(), whole);
        prop_assert_eq!(paid, rate.price(whole));
    }

    #[test]
    fn rounding_adds_less_than_one_minor_unit_to_the_exact_price(
        rate in any_rate(),
        used in 1i64..5_000,
    ) {
        let terms = rate.terms();
        let mut charged = terms.first_step;
        while charged < used {
            charged += terms.step;
        }
        let exact = charged * terms.micros + terms.set_up_micros * terms.per;
        let price = rate.price(used);
        let scaled = price * MINOR * terms.per;
        prop_assert!(price >= terms.minimum_minor);
        prop_assert!(scaled >= exact);
        prop_assert!(price == terms.minimum_minor || scaled - exact < MINOR * terms.per);
    }

    #[test]
    fn money_buys_all_it_can_and_never_more(
        rate in any_rate(),
        used in 0i64..500,
        minor in 0i64..200,
        wish in 0i64..2_000,
    ) {
        let meter = Meter::at(used);
        let units = meter.buys(&rate, minor, wish);
        prop_assert!(units <= wish);
        prop_assert!(meter.price(&rate, units) <= minor);
        prop_assert!(units == wish || meter.price(&rate, units + 1) > minor);
    }
}
