// eSIM at the console: what is in stock, a profile found by what is known of it, its page, and what staff does with
// it, for a reason.

import assert from 'node:assert/strict';

import {
  checkAccess,
  journeys,
  narrow,
  phoneEn,
  phoneZh,
  shoot,
  useDemo,
  wordsFor,
} from './harness/index.mjs';
import { accept, addCode, breakAt, phoneAddress } from './harness/handset.mjs';
import { decide, openDesk } from './harness/desk.mjs';
import { SEND, buy, register } from './harness/shopper.mjs';

const demo = useDemo();

/** Looks at a page of the console by day and by night, on a phone and on a desk: only tables scroll sideways. */
async function look(page, name) {
  const own = page.viewportSize();
  for (const screen of [{ width: 360, height: 740 }, { width: 1280, height: 900 }]) {
    await page.setViewportSize(screen);
    const widest = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(widest <= screen.width, `${page.url()} is ${widest} px wide`);
  }
  await shoot(page, `${name}-wide`);
  await page.setViewportSize(own);
  await checkAccess(page);
  await shoot(page, name);
  await page.emulateMedia({ colorScheme: 'dark' });
  await checkAccess(page, ['color-contrast']);
  await shoot(page, `${name}-dark`);
  await page.emulateMedia({ colorScheme: 'light' });
}

/** The activation code of a line that was just bought. */
async function codeOfNewLine(page) {
  await register(page, demo);
  await buy(page, demo, 'basic-europe', { start: 'now' });
  for (let left = 60; left > 0; left -= 1) {
    await page.goto('/line/esim');
    if (await page.locator('#esim-code').count()) break;
    await page.waitForTimeout(200);
  }
  return (await page.locator('#esim-code').textContent()).trim();
}

async function find(desk, text) {
  await desk.goto('/esim');
  await desk.fill('main [name=q]', text);
  await desk.locator('main form button').first().click();
  await desk.waitForLoadState();
}

journeys('staff finds a profile and decides', demo, [narrow(phoneZh), phoneEn], async (page, visitor) => {
  const say = wordsFor(visitor);
  const code = await codeOfNewLine(page);
  // The phone has asked for it, and the transfer broke off: it is bound and not there.
  await page.goto(demo.address('phone'));
  await page.fill('[name=value]', `Desk ${visitor.name}`);
  await page.locator('form button').click();
  await page.waitForURL('**/phones/phone-*');
  const id = new URL(page.url()).pathname.split('/').pop();
  const eid = (await page.locator('#about').innerText()).match(/89\d{30}/)[0];
  await breakAt(page, demo, id, '3');
  await addCode(page, demo, id, code);
  await accept(page);

  const desk = await openDesk(demo, visitor.options);
  await desk.goto('/esim');
  assert.ok((await desk.locator('#stock').innerText()).match(/\d+/));
  await look(desk, 'desk-esim-list');
  await find(desk, 'xy');
  assert.equal(await desk.locator('[aria-invalid]').count(), 1);
  for (const known of [code.split('$').pop(), eid]) {
    await find(desk, known);
    assert.equal(await desk.locator('main tbody tr').count(), 1, known);
  }
  await desk.locator('main tbody a').click();
  await desk.waitForLoadState();
  assert.match(await desk.locator('main').innerText(), say('desk-esim-downloaded'));
  assert.match(await desk.locator('main').innerText(), new RegExp(eid));
  await look(desk, 'desk-esim-profile');

  await decide(desk, demo, 'reissue', (name) => look(desk, name));
  assert.match(await desk.locator('main').innerText(), say('desk-esim-withdrawn'));
  await look(desk, 'desk-esim-void');
  for (let left = 60; left > 0 && (await desk.locator('main table a[href^="/esim/"]').count()) === 0; left -= 1) {
    await desk.waitForTimeout(200);
    await desk.reload();
  }
  await desk.locator('main table a[href^="/esim/"]').first().click();
  await desk.waitForLoadState();
  await decide(desk, demo, 'withdraw', (name) => look(desk, name));
  assert.match(await desk.locator('main').innerText(), say('desk-did-profile-withdrawn'));

  await desk.locator('main a[href^="/customers/"]').click();
  await desk.waitForLoadState();
  assert.equal(await desk.locator('#lines a[href^="/esim/"]').count(), 2);
  assert.ok((await desk.locator('#timeline a[href^="/esim/"]').count()) >= 2);
  await look(desk, 'desk-esim-customer');
  await desk.context().close();

  // The customer is told, and can get another one.
  await page.goto('/line/esim');
  assert.match(await page.locator('main').innerText(), say('esim-void'));
  await page.goto(phoneAddress(demo, id));
  assert.equal(await page.locator('article.esim').count(), 0);
});

journeys('staff proves again who they are, and comes back', demo, [narrow(phoneZh), phoneEn], async (page, visitor) => {
  await page.goto('/');
  const desk = await openDesk(demo, visitor.options);
  await desk.goto('/proof?next=/esim');
  await look(desk, 'desk-proof');
  await desk.fill('[name=password]', 'not the password');
  await desk.fill('[name=code]', '000000');
  await desk.locator(SEND).first().click();
  await desk.locator('[aria-invalid]').first().waitFor();
  await look(desk, 'desk-proof-wrong');
  await desk.goto('/orders');
  assert.equal(new URL(desk.url()).pathname, '/orders', 'still on duty');
  await desk.context().close();
});
