//! What the demo's lines are made of: subscriptions of the test network 001 01, and numbers kept for fiction.

use simurgh_app::App;
use simurgh_app::esim::inventory::make_up;
use simurgh_vocab::Msisdn;

/// How many of each are in stock after a start.
const FREE: u64 = 200;

/// The test network of 3GPP TS 34.108 §8.3.2.
const NETWORK: &str = "00101";

/// The first of a thousand numbers that Ofcom keeps for drama: nobody has them.
const FIRST_NUMBER: u64 = 447_700_900_000;
const NUMBERS: u64 = 1_000;

/// Fills the stock up.
pub(super) async fn fill(app: &App) -> anyhow::Result<()> {
    let there = app.stock().await?;
    if there.sims_free < FREE {
        let first = u32::try_from(there.sims_free + there.sims_taken)?;
        let count = u32::try_from(FREE - there.sims_free)?;
        let sims = make_up(NETWORK.parse()?, first, count, app.entropy.as_ref());
        app.add_sims(&sims).await?;
    }
    if there.numbers_free < FREE {
        let first = there.numbers_free + there.numbers_taken;
        let last = (first + FREE - there.numbers_free).min(NUMBERS);
        let numbers: Result<Vec<Msisdn>, _> = (first..last)
            .map(|place| format!("+{}", FIRST_NUMBER + place).parse())
            .collect();
        app.add_numbers(numbers?).await?;
    }
    Ok(())
}
