// The identity check, end to end: a rule that is shown before payment, an outside check that refuses once
// and then approves, documents that staff looks at, and the order that goes on where it stopped.

import assert from 'node:assert/strict';

import {
  checkAccess,
  checkLayout,
  inTheDark,
  journeys,
  narrow,
  phoneEn,
  phoneZh,
  shoot,
  useDemo,
  withoutScript,
  wordsFor,
} from './harness/index.mjs';
import { openDesk } from './harness/desk.mjs';
import { decide, pay, planAddress, reach, register, review } from './harness/shopper.mjs';

const demo = useDemo();
const PLAN = 'basic-china';
const CHECK = 'main form[action$="/start"] button';
const HAND_IN = 'main form[action$="/documents"]';

/** Looks at a page with both eyes. */
async function look(page, name) {
  await checkAccess(page);
  await checkLayout(page);
  await shoot(page, name);
}

/** What the page says in its main part. */
function said(page) {
  return page.locator('main').innerText();
}

/** From the plan's page over the checkout to the page of the check; gives back the checkout's address. */
async function fromPlanToCheck(page, say) {
  await page.goto(planAddress(PLAN, { start: 'now', periods: '3' }));
  assert.match(await said(page), say('shop-identity'));
  await look(page, 'identity-plan');
  await review(page);
  const checkout = page.url();
  assert.match(await said(page), say('checkout-identity'));
  assert.equal(await page.locator('[name=method]').count(), 0, 'payment is offered before the check');
  await look(page, 'identity-checkout');
  await page.locator('main a.button[href^="/identity/"]').click();
  await page.waitForURL('**/identity/china?**');
  return checkout;
}

/** Starts the outside check and ends it with `outcome`; comes back to the page of the check. */
async function checkOutside(page, outcome) {
  await page.locator(CHECK).click();
  await page.waitForURL(`${demo.address('identity')}/check/**`);
  await checkAccess(page);
  await page.locator(`button[name=outcome][value=${outcome}]`).click();
  await page.waitForURL(`${demo.portal}/identity/china**`);
}

const readers = [phoneZh, narrow(inTheDark(phoneEn)), withoutScript(phoneEn)];

journeys('refused once, then approved, then paid', demo, readers, async (page, visitor) => {
  const say = wordsFor(visitor);
  const number = await register(page, demo);
  const checkout = await fromPlanToCheck(page, say);
  assert.match(await said(page), say('identity-state-wanted'));
  assert.match(await said(page), say('identity-kept-deleted'));
  await look(page, 'identity-wanted');

  await checkOutside(page, 'document_expired');
  await reach(page, 'danger');
  assert.match(await said(page), say('identity-refused-document-expired'));
  await look(page, 'identity-refused');
  const told = await demo.message(number, ({ text }) => text.includes('/identity'));
  assert.doesNotMatch(told.text, /Li Lei|expired|过期/, 'the message names a person or the reason');
  // The checkout still asks for it, and nothing of the choice is lost.
  await page.goto(checkout);
  assert.match(await said(page), say('checkout-identity'));
  await page.locator('main a.button[href^="/identity/"]').click();

  await checkOutside(page, 'approve');
  await reach(page, 'success');
  assert.match(await said(page), say('identity-approved'));
  await look(page, 'identity-approved');
  await page.locator('main a.button[href^="/checkout?"]').click();
  await page.waitForURL('**/checkout?**');
  assert.equal(page.url(), checkout, 'another order than the one that was begun');
  await pay(page, demo);
  await decide(page, demo, 'success');
  await reach(page, 'success');
  await page.goto('/line');
  assert.match(await said(page), /10\s*GB/);

  // The plan's page asks no more.
  await page.goto(planAddress(PLAN, { line: 'new' }));
  assert.doesNotMatch(await said(page), say('shop-identity'));
  await page.goto('/identity');
  assert.match(await said(page), say('identity-state-approved'));
  await look(page, 'identity-list');
});

const staffed = [phoneZh, withoutScript(phoneEn)];

journeys('documents go to staff, who refuse and approve', demo, staffed, async (page, visitor) => {
  const say = wordsFor(visitor);
  const number = await register(page, demo);
  const checkout = await fromPlanToCheck(page, say);
  const picture = await page.screenshot({ type: 'jpeg', quality: 60 });
  const files = (buffer) => ({ name: 'passport of Li Lei.jpg', mimeType: 'image/jpeg', buffer });
  const handIn = async (file) => {
    await page.locator('#f-document').setInputFiles(file);
    await page.locator(`${HAND_IN} button`).click();
    await page.waitForLoadState();
  };
  // What only claims to be a picture is not taken.
  await handIn(files(Buffer.from('MZ this is a program')));
  assert.match(await page.locator('#e-document').innerText(), say('identity-format'));
  await look(page, 'identity-format');
  await handIn(files(picture));
  assert.match(await said(page), say('identity-staff-waits'));
  assert.match(await said(page), say('identity-kept-until'));
  await look(page, 'identity-staff');

  const desk = await openDesk(demo, visitor.options);
  for (const [verdict, tone] of [
    ['unreadable', 'danger'],
    ['approved', 'success'],
  ]) {
    await desk.goto('/identity');
    await checkAccess(desk);
    await shoot(desk, 'identity-desk');
    const opened = await desk.request.get(await desk.locator('main a[href*="/documents/"]').first().getAttribute('href'));
    assert.equal(opened.headers()['cache-control'], 'no-store');
    assert.equal(opened.headers()['content-type'], 'image/jpeg');
    assert.ok((await opened.body()).equals(picture), 'another picture than the one handed in');
    await desk.selectOption('main select[name=verdict]', verdict);
    await desk.locator('main form.filters button').click();
    await desk.waitForLoadState();
    assert.equal(await desk.locator('main select[name=verdict]').count(), 0, 'it waits still');
    await demo.message(number, ({ text }) => text.includes('/identity'));
    await page.goto('/identity/china');
    await reach(page, tone);
    if (tone === 'danger') {
      assert.match(await said(page), say('identity-refused-unreadable'));
      await handIn(files(picture));
    }
  }
  await desk.goto('/audit');
  const log = await desk.locator('main').innerText();
  assert.match(log, say('desk-did-identity-decided'));
  await desk.context().close();

  // By the link of the message, days later, in another window: the order is still there.
  await page.goto('/identity');
  await page.locator('main .list a').first().click();
  await page.locator('main a.button[href^="/checkout?"]').click();
  assert.equal(page.url(), checkout);
  await pay(page, demo);
  await decide(page, demo, 'success');
  await reach(page, 'success');
});

const hasty = [phoneEn];

journeys('a check that never answers can be left for documents', demo, hasty, async (page, visitor) => {
  const say = wordsFor(visitor);
  await register(page, demo);
  await page.goto('/identity/china');
  await checkOutside(page, 'no-answer');
  assert.match(await said(page), say('identity-outside-waits'));
  await look(page, 'identity-outside');
  assert.equal(await page.locator(HAND_IN).count(), 0, 'a page that looks again would lose the files');
  await page.locator('main a[href*="way=documents"]').click();
  assert.equal(await page.locator('[data-reload]').count(), 0);
  await page.locator(`${HAND_IN} button`).waitFor();
  await checkOutside(page, 'unannounced');
  assert.match(await said(page), say('identity-outside-waits'), 'coming back decides nothing');
  // No notification comes: the portal asks by itself.
  await reach(page, 'success', 200);
  await page.goto('/identity/europe');
  assert.match(await said(page), say('identity-not-needed'));
  await look(page, 'identity-not-needed');
  const unknown = await page.goto('/identity/atlantis');
  assert.equal(unknown.status(), 404);
});

journeys('nobody in particular is sent to log in', demo, hasty, async (page) => {
  await page.goto('/identity/china');
  assert.match(page.url(), /\/login\?next=(\/|%2F)identity\1china$/);
  const forged = await page.request.post(`${demo.portal}/notify/identity/sandbox`, {
    data: { event_id: 'evt_1', check: { account: 'simurgh-demo', reference: 'chk_1', status: 'approved' } },
  });
  assert.equal(forged.status(), 401);
});
