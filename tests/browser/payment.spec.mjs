// Every way a payment can go: the page of the order says what is true and what to do, the order is never
// lost, and in the end there is one confirmation, one plan and one bill for each order that was paid.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { checkAccess, journeys, phoneEn, phoneZh, useDemo, wordsFor } from './harness/index.mjs';
import { choose, decide, minor, pay, reach, register, total } from './harness/shopper.mjs';

const demo = useDemo();
const readers = [phoneZh, phoneEn];
const PLAN = 'basic-europe';
const PRICE = 69_00;

/** Outcomes that take no money: the method tried, and the reason in both languages. */
const FAILURES = [
  ['alipay', 'insufficient-funds', { zh: /余额不足.*更换付款方式/, en: /Not enough money.*another way/ }],
  ['card', 'limit-exceeded', { zh: /超过.*限额.*更换/, en: /limit of your card.*another way/ }],
  ['card', 'expired', { zh: /已过期.*更新/, en: /has expired.*another card/ }],
  ['card', 'bank-refused', { zh: /发卡行拒绝.*联系银行/, en: /bank refused.*Ask the bank/ }],
  ['wechat-pay', 'abandoned', { zh: /未完成.*重新付款/, en: /not completed.*pay again/ }],
];

const language = (visitor) => visitor.options.locale.slice(0, 2);
const main = (page) => page.locator('main').innerText();

/** Places an order for a line of its own and goes to the provider. */
async function order(page, method) {
  await choose(page, PLAN, { start: 'now', line: 'new' });
  await pay(page, demo, method);
}

/** Tries the order that is shown once more, by `method`. */
const again = (page, method) => pay(page, demo, method);

/** The order that is shown is paid, as far as its page tells. */
async function paid(page) {
  const address = await reach(page, 'success');
  assert.equal(minor(await total(page)), PRICE);
  assert.equal(await page.locator('main [name=method]').count(), 0, 'a paid order takes no payment');
  return address;
}

journeys('a payment that fails keeps its order', demo, readers, async (page, visitor) => {
  const say = wordsFor(visitor);
  const number = await register(page, demo);
  await order(page, FAILURES[0][0]);
  let address;
  for (const [index, [method, outcome, reason]] of FAILURES.entries()) {
    if (index > 0) await again(page, method);
    await decide(page, demo, outcome);
    const here = await reach(page, 'danger');
    address ??= here;
    assert.equal(here, address, 'another attempt is for the same order');
    assert.match(await main(page), say('orders-failed'));
    assert.match(await main(page), reason[language(visitor)], outcome);
    assert.match(await main(page), say('orders-failed-kept'));
    if (index === 0) await checkAccess(page);
    if (outcome !== 'abandoned') {
      // Who gave up knows it: no message. Everybody else is told why.
      const told = await demo.message(number, ({ text }) => reason[language(visitor)].test(text));
      assert.ok(told.text.includes(address), 'the message leads to the order');
    }
  }
  // The bank wants a confirmation: not given, then given.
  await again(page, 'card');
  await page.locator('button[name=outcome][value=needs-bank]').click();
  await decide(page, demo, 'authentication-required');
  await reach(page, 'danger');
  assert.match(await main(page), language(visitor) === 'zh' ? /银行需要您确认/ : /bank wants you to confirm/);
  await again(page, 'card');
  await page.locator('button[name=outcome][value=needs-bank]').click();
  await decide(page, demo, 'success');
  assert.equal(await paid(page), address);
  await checkAccess(page);
  await onceEach(page, number, [address]);
});

journeys('a payment that takes its time is not paid twice', demo, readers, async (page, visitor) => {
  const say = wordsFor(visitor);
  const number = await register(page, demo);

  // Delayed: the page says that nothing is known yet and warns of paying twice; it follows by itself.
  await order(page, 'alipay');
  const provider = page.url();
  await page.locator('button[name=outcome][value=delayed]').click();
  await page.waitForURL(`${demo.portal}/orders/**`);
  const delayed = await reach(page, 'warning');
  assert.match(await main(page), say('orders-at-provider'));
  assert.match(await main(page), say('orders-at-provider-text'));
  await checkAccess(page);
  const beside = await page.context().newPage();
  await beside.goto(provider);
  await decide(beside, demo, 'success');
  await beside.close();
  await page.locator('main .notice.success').waitFor();
  assert.equal(minor(await total(page)), PRICE);

  // It never answers: the order can be paid another way, and what comes late goes back.
  await order(page, 'wechat-pay');
  const silent = page.url();
  await page.locator('button[name=outcome][value=no-answer]').click();
  await page.waitForURL(`${demo.portal}/orders/**`);
  assert.match(await main(page), say('orders-at-provider'));
  await again(page, 'card');
  await decide(page, demo, 'success');
  const other = await paid(page);
  await page.goto(silent);
  await decide(page, demo, 'success');
  await page.waitForURL(other);
  for (let tries = 40; !say('orders-refund-sent').test(await main(page)); tries -= 1) {
    assert.ok(tries > 0, `money that came for a paid order stays: ${await main(page)}`);
    await page.waitForTimeout(100);
    await page.reload();
  }
  assert.match(await page.locator('main .notice.success').first().innerText(), say('orders-paid'));
  const book = await (await fetch(`${demo.sandbox}/book.json`)).json();
  assert.equal(book.refunds.filter(({ amount }) => amount?.minor === PRICE).length > 0, true);
  await onceEach(page, number, [delayed, other]);
});

journeys('odd notifications change nothing', demo, [phoneZh], async (page, visitor) => {
  const say = wordsFor(visitor);
  const number = await register(page, demo);
  const addresses = [];
  for (const outcome of ['success', 'reordered', 'duplicated', 'wrong-amount', 'other-merchant']) {
    await order(page, 'alipay');
    await decide(page, demo, outcome);
    addresses.push(await paid(page));
  }
  await onceEach(page, number, addresses);
  // The outdated notifications came a second or two after the true one.
  for (const address of addresses) {
    await page.goto(address);
    assert.match(await page.locator('main .notice').nth(1).innerText(), say('orders-paid'), address);
  }
});

/** One confirmation, one plan and one bill for each of these paid orders, and nothing else. */
async function onceEach(page, number, addresses) {
  for (const address of addresses) {
    const order = address.split('/').at(-1);
    await demo.message(number, ({ text }) => isConfirmation(text) && text.includes(order));
    await page.goto(address);
    const bills = page.locator('main dl.facts a[href^="/bills/"]');
    assert.equal(await bills.count(), 1, `${address} has ${await bills.count()} bills`);
    await bills.click();
    assert.equal(minor(await total(page)), PRICE);
  }
  const all = (await demo.messages()).filter(({ to, text }) => to === number && isConfirmation(text));
  assert.equal(all.length, addresses.length, JSON.stringify(all, null, 1));
  await page.goto('/bills');
  assert.equal(await page.locator('main a[href^="/bills/"]').count(), addresses.length);
  await page.goto('/line');
  const lines = await page.locator('main .chips a').evaluateAll((links) => links.map((link) => link.href));
  assert.equal(lines.length, addresses.length > 1 ? addresses.length : 0);
  for (const line of lines.length > 0 ? lines : ['/line']) {
    await page.goto(line);
    assert.match(await page.locator('#balance-octets .of').innerText(), /(?<!\d)5\s*GB/);
  }
}

/** Whether a message says that an order was paid. */
const isConfirmation = (text) => /已收到|已收|收到|received/.test(text) && /\d+\.\d{2}/.test(text);

test('the books of the operator balance', async () => {
  assert.match(await demo.command('audit'), / 0 findings/);
});
