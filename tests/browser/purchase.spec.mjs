// From sign-up to a paid plan: register, choose or build, term, promotion, pay, confirmation, balance, bill.
// What is shown before paying is what is ordered, billed and told.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import {
  checkAccess,
  journeys,
  phoneEn,
  phoneZh,
  useDemo,
  withoutScript,
  wordsFor,
} from './harness/index.mjs';
import {
  buy,
  choose,
  decide,
  facts,
  minor,
  minutes,
  pay,
  planAddress,
  reach,
  receipt,
  register,
  review,
  SEND,
  total,
} from './harness/shopper.mjs';

const demo = useDemo();
const readers = [phoneZh, phoneEn];

journeys(
  'sign up, buy, see the balance and the bill',
  demo,
  [...readers, withoutScript(phoneEn)],
  async (page, visitor) => {
    const say = wordsFor(visitor);
    const number = await register(page, demo, () => checkAccess(page));
    await page.goto('/plans?zone=europe&currency=CNY');
    await page.locator('main a[href*="/plans/basic-europe"]').click();
    await page.check('[name=start][value=now]');
    await checkAccess(page);
    await review(page);
    const shown = await promise(page, say);
    assert.equal(shown.total, 6900);
    await checkAccess(page);
    await pay(page, demo);
    await decide(page, demo, 'success');
    await reach(page, 'success');
    await checkAccess(page);
    const order = page.url().split('/').at(-1);
    await kept(page, say, shown);
    const confirmation = await demo.message(number, ({ text }) => text.includes(order));
    assert.equal(minor(confirmation.text), shown.total);
    await page.goto('/line');
    await checkAccess(page);
    const data = page.locator('#balance-octets .figure');
    assert.match(await data.innerText(), /^5\s*GB$/);
    assert.ok((await page.locator('main').innerText()).includes(shown.endsText));
    await page.goto('/bills');
    await page.locator('main a[href^="/bills/"]').first().click();
    assert.equal(minor(await total(page)), shown.total);
    const bill = await page.locator('main').innerText();
    assert.match(bill, /SIM-\d{4}-\d{6}/);
    assert.ok(bill.includes(order));
    await checkAccess(page);
  },
);

/** What the checkout promises: the total and the end. */
async function promise(page, say) {
  const listed = [...(await facts(page))];
  const [, endsText] = listed.find(([label]) => say('shop-ends').test(label));
  return { total: minor(await total(page)), rows: await receipt(page), endsText };
}

/** The order has the price and the end that the checkout promised. */
async function kept(page, say, shown) {
  assert.equal(minor(await total(page)), shown.total);
  assert.deepEqual(await receipt(page), shown.rows);
  const ends = [...(await facts(page))].find(([label]) => say('shop-ends').test(label));
  // A plan that starts with the payment ends as much later as the payment came after the promise.
  const late = minutes(ends[1]) - minutes(shown.endsText);
  assert.ok(late >= 0 && late <= 2, `${ends[1]} is not ${shown.endsText}`);
  shown.endsText = ends[1];
}

journeys('a mix of one’s own, with and without roaming', demo, readers, async (page, visitor) => {
  const say = wordsFor(visitor);
  const mixed = async (zone) => {
    await page.goto('/builder?currency=CNY');
    for (const [name, value] of [
      ['zone', zone],
      ['data', 5_000_000_000],
      ['voice', 3600],
      ['sms', 0],
    ]) {
      await page.locator(`[name=${name}][value="${value}"]`).check();
    }
    // The price follows without a press; it has a row for each part, and none for what was left out.
    await page.waitForFunction(
      (sum) => document.querySelector('#price .total dd')?.innerText.includes(sum),
      zone === 'china' ? '30.00' : '67.00',
    );
    await checkAccess(page);
    return receipt(page);
  };
  const home = await mixed('china');
  const europe = await mixed('europe');
  assert.deepEqual(home.map((row) => minor(row[1])), [900, 1500, 600, 3000]);
  assert.deepEqual(europe.map((row) => minor(row[1])), [1900, 4200, 600, 6700]);

  await register(page, demo);
  await mixed('europe');
  await page.locator('[name=periods][value="3"]').check();
  await page.waitForFunction(() => document.querySelector('#price .discount'));
  await page.locator(SEND).first().click();
  await page.waitForURL('**/builder/plan?**');
  await page.check('[name=start][value=now]');
  await checkAccess(page);
  await review(page);
  const shown = await promise(page, say);
  assert.equal(shown.total, Math.round(3 * 6700 * 0.95));
  await pay(page, demo, 'wechat-pay');
  await decide(page, demo, 'success');
  await reach(page, 'success');
  await kept(page, say, shown);
  await page.goto('/line');
  assert.match(await page.locator('#balance-octets .figure').innerText(), /^5\s*GB$/);
  assert.match(await page.locator('#balance-seconds .figure').innerText(), /^60/);
  assert.equal(await page.locator('#balance-messages').count(), 0);

  // Without roaming the law asks who it is: said before anything is paid.
  await choose(page, 'mix:china:5000000000:3600:0', { start: 'now', line: 'new' });
  assert.match(await page.locator('main').innerText(), say('checkout-identity'));
  assert.equal(await page.locator('main [name=method]').count(), 0);
  await checkAccess(page);

  await page.goto('/builder/plan?zone=europe&data=0&voice=0&sms=0&currency=CNY');
  assert.match(await page.locator('main').innerText(), say('shop-no-empty'));
});

journeys('three and twelve periods save', demo, readers, async (page, visitor) => {
  const say = wordsFor(visitor);
  await register(page, demo);
  await page.goto(planAddress('premium-europe', { start: 'now' }));
  for (const [periods, days, saving, sum] of [
    [3, 90, '8%', 149_00 * 3 * 0.92],
    [12, 360, '20%', 149_00 * 12 * 0.8],
  ]) {
    const term = page.locator(`main .chips a[href*="periods=${periods}&"]`);
    const label = await term.innerText();
    assert.ok(label.includes(String(days)) && label.includes(saving), label);
    assert.match(label, say('shop-save'));
    await term.click();
    await page.waitForURL(`**periods=${periods}&**`);
    const shown = await promise(page, say);
    assert.equal(shown.total, Math.round(sum));
    const span = minutes(shown.endsText) - wallClock(visitor.options.timezoneId);
    assert.ok(Math.abs(span - days * 24 * 60) <= 2, `${shown.endsText} is not ${days} days away`);
  }
  // What is typed already is not lost by choosing another term.
  await page.fill('[name=code]', 'welcome20');
  await page.locator('main .chips a[href*="periods=3&"]').click();
  await page.waitForURL('**code=welcome20**');
  await review(page);
  const shown = await promise(page, say);
  assert.equal(shown.total, Math.round(149_00 * 3 * 0.92 * 0.8));
  await pay(page, demo, 'card');
  await decide(page, demo, 'success');
  await reach(page, 'success');
  await kept(page, say, shown);
});

/** The minute it is now on the clocks of a time zone, since 1970. */
function wallClock(timeZone) {
  const parts = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  return Date.parse(`${parts.format(new Date()).replace(' ', 'T')}Z`) / 60_000;
}

// The demo's two promotions refuse in few ways; an operator adds others while the demo runs.
const MORE_PROMOTIONS = `
[[promotion]]
code = "last-autumn"
name = { zh = "去年秋天", en = "Last autumn" }
percent = 30
from = "2025-09-01T00:00:00+08:00"
until = "2025-11-01T00:00:00+08:00"

[[promotion]]
code = "only-one"
name = { zh = "只有一份", en = "Only one" }
percent = 10
from = "2026-01-01T00:00:00+08:00"
until = "2030-01-01T00:00:00+08:00"
limit_total = 1

[[promotion]]
code = "once-each"
name = { zh = "每人一次", en = "Once each" }
percent = 10
from = "2026-01-01T00:00:00+08:00"
until = "2030-01-01T00:00:00+08:00"
limit_per_customer = 1

[[promotion]]
code = "deluxe-only"
name = { zh = "豪华专享", en = "Deluxe only" }
percent = 10
from = "2026-01-01T00:00:00+08:00"
until = "2030-01-01T00:00:00+08:00"
tiers = ["deluxe"]
`;

test('an operator applies a catalogue with more promotions', async () => {
  const own = new URL('../../crates/simurgh/demo/catalogue.toml', import.meta.url);
  const file = await demo.file('catalogue.toml', (await readFile(own, 'utf8')) + MORE_PROMOTIONS);
  assert.match(await demo.command('catalogue', 'apply', '--dry-run', file), /would become version/);
  assert.match(await demo.command('catalogue', 'apply', file), /is in force/);
});

/** Whether the one use of "only-one" is gone: the first visitor takes it. */
let isTaken = false;

journeys('promotions are accepted, and refused with the reason', demo, readers, async (page, visitor) => {
  const say = wordsFor(visitor);
  await register(page, demo);
  if (!isTaken) {
    await buy(page, demo, 'basic-europe', { start: 'now', code: 'only-one', line: 'new' });
    assert.equal(minor(await total(page)), 69_00 * 0.9);
    isTaken = true;
  }
  await buy(page, demo, 'basic-europe', { start: 'now', code: 'once-each', line: 'new' });
  for (const [code, why] of [
    ['no-such-code', 'shop-code-unknown'],
    ['last-autumn', 'shop-code-over'],
    ['only-one', 'shop-code-used-up'],
    ['once-each', 'shop-code-used'],
    ['deluxe-only', 'shop-code-plan'],
    ['welcome20', 'shop-code-first'],
  ]) {
    await page.goto(planAddress('basic-europe', { start: 'now', line: 'new' }));
    await page.fill('[name=code]', code);
    await page.locator(SEND).first().click();
    const error = page.locator('.field.refused:has([name=code]) .error');
    assert.match(await error.innerText(), say(why), code);
    assert.equal(await page.inputValue('[name=code]'), code);
  }
  await checkAccess(page);
  await page.fill('[name=code]', '');
  await review(page);
  assert.equal(minor(await total(page)), 69_00);

  // A year of Deluxe is reduced by itself.
  await page.goto(planAddress('deluxe-world', { start: 'now', line: 'new', periods: 12 }));
  const rows = await receipt(page);
  assert.deepEqual(
    rows.map((row) => minor(row[1])),
    [359_00 * 12, -359_00 * 12 * 0.25, -100_00, 359_00 * 12 * 0.75 - 100_00],
  );
});

test('the books of the operator balance', async () => {
  assert.match(await demo.command('audit'), / 0 findings/);
});
