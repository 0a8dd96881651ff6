// An activation code that others may have seen: staff asks for a confirmation code, the customer reads it in the
// account and types it into the phone. A wrong one is refused, and too many end it.

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
  wordsFor,
} from './harness/index.mjs';
import { decide, openDesk } from './harness/desk.mjs';
import { accept, addCode, switchOn, words } from './harness/handset.mjs';
import { SEND, buy, register } from './harness/shopper.mjs';

const demo = useDemo();
const readers = [narrow(phoneZh), inTheDark(phoneEn)];
const TRIES = 5;

async function look(page, name) {
  await checkAccess(page);
  await checkLayout(page);
  await shoot(page, name);
}

/** A phone of its own for each journey: they share a demo. */
async function newPhone(page, name) {
  await page.goto(demo.address('phone'));
  await page.fill('[name=value]', name);
  await page.locator('form button').click();
  await page.waitForURL('**/phones/phone-*');
  return new URL(page.url()).pathname.split('/').pop();
}

/** Looks at the eSIM page until it has what `selector` finds. */
async function awaitOnEsimPage(page, selector) {
  for (let left = 60; left > 0; left -= 1) {
    await page.goto('/line/esim');
    if (await page.locator(selector).count()) return;
    await page.waitForTimeout(200);
  }
  assert.fail(`the eSIM page does not come to ${selector}:\n${await page.locator('main').innerText()}`);
}

async function textOf(page, selector) {
  return (await page.locator(selector).textContent()).trim();
}

/** Buys a line, lets staff protect its code, and gives back both codes as the customer sees them. */
async function protectedCode(page, visitor, say) {
  await register(page, demo);
  await buy(page, demo, 'basic-europe', { start: 'now' });
  await awaitOnEsimPage(page, '#esim-code');
  assert.equal(await page.locator('#esim-confirmation').count(), 0);
  const plain = await textOf(page, '#esim-code');

  const desk = await openDesk(demo, visitor.options);
  await desk.goto('/esim');
  await desk.fill('main [name=q]', plain.split('$').pop());
  await desk.locator('main form button').first().click();
  await desk.locator('main tbody a').first().click();
  await desk.waitForLoadState();
  await decide(desk, demo, 'protect', async (name) => {
    await checkAccess(desk);
    await shoot(desk, name);
  });
  assert.match(await desk.locator('main').innerText(), say('desk-did-profile-protected'));
  assert.equal(await desk.locator('main a[href$="/protect"]').count(), 0);
  const confirmation = await awaitOnEsimPage(page, '#esim-confirmation-code').then(() =>
    textOf(page, '#esim-confirmation-code'),
  );
  assert.match(confirmation, /^\d{6}$/);
  // Only the customer sees it.
  assert.ok(!(await desk.locator('body').innerText()).includes(confirmation));
  await desk.context().close();
  const code = await textOf(page, '#esim-code');
  assert.equal(code, `${plain}$$1`, 'the activation code says that another one is needed');
  return { code, confirmation, wrong: confirmation === '000000' ? '000001' : '000000' };
}

journeys('a wrong confirmation code is refused, the right one installs', demo, readers, async (page, visitor) => {
  const say = wordsFor(visitor);
  const phone = words(visitor);
  const { code, confirmation, wrong } = await protectedCode(page, visitor, say);
  await look(page, 'esim-confirmation');
  const id = await newPhone(page, `Right ${visitor.name}`);
  await addCode(page, demo, id, code);
  assert.match(await accept(page, wrong), phone.wrongConfirmation);
  assert.match(await page.locator('.trouble details').innerHTML(), /8\.2\.7\/3\.8/);
  await look(page, 'handset-confirmation-wrong');
  await awaitOnEsimPage(page, '#esim-confirmation .notice');
  assert.match(await page.locator('#esim-confirmation').innerText(), say('esim-code-wrong'));
  assert.match(await page.locator('#esim-confirmation .notice').innerText(), new RegExp(String(TRIES - 1)));
  await look(page, 'esim-confirmation-wrong');
  await addCode(page, demo, id, code);
  await accept(page, confirmation);
  await switchOn(page);
  await awaitOnEsimPage(page, '.pill.success');
  assert.match(await page.locator('main').innerText(), say('esim-enabled'));
  await look(page, 'esim-enabled');
});

journeys('too many wrong ones end it, and a new eSIM helps', demo, [phoneEn, phoneZh], async (page, visitor) => {
  const say = wordsFor(visitor);
  const phone = words(visitor);
  const { code, confirmation, wrong } = await protectedCode(page, visitor, say);
  const id = await newPhone(page, `Wrong ${visitor.name}`);
  for (let tries = 1; tries < TRIES; tries += 1) {
    await addCode(page, demo, id, code);
    assert.match(await accept(page, wrong), phone.wrongConfirmation, `try ${tries}`);
  }
  await addCode(page, demo, id, code);
  assert.match(await accept(page, wrong), phone.codeTriesOver);
  assert.match(await page.locator('.trouble details').innerHTML(), /8\.2\.7\/6\.4/);
  await look(page, 'handset-confirmation-over');
  // Now the right one is too late.
  await addCode(page, demo, id, code);
  await page.locator('.trouble').waitFor({ timeout: 20_000 });
  assert.ok(confirmation);
  await page.goto('/line/esim');
  assert.match(await page.locator('main').innerText(), say('esim-void-code'));
  await look(page, 'esim-void-code');

  await page.locator('main a[href^="/line/esim/new"]').first().click();
  await page.locator(SEND).first().click();
  await page.waitForURL(/\/line\/esim(\?|$)/);
  await awaitOnEsimPage(page, '#esim-code');
  assert.equal(await page.locator('#esim-confirmation').count(), 0);
  await addCode(page, demo, id, await textOf(page, '#esim-code'));
  await accept(page);
  await switchOn(page);
});
