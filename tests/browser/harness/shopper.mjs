// What people do in the shop, step by step, for journeys that are about something further on.

import assert from 'node:assert/strict';

/** The button that sends the form of a page, as opposed to those that reveal or copy something. */
export const SEND = 'main form button:not([type=button]):not(.link):not([formaction])';
export const PASSWORD = 'a long enough phrase';

let people = 0;

/** Registers a new mainland number and confirms it; gives back the number. */
export async function register(page, demo, look = async () => {}) {
  people += 1;
  const local = `1390013${String(9000 + people)}`;
  await page.goto('/register');
  await page.fill('[name=phone_country]', '+86');
  await page.fill('[name=phone]', local);
  await page.fill('[name=name]', 'Li Lei');
  await page.fill('[name=password]', PASSWORD);
  await look('register');
  await page.locator(SEND).first().click();
  const code = await demo.code(`+86${local}`);
  await look('register-code');
  await page.fill('[name=code]', code);
  await page.locator(SEND).first().click();
  await page.waitForURL('**/line');
  return `+86${local}`;
}

/** Logs in with a password; `next` is the page that follows. */
export async function logIn(page, name, password, next = '/line') {
  await page.goto(`/login?next=${encodeURIComponent(next)}`);
  await page.fill('[name=who]', name);
  await page.fill('[name=password]', password);
  await page.locator(SEND).first().click();
  await page.waitForURL((url) => url.pathname === next.split('?')[0]);
}

/**
 * The address of the page on which a plan or mix is chosen.
 * `wish` holds what the form would: `periods`, `start`, `day`, `code`, `currency`, `line`.
 */
export function planAddress(item, wish = {}) {
  const pairs = new URLSearchParams({ currency: 'CNY', ...wish });
  return item.startsWith('mix:') ? `/builder/plan?item=${item}&${pairs}` : `/plans/${item}?${pairs}`;
}

/** From the page of a choice to the checkout. */
export async function review(page) {
  await page.locator(SEND).first().click();
  await page.waitForURL('**/checkout?**');
}

/** Chooses and reviews in one go. */
export async function choose(page, item, wish) {
  await page.goto(planAddress(item, wish));
  await review(page);
}

/** Pays from the checkout or the page of an order: to the provider's page. */
export async function pay(page, demo, method = 'alipay') {
  const more = page.locator('main details:not([open]):has([name=method]) > summary');
  if (await more.isVisible()) await more.click();
  await page.check(`[name=method][value=${method}]`);
  await page.locator(SEND).first().click();
  await page.waitForURL(`${demo.sandbox}/pay/**`);
}

/** Decides on the provider's page how the payment goes, and comes back to the order. */
export async function decide(page, demo, outcome) {
  await page.locator(`button[name=outcome][value=${outcome}]`).click();
  await page.waitForURL(`${demo.portal}/orders/**`);
}

/** Chooses, pays and succeeds; gives back the address of the order. */
export async function buy(page, demo, item, wish) {
  await choose(page, item, wish);
  await pay(page, demo);
  await decide(page, demo, 'success');
  return reach(page, 'success');
}

/**
 * Looks at the order's page again until it says `tone` (success, danger, warning, info, muted).
 * The provider's notification travels beside the browser and may arrive a moment after it.
 */
export async function reach(page, tone, tries = 40) {
  const notice = page.locator(`main .notice.${tone}:not([data-offline])`).first();
  for (let left = tries; left > 0; left -= 1) {
    if (await notice.isVisible()) return page.url().split('?')[0];
    await page.waitForTimeout(100);
    await page.reload();
  }
  const said = await page.locator('main').innerText();
  return assert.fail(`${page.url()} does not come to "${tone}":\n${said}`);
}

/** The facts a page lists: what each `dt` of a `dl.facts` says in its `dd`. */
export async function facts(page) {
  return new Map(
    await page.locator('main dl.facts > div').evaluateAll((rows) =>
      rows.map((row) => [row.querySelector('dt').innerText.trim(), row.querySelector('dd').innerText.trim()]),
    ),
  );
}

/** What the receipt of a page comes to, as it is written. */
export async function total(page) {
  return (await page.locator('main dl.receipt .total dd').first().innerText()).trim();
}

/** Every row of the receipt: label and amount. */
export async function receipt(page) {
  return page.locator('main dl.receipt > div').evaluateAll((rows) =>
    rows.map((row) => [row.querySelector('dt').firstChild.textContent.trim(), row.querySelector('dd').innerText.trim()]),
  );
}

/** An amount as a number of minor units: `¥1,234.50` is 123450. */
export function minor(text) {
  const digits = /(-|−)?\D*?([\d,]+)(?:\.(\d{2}))?/.exec(text);
  assert.ok(digits, `no amount in "${text}"`);
  const amount = Number(digits[2].replaceAll(',', '')) * 100 + Number(digits[3] ?? 0);
  return digits[1] ? -amount : amount;
}

/** Minutes since 1970 of a time as the pages write it, in either language. */
export function minutes(text) {
  const zh = /(\d{4})年(\d{1,2})月(\d{1,2})日\s*(\d{1,2}):(\d{2})/.exec(text);
  if (zh) {
    const [year, month, day, hour, minute] = zh.slice(1).map(Number);
    return Date.UTC(year, month - 1, day, hour, minute) / 60_000;
  }
  const en = /(\d{1,2} \w+ \d{4}),? (?:at )?(\d{1,2}:\d{2})/.exec(text);
  assert.ok(en, `no time in "${text}"`);
  return Date.parse(`${en[1]} ${en[2]} UTC`) / 60_000;
}
