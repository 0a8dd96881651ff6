//! My line: what is used, in use now and left, until when, and what comes next.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use simurgh_app::App;
use simurgh_app::line::{LineView, PlanView, UsageHistory};
use simurgh_app::ports::{DayUsage, LineState};
use simurgh_charging::{Warning, reached_thresholds};
use simurgh_commerce::Selection;
use simurgh_vocab::{Timestamp, Unit};

use super::choice::LineWish;
use super::fields::{Asked, href};
use super::shopper::failed;
use super::words;
use crate::frame::{Balance, Nav, Page, Refusal, Tone};
use crate::i18n::{Text, key};
use crate::state::SignedIn;

/// Days in the chart.
const CHART_DAYS: i64 = 14;
/// Days in the table.
const TABLE_DAYS: i64 = 60;
/// The height of the highest bar, in units of the drawing.
const BAR_HIGH: i64 = 84;
/// From here on the page reminds of the end, in days.
const REMIND_DAYS: i64 = 7;

/// A warning at the top of the page.
struct Alarm {
    tone: Tone,
    title: String,
    text: String,
    /// The way out: address and label; empty when there is none.
    href: String,
    label: String,
}

/// A plan of the line.
struct Plan {
    name: String,
    tone: Tone,
    state: String,
    note: String,
}

/// One day of the chart.
struct Bar {
    x: usize,
    y: i64,
    height: i64,
    /// The date, where there is room for it.
    label: String,
}

/// One day of the table.
struct Day {
    at: Timestamp,
    data: String,
    voice: String,
    sms: String,
}

#[derive(Template)]
#[template(path = "portal/line.html")]
struct LinePage {
    page: Page,
    tone: Tone,
    state: String,
    plan: String,
    balances: Vec<Balance>,
    as_of: Timestamp,
    ends_at: Option<Timestamp>,
    alarms: Vec<Alarm>,
    waiting: Option<String>,
    to_come: Vec<Plan>,
    renew: String,
    has_plan: bool,
    renewal: Option<String>,
    bars: Vec<Bar>,
    peak: String,
    usage: String,
    /// The page of its eSIM; empty when there are none here.
    esim: String,
    others: Vec<(String, String, bool)>,
}

#[derive(Template)]
#[template(path = "portal/line-none.html")]
struct NoLinePage {
    page: Page,
}

/// `/line`.
pub(super) async fn show(
    State(app): State<App>,
    page: Page,
    who: SignedIn,
    Asked(fields): Asked,
) -> Result<Response, Refusal> {
    let page = page.at(Nav::Line);
    let wish = LineWish::from_fields(&fields)?;
    let today = page.t.day_number(page.now);
    let first_day = today - CHART_DAYS + 1;
    let read = app.line_views_with_usage(who.customer, first_day, move |views| open(views, wish));
    let (mut views, used) = read.await.map_err(|fault| failed(&fault))?;
    views.retain(is_open);
    let view = match (open(&views, wish), wish) {
        (Some(view), _) => view,
        (None, LineWish::This(_)) => return Err(Refusal::NotFound),
        (None, LineWish::Usual | LineWish::New) => {
            return Ok(Page::answer(&NoLinePage { page }));
        }
    };
    let used = UsageHistory { today, used };
    let others = others(&page.t, &views, view);
    let mut answer = line_page(page, view, &used, others);
    if app.esim().packager.is_some() {
        answer.esim = format!("/line/esim?line={}", view.line.id);
    }
    Ok(Page::answer(&answer))
}

fn is_open(view: &LineView) -> bool {
    !matches!(view.line.state, LineState::Closed { .. })
}

/// The line that is wished for, unless it is closed.
fn open(views: &[LineView], wish: LineWish) -> Option<&LineView> {
    let mut views = views.iter().filter(|view| is_open(view));
    match wish {
        LineWish::Usual | LineWish::New => views.next(),
        LineWish::This(id) => views.find(|view| view.line.id == id),
    }
}

fn line_page(
    page: Page,
    view: &LineView,
    used: &UsageHistory,
    others: Vec<(String, String, bool)>,
) -> LinePage {
    let t = &page.t;
    let now = view.as_of;
    let running = view
        .plans
        .iter()
        .find(|plan| plan.runs && !plan.subscription.add_on);
    let waiting = view.plans.iter().find_map(|plan| plan.activate_by);
    let (tone, state) = state_word(t, view, waiting.is_some());
    let renewal = view.renewal.as_ref();
    let balances = view
        .standing
        .units
        .iter()
        .map(|unit| Balance::new(unit.unit, unit.granted, unit.used, unit.reserved));
    let (bars, peak) = bars(t, used);
    LinePage {
        tone,
        state,
        plan: running.map_or_else(String::new, |plan| words::plan(t, plan)),
        balances: balances.collect(),
        as_of: now,
        ends_at: view.standing.ends_at,
        alarms: alarms(t, view),
        waiting: waiting.map(|by| t.with("line-waits", "date", t.date(by)).to_string()),
        to_come: view
            .plans
            .iter()
            .filter(|plan| !plan.runs || plan.subscription.add_on)
            .map(|plan| plan_row(t, plan))
            .collect(),
        renew: renew_href(view),
        has_plan: !view.plans.is_empty(),
        renewal: renewal.map(|(_, mandate)| {
            let mandate = mandate.as_ref();
            mandate.map_or_else(String::new, |mandate| {
                format!("{} {}", words::method(t, mandate.method), mandate.display)
            })
        }),
        bars,
        peak,
        esim: String::new(),
        usage: format!("/line/usage?line={}", view.line.id),
        others,
        page,
    }
}

/// The customer's lines as links; none when there is only one.
fn others(t: &Text, views: &[LineView], shown: &LineView) -> Vec<(String, String, bool)> {
    if views.len() < 2 {
        return Vec::new();
    }
    let numbered = views.iter().zip(1u32..);
    numbered
        .map(|(view, number)| {
            let label = t.with("shop-line-number", "number", number).to_string();
            let address = format!("/line?line={}", view.line.id);
            (address, label, view.line.id == shown.line.id)
        })
        .collect()
}

fn state_word(t: &Text, view: &LineView, waits: bool) -> (Tone, String) {
    let (tone, key) = match view.line.state {
        LineState::Active if waits && view.standing.units.is_empty() => {
            (Tone::Info, key("line-state-waiting"))
        }
        LineState::Active => (Tone::Success, key("line-state-active")),
        LineState::Grace { .. } => (Tone::Warning, key("line-state-grace")),
        LineState::Suspended { .. } => (Tone::Danger, key("line-state-suspended")),
        LineState::Closed { .. } => (Tone::Muted, key("line-state-closed")),
    };
    (tone, t.msg(key))
}

/// What needs attention, the gravest first.
fn alarms(t: &Text, view: &LineView) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    let renew = renew_href(view);
    match view.line.state {
        LineState::Active | LineState::Closed { .. } => {}
        LineState::Grace { until } => alarms.push(Alarm {
            tone: Tone::Warning,
            title: t.msg("line-grace-title"),
            text: t.with("line-grace", "date", t.date_time(until)).to_string(),
            href: renew.clone(),
            label: t.msg("line-renew"),
        }),
        LineState::Suspended { .. } => alarms.push(Alarm {
            tone: Tone::Danger,
            title: t.msg("line-suspended-title"),
            text: t.msg("line-suspended"),
            href: renew.clone(),
            label: t.msg("line-renew"),
        }),
    }
    for unit in &view.standing.units {
        if let Some(warning) = reached_thresholds(unit) {
            alarms.push(used_alarm(t, unit.unit, warning));
        }
    }
    alarms.extend(end_alarm(t, view, renew));
    alarms
}

fn used_alarm(t: &Text, unit: Unit, warning: Warning) -> Alarm {
    let (tone, key) = match (warning, unit) {
        (Warning::Used100, Unit::Octets) => (Tone::Danger, key("line-data-out")),
        (Warning::Used100, Unit::Seconds) => (Tone::Danger, key("line-voice-out")),
        (Warning::Used100, Unit::Messages) => (Tone::Danger, key("line-sms-out")),
        (Warning::Used80 | Warning::Used90, Unit::Octets) => (Tone::Warning, key("line-data-low")),
        (Warning::Used80 | Warning::Used90, Unit::Seconds) => {
            (Tone::Warning, key("line-voice-low"))
        }
        (Warning::Used80 | Warning::Used90, Unit::Messages) => (Tone::Warning, key("line-sms-low")),
    };
    let title = t.with(key, "percent", warning.percent()).to_string();
    let (href, label, text) = match unit {
        Unit::Octets => (
            "/add-ons",
            t.msg("line-add-data"),
            t.msg("line-add-data-hint"),
        ),
        Unit::Seconds | Unit::Messages => ("", String::new(), String::new()),
    };
    Alarm {
        tone,
        title,
        text,
        href: href.to_owned(),
        label,
    }
}

/// Reminds of the end when nothing follows it.
fn end_alarm(t: &Text, view: &LineView, renew: String) -> Option<Alarm> {
    let end = view.running.as_ref()?.last_end?;
    let days = t.calendar_days(end, view.as_of);
    if view.renewal.is_some() || days > REMIND_DAYS || end <= view.as_of {
        return None;
    }
    let title = if days == 0 {
        t.msg("line-ends-today")
    } else {
        t.with("line-ends-in", "days", days).to_string()
    };
    Some(Alarm {
        tone: Tone::Warning,
        title,
        text: t
            .with("line-ends-hint", "date", t.date_time(end))
            .to_string(),
        href: renew,
        label: t.msg("line-renew"),
    })
}

/// Where this line is renewed: the plan it has, or all plans.
fn renew_href(view: &LineView) -> String {
    let running = view.running.as_ref();
    let selection: Option<Selection> = running.and_then(|plan| plan.selection.parse().ok());
    let line = ("line", view.line.id.number());
    match selection {
        Some(Selection::Offer(code)) => href(&format!("/plans/{code}"), &[line]),
        Some(mix @ Selection::Mix(_)) => href("/builder/plan", &[("item", mix.to_string()), line]),
        Some(Selection::AddOn(_)) | None => "/plans".to_owned(),
    }
}

fn plan_row(t: &Text, plan: &PlanView) -> Plan {
    let (tone, state, note) = match (plan.period, plan.activate_by) {
        (_, Some(by)) => (
            Tone::Info,
            t.msg("line-plan-waits"),
            t.with("line-waits", "date", t.date(by)).to_string(),
        ),
        (Some(period), None) if plan.runs => (
            Tone::Success,
            t.msg("line-plan-runs"),
            t.with("line-plan-until", "end", t.date_time(period.end))
                .to_string(),
        ),
        (Some(period), None) => (
            Tone::Muted,
            t.msg("line-plan-later"),
            t.with("line-plan-from", "start", t.date_time(period.start))
                .and("end", t.date_time(period.end))
                .to_string(),
        ),
        (None, None) => (Tone::Muted, String::new(), String::new()),
    };
    Plan {
        name: words::plan(t, plan),
        tone,
        state,
        note,
    }
}

/// The last days, the oldest first, with the data of each as a bar; and the highest of them.
fn bars(t: &Text, UsageHistory { today, used }: &UsageHistory) -> (Vec<Bar>, String) {
    let today = *today;
    let first = today - CHART_DAYS + 1;
    let peak = (first..=today)
        .map(|day| amount(used, day, Unit::Octets))
        .max();
    let peak = peak.filter(|peak| *peak > 0);
    let Some(peak) = peak else {
        return (Vec::new(), String::new());
    };
    let bars = (first..=today).enumerate().map(|(x, day)| {
        let data = amount(used, day, Unit::Octets);
        let height = i128::from(data) * i128::from(BAR_HIGH) / i128::from(peak);
        let height = i64::try_from(height).unwrap_or(BAR_HIGH);
        let height = if data > 0 { height.max(2) } else { 0 };
        Bar {
            x: x * 24,
            y: BAR_HIGH - height,
            height,
            label: if x % 4 == 1 {
                t.day(t.noon(day))
            } else {
                String::new()
            },
        }
    });
    (bars.collect(), words::quantity(t, Unit::Octets, peak))
}

fn amount(used: &[DayUsage], day: i64, unit: Unit) -> i64 {
    let same = |usage: &&DayUsage| usage.day == day && usage.unit == unit;
    used.iter().find(same).map_or(0, |usage| usage.amount)
}

#[derive(Template)]
#[template(path = "portal/usage.html")]
struct UsagePage {
    page: Page,
    days: Vec<Day>,
    back: String,
}

/// The line that is wished for, closed or not.
fn any(views: &[LineView], wish: LineWish) -> Option<&LineView> {
    match wish {
        LineWish::Usual | LineWish::New => views.first(),
        LineWish::This(id) => views.iter().find(|view| view.line.id == id),
    }
}

/// `/line/usage`: what was used on each day.
pub(super) async fn usage(
    State(app): State<App>,
    page: Page,
    who: SignedIn,
    Asked(fields): Asked,
) -> Result<Response, Refusal> {
    let page = page.at(Nav::Line);
    let wish = LineWish::from_fields(&fields)?;
    let first_day = page.t.day_number(page.now) - TABLE_DAYS + 1;
    let read = app.line_views_with_usage(who.customer, first_day, move |views| any(views, wish));
    let (views, used) = read.await.map_err(|fault| failed(&fault))?;
    let line = any(&views, wish).ok_or(Refusal::NotFound)?.line.id;
    let t = &page.t;
    let mut days: Vec<_> = used.iter().map(|usage| usage.day).collect();
    days.sort_unstable();
    days.dedup();
    let text = |day, unit| words::quantity(t, unit, amount(&used, day, unit));
    let days = days.into_iter().rev().map(|day| Day {
        at: t.noon(day),
        data: text(day, Unit::Octets),
        voice: text(day, Unit::Seconds),
        sms: text(day, Unit::Messages),
    });
    Ok(Page::answer(&UsagePage {
        days: days.collect(),
        back: format!("/line?line={line}"),
        page,
    }))
}
