// A running plan: renewed three ways with the end that was computed, given extra data, renewed by itself,
// given back; its bills as page, PDF and table.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { byDay, checkAccess, journeys, phoneEn, phoneZh, useDemo, wordsFor } from './harness/index.mjs';
import { openDesk, proveAgain } from './harness/desk.mjs';
import {
  buy,
  choose,
  decide,
  facts,
  logIn,
  minor,
  minutes,
  pay,
  planAddress,
  reach,
  register,
  review,
  SEND,
  total,
} from './harness/shopper.mjs';

const demo = useDemo();
const readers = [phoneZh, phoneEn];
const DAY_MINUTES = 24 * 60;
const DEMO_PASSWORD = 'demo only, no secret';
const SEEDED = {
  'zh-CN': { phone: '+8613800138000', mailbox: 'xiaoyu@example.com', plan: 'premium-asia-pacific' },
  'en-GB': { phone: '+447400123456', mailbox: 'anna@example.com', plan: 'basic-europe' },
};

const main = (page) => page.locator('main').innerText();

/** The end that the checkout promises, or the order tells. */
async function end(page, say) {
  return [...(await facts(page))].find(([label]) => say('shop-ends').test(label))[1];
}

/** The end that the tile of a way to start names. */
async function tileEnd(page, start) {
  return page.locator(`label.tile:has([value=${start}]) .tile-note`).innerText();
}

journeys('a running plan is added to, followed and replaced', demo, readers, async (page, visitor) => {
  const say = wordsFor(visitor);
  await register(page, demo);
  await buy(page, demo, 'basic-europe', { start: 'now' });
  const running = minutes(await end(page, say));

  // Added: twice the data, everything lasts as long as both.
  await page.goto('/line');
  await page.locator('main a.button[href*="/plans/basic-europe"]').last().click();
  await page.waitForURL('**/plans/basic-europe?**');
  await checkAccess(page);
  assert.equal(minutes(await tileEnd(page, 'add')), running + 30 * DAY_MINUTES);
  await page.check('[name=start][value=add]');
  await review(page);
  const added = await end(page, say);
  assert.equal(minutes(added), running + 30 * DAY_MINUTES);
  await pay(page, demo);
  await decide(page, demo, 'success');
  await reach(page, 'success');
  assert.equal(await end(page, say), added);
  await page.goto('/line');
  assert.ok((await main(page)).includes(added));
  assert.match(await page.locator('#balance-octets .figure').innerText(), /^10\s*GB$/);

  // Followed by another plan: that one starts where this one ends, and nothing changes until then.
  await page.goto(planAddress('premium-europe', { start: 'queue' }));
  assert.equal(minutes(await tileEnd(page, 'queue')), minutes(added) + 30 * DAY_MINUTES);
  assert.equal(await page.locator('[name=start][value=add]').count(), 0, 'only the same plan can be added');
  await review(page);
  const queued = await end(page, say);
  await pay(page, demo, 'card');
  await decide(page, demo, 'success');
  await reach(page, 'success');
  assert.equal(await end(page, say), queued);
  await page.goto('/line');
  assert.match(await page.locator('#balance-octets .figure').innerText(), /^10\s*GB$/);
  const later = await main(page);
  assert.match(later, say('line-plan-later'));
  assert.ok(later.includes(queued), later);

  // Extra data: at once, and it ends with the plan.
  await page.getByRole('link', { name: say('line-add-data') }).first().click();
  await page.waitForURL('**/add-ons');
  await page.locator('main a[href*="extra-1gb"]').first().click();
  await page.waitForURL('**/checkout?**');
  assert.equal(await end(page, say), added);
  await checkAccess(page);
  await pay(page, demo);
  await decide(page, demo, 'success');
  await reach(page, 'success');
  await page.goto('/line');
  assert.match(await page.locator('#balance-octets .figure').innerText(), /^11\s*GB$/);

  // Replaced: said before what is lost; the new one runs from the payment.
  await page.goto(planAddress('deluxe-europe', { start: 'now' }));
  assert.match(await tileEnd(page, 'now'), say('shop-start-replace-note'));
  await review(page);
  await pay(page, demo);
  await decide(page, demo, 'success');
  await reach(page, 'success');
  const replaced = await end(page, say);
  await page.goto('/line');
  assert.match(await page.locator('#balance-octets .figure').innerText(), /^60\s*GB$/);
  assert.ok((await main(page)).includes(replaced));
  await checkAccess(page);
});

journeys('times are those of the customer, and a used plan is not given back', demo, readers, async (page, visitor) => {
  const say = wordsFor(visitor);
  const { phone, mailbox, plan } = SEEDED[visitor.options.locale];
  const zone = visitor === phoneZh ? 'Asia/Shanghai' : 'Europe/Berlin';
  await logIn(page, phone, DEMO_PASSWORD);
  await page.goto(planAddress(plan, { start: 'queue' }));
  await review(page);
  assert.ok((await main(page)).includes(zone));
  const promised = await end(page, say);
  await pay(page, demo);
  await decide(page, demo, 'success');
  await reach(page, 'success');
  assert.equal(await end(page, say), promised);
  const number = page.url().split('/').at(-1);
  const told = await demo.message(mailbox, ({ text }) => text.includes(number));
  const [, toldEnd] = /^(?:Ends: |结束：)(.*)$/m.exec(told.text);
  assert.equal(minutes(toldEnd), minutes(promised), `${told.text} is not about ${promised}`);

  // What was used is not offered to be given back: the page says why, and leads to no other.
  await page.goto('/orders');
  const orders = await page.locator('main .list a').evaluateAll((links) => links.map((link) => link.href));
  await page.goto(orders[1]);
  assert.match(await main(page), say('orders-give-back-used'));
  assert.equal(await page.locator('main a[href$="/give-back"]').count(), 0);
  await page.goto(`${orders[1]}/give-back`);
  await page.waitForURL(orders[1]);
  // What was just bought is.
  await page.goto(orders[0]);
  assert.equal(await page.locator('main a[href$="/give-back"]').count(), 1);
});

const WEEKEND = `
[[offer]]
code = "weekend-europe"
tier = "basic"
name = { zh = "周末 · 欧洲", en = "Weekend · Europe" }
summary = { zh = "两天", en = "Two days" }
zone = "europe"
data_mb = 1000
voice_minutes = 10
sms = 10
validity_days = 2
activations = ["now"]
price = { CNY = "15.00", EUR = "1.90", USD = "2.10" }
terms = [{ periods = 1 }]
`;

test('an operator sells a plan of two days', async () => {
  const own = new URL('../../crates/simurgh/demo/catalogue.toml', import.meta.url);
  const file = await demo.file('catalogue.toml', (await readFile(own, 'utf8')) + WEEKEND);
  assert.match(await demo.command('catalogue', 'apply', file), /is in force/);
});

// A notice waits for the morning: it is to be day where the customer is.
const awake = readers.map(byDay);
journeys('automatic renewal tells before it charges, and goes with one press', demo, awake, async (page, visitor) => {
  const say = wordsFor(visitor);
  const number = await register(page, demo);
  await page.goto('/renewal');
  assert.match(await main(page), say('renewal-no-line'));
  await choose(page, 'weekend-europe', { start: 'now' });
  await page.check('[name=store]');
  await pay(page, demo, 'card');
  await decide(page, demo, 'success');
  await reach(page, 'success');

  await page.goto('/renewal');
  await checkAccess(page);
  await page.locator(SEND).first().click();
  await page.waitForLoadState();
  const on = await main(page);
  assert.match(on, say('renewal-on'));
  assert.match(on, /15\.00/);
  assert.match(on, /•••• \d{4}/);
  await checkAccess(page);
  // The plan ends in two days, so the notice goes out now, with the amount, the day and the way to pay.
  const notice = await demo.message(number, ({ text }) => /•••• \d{4}/.test(text));
  assert.match(notice.text, /15\.00/);
  assert.ok(notice.text.includes('/renewal'), notice.text);
  const dates = await facts(page);
  const charged = [...dates].find(([label]) => say('renewal-charge').test(label))[1];
  const ends = [...dates].find(([label]) => say('renewal-ends').test(label))[1];
  assert.ok(minutes(charged) < minutes(ends), `${charged} is not before ${ends}`);
  await page.goto('/line');
  assert.match(await main(page), say('renewal-on'));

  await page.goto('/renewal');
  await page.getByRole('button', { name: say('renewal-off') }).click();
  await page.waitForLoadState();
  await page.goto('/line');
  assert.match(await main(page), say('renewal-is-off'));

  // On again; removing the way to pay turns it off too, and says so first.
  await page.goto('/renewal');
  await page.locator(SEND).first().click();
  await page.waitForLoadState();
  await page.goto('/methods');
  assert.match(await main(page), /•••• \d{4}/);
  await checkAccess(page);
  await page.locator('main a[href$="/remove"]').click();
  assert.match(await main(page), say('methods-remove-renewal'));
  await checkAccess(page);
  await page.locator('main form button').first().click();
  await page.waitForURL('**/methods');
  assert.match(await main(page), say('methods-none'));
  await page.goto('/renewal');
  assert.match(await main(page), say('renewal-needs-method'));
});

journeys('a stored method pays with one press', demo, [phoneEn], async (page) => {
  await register(page, demo);
  await choose(page, 'basic-europe', { start: 'now', line: 'new' });
  await page.check('[name=store]');
  await pay(page, demo, 'card');
  await decide(page, demo, 'success');
  await reach(page, 'success');
  await choose(page, 'basic-europe', { start: 'now', line: 'new' });
  await page.locator(SEND).first().click();
  await page.waitForURL(`${demo.portal}/orders/**`);
  await reach(page, 'success');
});

journeys('an unused plan is given back, by its customer or by staff', demo, readers, async (page, visitor) => {
  const say = wordsFor(visitor);
  await register(page, demo);
  const own = await buy(page, demo, 'basic-europe', { start: 'now' });
  await page.getByRole('link', { name: say('orders-give-back') }).click();
  assert.match(await main(page), say('orders-give-back-rule'));
  await checkAccess(page);
  await page.locator('main form button').first().click();
  await page.waitForURL(own);
  await givenBack(page, say);

  const other = await buy(page, demo, 'basic-europe', { start: 'now' });
  const desk = await openDesk(demo, visitor.options);
  await desk.goto(`/orders/${other.split('/').at(-1)}/refund`);
  await proveAgain(desk, demo);
  await checkAccess(desk);
  await desk.fill('[name=reason]', 'The customer asked by telephone.');
  await desk.locator('main form button').first().click();
  await desk.waitForURL('**/orders/*');
  await desk.context().close();
  await page.goto(other);
  await givenBack(page, say);

  // Two bills and two credit notes, which come to nothing together.
  await page.goto('/bills');
  const sums = await page.locator('main .list .entry-value').allInnerTexts();
  assert.deepEqual(sums.map(minor).sort((a, b) => a - b), [-69_00, -69_00, 69_00, 69_00]);
});

/** The order that is shown was given back: the money is on its way and the plan is gone. */
async function givenBack(page, say) {
  const order = page.url();
  for (let tries = 40; !say('orders-refund-sent').test(await main(page)); tries -= 1) {
    assert.ok(tries > 0, await main(page));
    await page.waitForTimeout(100);
    await page.reload();
  }
  assert.match(await main(page), say('orders-refunded'));
  const note = page.locator('main dl.facts div', { hasText: say('bills-credit-note') }).locator('a');
  await note.click();
  await page.waitForURL('**/bills/*');
  assert.equal(minor(await total(page)), -69_00);
  assert.match(await main(page), say('bills-credit-note'));
  await checkAccess(page);
  await page.goto('/line');
  assert.equal(await page.locator('#balance-octets').count(), 0, 'what was given back is still there');
  assert.match(await main(page), say('line-no-plan'));
  await page.goto(order);
}

journeys('bills as a page, as PDF and as a table', demo, readers, async (page, visitor) => {
  const say = wordsFor(visitor);
  await register(page, demo);
  await page.goto('/bills');
  assert.match(await main(page), say('bills-none'));
  await buy(page, demo, 'premium-europe', { start: 'now', periods: 3, code: 'welcome20' });
  const order = page.url().split('/').at(-1);
  const sum = minor(await total(page));
  await page.goto('/bills');
  await checkAccess(page);
  await page.locator('main .list a').click();
  const number = /SIM-\d{4}-\d{6}/.exec(await main(page))[0];
  assert.equal(minor(await total(page)), sum);

  const pdf = await download(page, page.locator('main a[href$=".pdf"]'));
  assert.equal(pdf.toString('latin1', 0, 5), '%PDF-');
  assert.ok(pdf.includes('%%EOF'));

  await page.goto('/bills');
  const table = (await download(page, page.locator('main a[href$=".csv"]'))).toString('utf8');
  const rows = table.replace(/^\uFEFF/, '').trim().split(/\r?\n/);
  assert.match(rows[0], say('bills-csv-number'));
  const own = rows.filter((row) => row.includes(number) && row.includes(order));
  const cents = own.map((row) => Math.round(Number(/(-?\d+\.\d{2})/.exec(row)[1]) * 100));
  assert.equal(cents.reduce((a, b) => a + b, 0), sum, table);
});

/** What a link downloads. */
async function download(page, link) {
  const [started] = await Promise.all([page.waitForEvent('download'), link.click()]);
  return readFile(await started.path());
}

test('the books of the operator balance', async () => {
  assert.match(await demo.command('audit'), / 0 findings/);
});
