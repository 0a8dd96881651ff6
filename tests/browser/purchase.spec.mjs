// From sign-up to a paid plan, in a browser: register, choose, pay, confirmation, balance, bill.

import assert from 'node:assert/strict';

import {
  checkAccess,
  journeys,
  phoneEn,
  phoneZh,
  shoot,
  useDemo,
  withoutScript,
} from './harness/index.mjs';

const demo = useDemo();
let people = 0;

/** Registers a new number and confirms it; gives back the number. */
async function register(page) {
  people += 1;
  const local = `1390013${String(9000 + people)}`;
  await page.goto('/register');
  await page.fill('[name=phone_country]', '+86');
  await page.fill('[name=phone]', local);
  await page.fill('[name=name]', 'Li Lei');
  await page.fill('[name=password]', 'a long enough phrase');
  await checkAccess(page);
  await page.locator('main form button:not([type=button])').click();
  const code = await demo.code(`+86${local}`);
  await checkAccess(page);
  await page.fill('[name=code]', code);
  await page.locator('main form button:not([type=button])').click();
  await page.waitForURL('**/line');
  return `+86${local}`;
}

/** Chooses the European basic plan, reviews the order and goes to the provider's page. */
async function order(page) {
  await page.goto('/plans/basic-europe?currency=CNY');
  await page.check('[name=start][value=now]');
  await checkAccess(page);
  await page.locator('main form button:not([formaction])').first().click();
  await page.waitForURL('**/checkout?**');
  await checkAccess(page);
  await page.locator('main form[method=post] button').last().click();
  await page.waitForURL(`${demo.sandbox}/pay/**`);
}

async function decide(page, outcome) {
  await page.locator(`button[name=outcome][value=${outcome}]`).click();
  await page.waitForURL(`${demo.portal}/orders/**`);
}

const readers = [phoneZh, phoneEn, withoutScript(phoneEn)];

journeys('sign up, buy, see the balance and the bill', demo, readers, async (page, visitor) => {
  const number = await register(page);
  await order(page);
  await decide(page, 'success');
  await checkAccess(page);
  await shoot(page, 'order-paid');
  await demo.message(number, ({ text }) => text.includes('69.00'));
  await page.goto('/line');
  await checkAccess(page);
  await shoot(page, 'line');
  assert.match(await page.locator('main').innerText(), /5\s*GB/);
  await page.goto('/bills');
  await checkAccess(page);
  await page.locator('main a[href^="/bills/"]').first().click();
  assert.match(await page.locator('main').innerText(), /69\.00/);
  assert.match(await page.locator('main').innerText(), /SIM-\d{4}-\d{6}/);
  await checkAccess(page);
  await shoot(page, 'bill');
  assert.ok(visitor.name);
});

journeys('a payment that fails keeps the order', demo, [phoneZh], async (page) => {
  await register(page);
  await order(page);
  await decide(page, 'insufficient-funds');
  assert.match(await page.locator('main').innerText(), /余额不足/);
  await checkAccess(page);
  await shoot(page, 'order-failed');
});
