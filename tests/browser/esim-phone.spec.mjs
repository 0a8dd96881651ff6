// The demo's phones by themselves: what they show, and what they say when something does not work.

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
} from './harness/index.mjs';
import { addCode, airplane, awaitEnd, phoneAddress, words } from './harness/handset.mjs';

const demo = useDemo();
const readers = [phoneZh, narrow(inTheDark(phoneEn)), withoutScript(phoneEn)];

async function look(page, name) {
  await checkAccess(page);
  await checkLayout(page);
  await shoot(page, name);
}

journeys('phones are picked up and bought', demo, readers, async (page, visitor) => {
  const say = words(visitor);
  await page.goto(demo.address('phone'));
  assert.equal(await page.locator('article').count() >= 2, true, 'an old and a new phone');
  await look(page, 'handset-shelf');
  await page.locator('#old a').click();
  assert.match(await page.locator('#about').innerText(), /EID\s+89049032\d{24}/);
  assert.match(await page.locator('#status').innerText(), say.noService);
  await look(page, 'handset-empty');
  await page.locator('.bar a[lang]').click();
  await page.waitForURL('**lang=**');
  await page.goto(demo.address('phone'));
  await page.fill('[name=value]', '<i>Tablet');
  await page.locator('form button').click();
  await page.waitForURL('**/phones/phone-*');
  assert.equal(await page.locator('h1').innerText(), '<i>Tablet');
});

journeys('what is no code, or no code of this operator, is refused with a reason', demo, readers, async (page, visitor) => {
  const say = words(visitor);
  await page.goto(`${phoneAddress(demo, 'old')}/add`);
  await look(page, 'handset-add');
  await page.fill('[name=code]', 'https://example.com/esim');
  await page.locator('form[action$="/download"] button').click();
  await page.locator('[aria-invalid]').waitFor();
  await look(page, 'handset-no-code');

  const server = new URL(demo.address('esim')).host;
  await addCode(page, demo, 'old', `LPA:1$${server}$NOBODY-KNOWS-THIS`);
  await awaitEnd(page);
  assert.match(await page.locator('.trouble').innerText(), say.codeRefused);
  assert.match(await page.locator('.trouble details').innerHTML(), /8\.2\.6\/3\.8/);
  await look(page, 'handset-refused');

  await page.goto(`${phoneAddress(demo, 'old')}/add`);
  await page.locator('form[action$="/find"] button').click();
  await awaitEnd(page);
  await page.locator('.trouble').waitFor();
});

journeys('in airplane mode nothing comes', demo, [phoneZh, withoutScript(phoneEn)], async (page, visitor) => {
  const say = words(visitor);
  await airplane(page, demo, 'new', 'on');
  assert.match(await page.locator('#status').innerText(), say.airplane);
  await addCode(page, demo, 'new', 'LPA:1$smdp.example.com$TOKEN');
  await awaitEnd(page);
  assert.match(await page.locator('.trouble').innerText(), say.unreachable);
  await look(page, 'handset-airplane');
  await airplane(page, demo, 'new', 'off');
  assert.match(await page.locator('#status').innerText(), say.noService);
});

journeys('a scanned code asks which phone shall take it', demo, [phoneZh, phoneEn], async (page) => {
  const code = 'LPA:1$smdp.example.com$TOKEN-1';
  await page.goto(`${demo.address('phone')}/scan?code=${encodeURIComponent(code)}`);
  await look(page, 'handset-scan');
  await page.locator('#new a').click();
  assert.equal(await page.inputValue('[name=code]'), code);
});
