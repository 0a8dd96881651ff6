//! The first page: what needs attention.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use simurgh_app::App;
use simurgh_app::ports::{DeskCounts, StockCounts};

use super::tickets::TicketRow;
use super::words::failed;
use crate::frame::{Nav, Page, Refusal, Tone};

#[derive(Template)]
#[template(path = "console/overview.html")]
struct OverviewPage {
    page: Page,
    counts: DeskCounts,
    stock: Option<StockCounts>,
    tickets: Vec<TicketRow>,
}

impl OverviewPage {
    /// Whether anything is wrong that does not mend itself.
    fn is_calm(&self) -> bool {
        let DeskCounts {
            refunds_for_staff,
            payments_in_doubt,
            stuck_jobs,
            ..
        } = self.counts;
        let is_stocked = !self
            .stock
            .is_some_and(|stock| stock.few_sims() || stock.few_numbers());
        refunds_for_staff == 0 && payments_in_doubt == 0 && stuck_jobs == 0 && is_stocked
    }
}

/// `/`.
pub(super) async fn show(State(app): State<App>, page: Page) -> Result<Response, Refusal> {
    let overview = app.desk_overview().await.map_err(|fault| failed(&fault))?;
    let stock = app
        .stock_for_staff()
        .await
        .map_err(|fault| failed(&fault))?;
    let tickets = overview.tickets.iter();
    Ok(Page::answer(&OverviewPage {
        counts: overview.counts,
        stock,
        tickets: tickets
            .map(|ticket| TicketRow::of(&page.t, ticket))
            .collect(),
        page: page.at(Nav::ConsoleHome),
    }))
}
