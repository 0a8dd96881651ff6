//! Benchmarks: `cargo xtask bench NAME`. Each prints one JSON line per case, beside a baseline
//! taken in the same run. `docs/guide/benchmarks.md` says what they measure.

mod charging;
mod chip;
mod load;
mod portal;
mod renewal;
mod seed;
mod smdp;
mod weight;

use std::process::ExitCode;
use std::time::Instant;

/// As the program itself has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        return ExitCode::FAILURE;
    };
    let outcome = match words.as_slice() {
        ["renewal"] => runtime.block_on(renewal::run()),
        ["portal"] => runtime.block_on(portal::run(portal::CUSTOMERS)),
        ["portal", customers] => match customers.parse() {
            Ok(customers) => runtime.block_on(portal::run(customers)),
            Err(_) => Err("expected: portal CUSTOMERS".to_owned()),
        },
        ["smdp"] => runtime.block_on(smdp::run(smdp::DOWNLOADS)),
        ["smdp", downloads] => match downloads.parse() {
            Ok(downloads) => runtime.block_on(smdp::run(downloads)),
            Err(_) => Err("expected: smdp DOWNLOADS".to_owned()),
        },
        ["charging"] => runtime.block_on(charging::run(&charging::Case::all())),
        ["charging", case @ ..] => match charging::Case::read(case) {
            Some(case) => runtime.block_on(charging::run(&[case])),
            None => Err("expected: charging STORE CONNS WINDOW GROUPS LINES".to_owned()),
        },
        ["charging-server", url] => runtime.block_on(charging::server::serve(url)),
        ["charging-load", address, case @ ..] => match charging::Case::read(case) {
            Some(case) => charging::load::press(address, &case),
            None => Err("expected: charging-load ADDRESS CASE".to_owned()),
        },
        ["charging-limit", url, case @ ..] => match charging::Case::read(case) {
            Some(case) => runtime.block_on(charging::limit::measure(url, &case)),
            None => Err("expected: charging-limit URL CASE".to_owned()),
        },
        ["smdp-server", folder] => runtime.block_on(smdp::serve(folder)),
        ["portal-server", folder] => runtime.block_on(portal::serve(folder)),
        _ => Err("known benchmarks: renewal, portal, smdp, charging".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn count_per_second(count: usize, began: Instant) -> u128 {
    let micros = began.elapsed().as_micros().max(1);
    u128::try_from(count).unwrap_or(0) * 1_000_000 / micros
}

/// The 99th of a hundred, in milliseconds with three decimals.
fn p99_ms(mut micros: Vec<u128>) -> String {
    micros.sort_unstable();
    let p99 = micros.get(micros.len() * 99 / 100).copied().unwrap_or(0);
    thousandths(p99)
}

/// `part` of `whole` with three decimals.
fn ratio(part: u128, whole: u128) -> String {
    thousandths(part * 1_000 / whole.max(1))
}

fn thousandths(number: u128) -> String {
    format!("{}.{:03}", number / 1_000, number % 1_000)
}

/// What a process has used of the processors, as Linux counts it: in hundredths of a second.
fn cpu_micros(process: u32) -> Result<u128, String> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"));
    let stat = stat.map_err(|error| error.to_string())?;
    // The name may hold spaces; what follows it does not. Fields 14 and 15 are user and system time.
    let (_, rest) = stat.rsplit_once(')').ok_or("no processor time")?;
    let ticks: u128 = rest
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u128>().ok())
        .sum();
    Ok(ticks * 10_000)
}
