// What people do with the demo's phones.

import assert from 'node:assert/strict';

const WORDS = {
  zh: {
    noService: /无服务/,
    airplane: /飞行模式/,
    codeRefused: /激活码无效或已经用过/,
    otherPhone: /属于另一部手机/,
    wrongConfirmation: /确认码不对/,
    codeTriesOver: /确认码错误次数过多/,
    unreachable: /连接不上服务器/,
    broken: /传输中断|连接不上服务器/,
    none: /还没有 eSIM/,
    on: /使用中/,
  },
  en: {
    noService: /No service/,
    airplane: /Airplane mode/,
    codeRefused: /not valid or was used already/,
    otherPhone: /belongs to another phone/,
    wrongConfirmation: /confirmation code is wrong/,
    codeTriesOver: /wrong too often/,
    unreachable: /server cannot be reached/,
    broken: /transfer broke off|server cannot be reached/,
    none: /No eSIM yet/,
    on: /\bOn\b/,
  },
};

/** What the phones say in a visitor's language, as patterns. */
export function words(visitor) {
  return visitor.options.locale.startsWith('zh') ? WORDS.zh : WORDS.en;
}

/** The address of a phone: `old`, `new`. */
export function phoneAddress(demo, id) {
  return `${demo.address('phone')}/phones/${id}`;
}

/** Types a code into a phone and begins the download. */
export async function addCode(page, demo, id, code) {
  await page.goto(`${phoneAddress(demo, id)}/add`);
  await page.fill('[name=code]', code);
  await begin(page);
}

/** Sends the form of the page on which a code is filled in. */
export async function begin(page) {
  await page.locator('form[action$="/download"] button').click();
  await page.waitForURL('**/download?**');
}

/** Waits until a download is over or asks something. */
export async function awaitEnd(page) {
  // Without script the page looks again by itself.
  await page.locator('main:not(:has([data-follow]))').waitFor({ timeout: 20_000 });
}

/** Says yes to what the phone offers; gives back what the phone says in the end. */
export async function accept(page, confirmationCode) {
  await awaitEnd(page);
  if (confirmationCode !== undefined) {
    await page.fill('[name=confirmation_code]', confirmationCode);
  }
  await page.locator('form[action$="/answer"] button[value=yes]').click();
  await page.locator('main:not(:has([data-follow])):not(:has([action$="/answer"]))').waitFor({ timeout: 20_000 });
  return page.locator('main').innerText();
}

/** Turns airplane mode on or off. */
export async function airplane(page, demo, id, value) {
  await page.goto(phoneAddress(demo, id));
  await page.locator(`form[action$="/airplane"] button[value=${value}]`).click();
  await page.locator(`form[action$="/airplane"] button:not([value=${value}])`).waitFor();
}

/** Lets the next transfer of a phone break. */
export async function breakAt(page, demo, id, place) {
  await page.goto(phoneAddress(demo, id));
  await page.selectOption('form[action$="/break"] select', place);
  await page.locator('form[action$="/break"] button').click();
  await page.waitForLoadState();
}

/** From the end of a download: switches the eSIM on. */
export async function switchOn(page) {
  await page.locator('form[action$="/enable"] button').click();
  await page.locator('article.esim.on').waitFor();
}

/** Deletes the only eSIM of a phone. */
export async function deleteEsim(page, demo, id) {
  await page.goto(phoneAddress(demo, id));
  assert.equal(await page.locator('article.esim').count(), 1);
  await page.locator('article.esim summary').click();
  await page.locator('form[action$="/delete"] button').click();
  await page.waitForLoadState();
  assert.equal(await page.locator('article.esim').count(), 0);
}
