// Step 7 on the demo's phones: the eSIM of a new line is scanned, installed and used; it is refused to a second
// phone, breaks off and comes again, is deleted and issued anew, and moves to a new phone.

import assert from 'node:assert/strict';

import {
  checkAccess,
  checkLayout,
  inTheDark,
  journeys,
  phoneEn,
  phoneZh,
  shoot,
  useDemo,
  withoutScript,
  wordsFor,
} from './harness/index.mjs';
import {
  accept,
  addCode,
  begin,
  breakAt,
  deleteEsim,
  phoneAddress,
  switchOn,
  words,
} from './harness/handset.mjs';
import { SEND, buy, register } from './harness/shopper.mjs';

const demo = useDemo();
const PLAN = 'basic-europe';

/** A phone of its own for each journey: they share a demo. */
let bought = 0;

async function newPhone(page) {
  bought += 1;
  await page.goto(demo.address('phone'));
  await page.fill('[name=value]', `Phone ${bought}`);
  await page.locator('form button').click();
  await page.waitForURL('**/phones/phone-*');
  return new URL(page.url()).pathname.split('/').pop();
}

async function look(page, name) {
  await checkAccess(page);
  await checkLayout(page);
  await shoot(page, name);
}

/** Looks at the eSIM page until it says `key`. */
async function esimSays(page, say, key) {
  for (let left = 60; left > 0; left -= 1) {
    await page.goto('/line/esim');
    if (say(key).test(await page.locator('main').innerText())) return;
    await page.waitForTimeout(200);
  }
  assert.fail(`the eSIM page does not come to "${key}":\n${await page.locator('main').innerText()}`);
}

/** Registers, buys a first plan and gives back the activation code on the page of the eSIM. */
async function codeOfNewLine(page, say) {
  await register(page, demo);
  await buy(page, demo, PLAN, { start: 'now' });
  return codeOnPage(page, say);
}

async function codeOnPage(page, say) {
  await esimSays(page, say, 'esim-ready-lead');
  return (await page.locator('#esim-code').textContent()).trim();
}

const readers = [phoneZh, inTheDark(phoneEn), withoutScript(phoneEn)];

journeys('bought, scanned, installed, in service', demo, readers, async (page, visitor) => {
  const say = wordsFor(visitor);
  const phone = words(visitor);
  const code = await codeOfNewLine(page, say);
  assert.match(code, /^LPA:1\$localhost:\d+\$[0-9A-Z-]+/);
  const id = await newPhone(page);
  // The demo's page hands the code to the demo's phones, as a scan would.
  await page.goto('/line/esim');
  await page.locator('#esim-install a[href*="/scan?code="]').click();
  await page.locator(`#${id} a`).click();
  assert.equal(await page.inputValue('[name=code]'), code);
  await begin(page);
  await page.locator('form[action$="/answer"]').waitFor({ timeout: 20_000 });
  await look(page, 'handset-offer');
  await accept(page);
  await look(page, 'handset-installed');
  await esimSays(page, say, 'esim-installed');
  await page.goto(`${phoneAddress(demo, id)}/download`);
  await switchOn(page);
  assert.match(await page.locator('article.esim .state').innerText(), phone.on);
  // The chip is the one that the line is: number and network are read from the card.
  assert.match(await page.locator('#about').innerText(), /\+4477009\d{5}[^]*IMSI\s+00101\d+/);
  await look(page, 'handset-in-service');
  await esimSays(page, say, 'esim-enabled');
});

journeys('a second phone is refused with the same code', demo, [phoneZh, phoneEn], async (page, visitor) => {
  const say = wordsFor(visitor);
  const phone = words(visitor);
  const code = await codeOfNewLine(page, say);
  const [first, second] = [await newPhone(page), await newPhone(page)];
  // The first has asked for it and not installed it yet: it is bound already.
  await addCode(page, demo, first, code);
  await page.locator('form[action$="/answer"]').waitFor({ timeout: 20_000 });
  await page.locator('button[value=later]').click();
  await page.locator('.trouble').waitFor({ timeout: 20_000 });
  await addCode(page, demo, second, code);
  await page.locator('.trouble').waitFor({ timeout: 20_000 });
  assert.match(await page.locator('.trouble').innerText(), phone.otherPhone);
  assert.match(await page.locator('.trouble details').innerHTML(), /8\.1\.1\/3\.8/);
  await look(page, 'handset-second');
  // The first one still gets it.
  await addCode(page, demo, first, code);
  await accept(page);
  await switchOn(page);
});

journeys('a transfer breaks and the same code serves again', demo, [phoneEn, withoutScript(phoneZh)], async (page, visitor) => {
  const say = wordsFor(visitor);
  const phone = words(visitor);
  const code = await codeOfNewLine(page, say);
  const id = await newPhone(page);
  for (const place of ['package', '1', '3', '8']) {
    await breakAt(page, demo, id, place);
    await addCode(page, demo, id, code);
    assert.match(await accept(page), phone.broken, place);
  }
  await look(page, 'handset-broken');
  await page.locator('form[action$="/download"] button').click();
  await page.waitForURL('**/download?**');
  await accept(page);
  await switchOn(page);
  await esimSays(page, say, 'esim-enabled');
});

/** Asks for a new eSIM from the page that offers it. */
async function issueAnew(page) {
  await page.goto('/line/esim');
  await page.locator('main a[href^="/line/esim/new"]').first().click();
  await page.locator(SEND).first().click();
  await page.waitForURL(/\/line\/esim(\?|$)/);
}

journeys('deleted on the phone and issued anew', demo, [phoneZh, phoneEn], async (page, visitor) => {
  const say = wordsFor(visitor);
  const code = await codeOfNewLine(page, say);
  const id = await newPhone(page);
  await addCode(page, demo, id, code);
  await accept(page);
  await switchOn(page);
  await deleteEsim(page, demo, id);
  await esimSays(page, say, 'esim-deleted');
  await look(page, 'esim-deleted');
  await issueAnew(page);
  const again = await codeOnPage(page, say);
  assert.notEqual(again, code);
  await addCode(page, demo, id, again);
  await accept(page);
  await switchOn(page);
  await esimSays(page, say, 'esim-enabled');
});

journeys('moved to a new phone', demo, [phoneZh, withoutScript(phoneEn)], async (page, visitor) => {
  const say = wordsFor(visitor);
  const code = await codeOfNewLine(page, say);
  const [old, fresh] = [await newPhone(page), await newPhone(page)];
  await addCode(page, demo, old, code);
  await accept(page);
  await switchOn(page);
  await esimSays(page, say, 'esim-enabled');
  await issueAnew(page);
  const moved = await codeOnPage(page, say);
  await addCode(page, demo, fresh, moved);
  await accept(page);
  await switchOn(page);
  await esimSays(page, say, 'esim-enabled');
});
