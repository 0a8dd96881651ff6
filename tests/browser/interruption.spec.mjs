// What people do to a purchase: press twice, go back, reload, open a second tab, lose their session. There
// is never a second order or a second payment of theirs, and the page says what happened.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { checkAccess, journeys, phoneEn, phoneZh, useDemo, withoutScript, wordsFor } from './harness/index.mjs';
import { choose, decide, pay, PASSWORD, planAddress, reach, register, review, SEND } from './harness/shopper.mjs';

const demo = useDemo();
const PLAN = { start: 'now', line: 'new' };

/** Every order of the customer, newest first: the addresses. */
async function orders(page) {
  await page.goto('/orders');
  return page.locator('main .list a').evaluateAll((links) => links.map((link) => link.href));
}

/** How many payments the provider has been asked for. */
async function payments() {
  return (await (await fetch(`${demo.sandbox}/book.json`)).json()).payments.length;
}

/** Waits for an address. The second press breaks off the way there that the first one began. */
async function arrive(page, address) {
  for (let left = 5; ; left -= 1) {
    try {
      return await page.waitForURL(address);
    } catch (error) {
      if (left === 0 || !error.message.includes('ERR_ABORTED')) throw error;
    }
  }
}

const twice = [phoneZh, withoutScript(phoneEn)];
journeys('“pay” pressed twice pays once', demo, twice, async (page) => {
  await register(page, demo);
  const before = await payments();
  await choose(page, 'basic-europe', PLAN);
  await page.check('[name=method][value=alipay]');
  await page.locator(SEND).first().dblclick({ noWaitAfter: true });
  await arrive(page, `${demo.sandbox}/pay/**`);
  assert.equal(await payments(), before + 1);
  // On the provider's page as well.
  await page.locator('button[name=outcome][value=success]').dblclick({ noWaitAfter: true });
  await arrive(page, `${demo.portal}/orders/**`);
  await reach(page, 'success');
  assert.equal(await payments(), before + 1);
  assert.equal((await orders(page)).length, 1);
});

const back = [phoneZh, phoneEn];
journeys('back and reload after paying', demo, back, async (page, visitor) => {
  const say = wordsFor(visitor);
  await register(page, demo);
  await choose(page, 'basic-europe', PLAN);
  const checkout = page.url();
  await pay(page, demo);
  const before = await payments();
  await decide(page, demo, 'success');
  const order = await reach(page, 'success');
  await page.reload();
  assert.match(await page.locator('main').innerText(), say('orders-paid'));

  // Back: the provider takes nothing again, and the checkout leads to the order that was made of it.
  await page.goBack();
  assert.ok(page.url().startsWith(`${demo.sandbox}/pay/`));
  assert.equal(await page.locator('button[name=outcome]').count(), 0, 'the provider takes it again');
  await page.goBack();
  // A browser that kept the checkout as it was shows it again: then pressing “pay” leads there too.
  if (page.url() === checkout) await page.locator(SEND).first().click();
  await page.waitForURL(`${order}**`);
  assert.match(await page.locator('main').innerText(), say('orders-paid'));
  assert.equal(await payments(), before);
  assert.deepEqual(await orders(page), [order]);
});

journeys('two tabs buy one plan', demo, [phoneEn], async (page, visitor) => {
  const say = wordsFor(visitor);
  await register(page, demo);
  await choose(page, 'basic-europe', PLAN);
  const other = await page.context().newPage();
  await other.goto(page.url());
  await pay(page, demo, 'alipay');
  await pay(other, demo, 'card');
  await decide(page, demo, 'success');
  const order = await reach(page, 'success');
  await decide(other, demo, 'success');
  assert.equal(other.url().split('?')[0], order);
  // Both were paid at the provider; the second goes back by itself.
  for (let tries = 40; !say('orders-refund-sent').test(await other.locator('main').innerText()); tries -= 1) {
    assert.ok(tries > 0, await other.locator('main').innerText());
    await other.waitForTimeout(100);
    await other.reload();
  }
  await checkAccess(other);
  assert.deepEqual(await orders(page), [order]);
});

journeys('a session that ends in the middle loses nothing', demo, back, async (page, visitor) => {
  const say = wordsFor(visitor);
  const number = await register(page, demo);
  await choose(page, 'premium-europe', { ...PLAN, periods: 3 });
  const checkout = page.url();
  const signIn = async (next) => {
    await page.waitForURL('**/login?**');
    await page.fill('[name=who]', number);
    await page.fill('[name=password]', PASSWORD);
    await page.locator(SEND).first().click();
    await page.waitForURL(next);
  };
  // Before paying: back at the same checkout.
  await page.context().clearCookies();
  await page.locator(SEND).first().click();
  await signIn(checkout);
  assert.match(await page.locator('main').innerText(), visitor === phoneZh ? /高级版 · 欧洲/ : /Premium · Europe/);
  await pay(page, demo);
  // While paying: the order is there, and it is paid.
  await page.context().clearCookies();
  await page.locator('button[name=outcome][value=insufficient-funds]').click();
  await signIn('**/orders/**');
  const order = await reach(page, 'danger');
  // Before paying again: back at the same order.
  await page.context().clearCookies();
  await page.locator(SEND).first().click();
  await signIn(order);
  await pay(page, demo, 'card');
  await decide(page, demo, 'success');
  assert.equal(await reach(page, 'success'), order);
  assert.match(await page.locator('main').innerText(), say('orders-paid'));
  assert.deepEqual(await orders(page), [order]);
});

journeys('somebody who has no account yet keeps the choice', demo, [withoutScript(phoneZh)], async (page) => {
  await page.goto(planAddress('premium-europe', { start: 'now', periods: 3 }));
  await page.locator(SEND).first().click();
  await page.waitForURL('**/login?**');
  const [, next] = /next=([^&]+)/.exec(page.url());
  await page.locator('main a[href^="/register"]').first().click();
  await page.waitForURL('**/register**');
  assert.ok(page.url().includes(next), 'registering forgets what was chosen');
});

journeys('an order is called off', demo, [phoneEn], async (page, visitor) => {
  const say = wordsFor(visitor);
  await register(page, demo);
  await choose(page, 'basic-europe', PLAN);
  await pay(page, demo);
  const provider = page.url();
  await decide(page, demo, 'abandoned');
  await reach(page, 'danger');
  await page.getByRole('button', { name: say('orders-cancel') }).click();
  await page.waitForURL('**/orders/**');
  await reach(page, 'muted');
  assert.match(await page.locator('main').innerText(), say('orders-cancelled'));
  assert.equal(await page.locator('main [name=method]').count(), 0);
  await checkAccess(page);
  // Ordering again is a press away, with the choice as it was.
  await page.getByRole('link', { name: say('orders-again') }).click();
  await review(page);
  assert.ok(provider);
});

test('the books of the operator balance', async () => {
  assert.match(await demo.command('audit'), / 0 findings/);
});
