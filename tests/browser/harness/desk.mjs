// The operator's console: staff log in with a password and an authenticator app.

import { createHmac } from 'node:crypto';

import { SEND } from './shopper.mjs';

const STEP_SECONDS = 30;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** What a log-in left in the browser, by demo: a code of the app is good for one log-in only. */
const sessions = new WeakMap();

/** Logs the demo's staff in, in a browser of their own; gives back a page of the console. */
export async function openDesk(demo, options) {
  const storageState = sessions.get(demo);
  const context = await demo.browser.newContext({ ...options, storageState, baseURL: demo.console });
  const page = await context.newPage();
  if (storageState === undefined) {
    const { name, password, secret } = demo.staff;
    await page.goto('/login');
    await page.fill('[name=name]', name);
    await page.fill('[name=password]', password);
    await page.fill('[name=code]', oneTimeCode(secret, Date.now()));
    await page.locator(SEND).first().click();
    await page.waitForURL((url) => url.pathname !== '/login');
    sessions.set(demo, await context.storageState());
  }
  return page;
}

/** Proves again who is on duty, if the page asks for it: a slow machine may take longer than a proof lasts. */
export async function proveAgain(desk, demo) {
  if (new URL(desk.url()).pathname !== '/proof') return;
  const { password, secret } = demo.staff;
  await desk.fill('[name=password]', password);
  // The app's next code is good already, and was not used for a log-in a moment ago.
  await desk.fill('[name=code]', oneTimeCode(secret, Date.now() + STEP_SECONDS * 1000));
  await desk.locator(SEND).first().click();
  await desk.waitForURL((url) => url.pathname !== '/proof');
  sessions.set(demo, await desk.context().storageState());
}

/** Does something with the eSIM that is shown, for a reason; `look` sees the question before. */
export async function decide(desk, demo, deed, look) {
  await desk.locator(`main a[href$="/${deed}"]`).click();
  await desk.waitForLoadState();
  await proveAgain(desk, demo);
  await look(`desk-esim-${deed}`);
  await desk.fill('[name=reason]', 'The customer asked by telephone.');
  await desk.locator(SEND).first().click();
  await desk.waitForURL(/\/esim\/[0-9A-Z]+$/);
}

/** The code of an authenticator app: TOTP (RFC 6238) of six digits, from a secret in base 32. */
export function oneTimeCode(secret, atMilliseconds) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(atMilliseconds / 1000 / STEP_SECONDS)));
  const mac = createHmac('sha1', fromBase32(secret)).update(counter).digest();
  const value = mac.readUInt32BE(mac.at(-1) & 0x0f) & 0x7fffffff;
  return String(value % 1_000_000).padStart(6, '0');
}

function fromBase32(text) {
  const bits = [...text].map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, '0')).join('');
  return Buffer.from(bits.match(/.{8}/g).map((octet) => Number.parseInt(octet, 2)));
}
