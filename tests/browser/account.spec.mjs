// The way in and the account: a forgotten password, a second factor, another address, another language,
// devices, a copy of the data, refusals that explain themselves, and the end of it all.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

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
import { oneTimeCode } from './harness/desk.mjs';
import { PASSWORD, SEND, logIn, register } from './harness/shopper.mjs';

const demo = useDemo();
const readers = [narrow(phoneZh), narrow(inTheDark(phoneEn)), narrow(withoutScript(phoneEn))];

const APP_STEP_MS = 30_000;
const MARKETING = '[name=marketing]';

/** The demo's customers with a past: whoever reads these addresses has an account. */
const HOLDERS = {
  [readers[0].name]: '+8613800138000',
  [readers[1].name]: 'anna@example.com',
  [readers[2].name]: '+447400123456',
};

let people = 0;
const mailbox = () => `reader${(people += 1)}@example.com`;

/** Looks at a page with both eyes. */
async function look(page, name) {
  await checkAccess(page);
  await checkLayout(page);
  await shoot(page, `account-${name}`);
}

const said = (page) => page.locator('main').innerText();
const at = (page, path) => page.waitForURL((url) => url.pathname === path);
const send = (page) => page.locator(SEND).first().click();

/** Sends the form whose field `name` is filled with `value`. */
async function answer(page, name, value) {
  await page.fill(`[name=${name}]`, value);
  await send(page);
}

/** What just happened, told at the top of the page. */
async function told(page, say, key) {
  assert.match(await page.locator('main .flash').innerText(), say(key));
}

/** The refusal of a field, linked from the summary and beside the field. */
async function refused(page, say, field, key) {
  const summary = page.locator(`main .notice.danger a[href="#f-${field}"]`);
  assert.match(await summary.innerText(), say(key));
  assert.equal(await page.locator(`#f-${field}`).getAttribute('aria-invalid'), 'true');
}

async function logOut(page) {
  await page.goto('/account');
  await page.locator('main form[action="/logout"] button').click();
  await at(page, '/');
}

/** Another browser of the same person. */
async function elsewhere(visitor, walk) {
  const context = await demo.browser.newContext({ ...visitor.options, baseURL: demo.portal });
  try {
    await walk(await context.newPage());
  } finally {
    await context.close();
  }
}

journeys('a forgotten password', demo, readers, async (page, visitor) => {
  const say = wordsFor(visitor);
  const holder = HOLDERS[visitor.name];
  await page.goto('/login');
  await look(page, 'login');
  await page.locator('a[href="/recover"]').click();
  await at(page, '/recover');
  await answer(page, 'who', 'nobody');
  await refused(page, say, 'who', 'entry-who-no-user-name');
  await look(page, 'recover-refused');
  await answer(page, 'who', holder);
  await at(page, '/recover/code');
  await look(page, 'recover-code');
  await answer(page, 'code', '12 34');
  await refused(page, say, 'code', 'entry-code-form');
  const code = await demo.code(holder);
  await answer(page, 'code', code === '000000' ? '000001' : '000000');
  await refused(page, say, 'code', 'entry-code-wrong');
  await look(page, 'recover-code-refused');
  await answer(page, 'code', code);
  await at(page, '/recover/password');
  await look(page, 'recover-password');
  await answer(page, 'password', 'password');
  await refused(page, say, 'password', 'entry-password-common');
  assert.equal(await page.inputValue('[name=password]'), '', 'a password never comes back');
  await answer(page, 'password', PASSWORD);
  await at(page, '/line');
  await told(page, say, 'done-password-recovered');
  await page.reload();
  assert.equal(await page.locator('main .flash').count(), 0, 'it is told once');
  await logOut(page);
  await logIn(page, holder, PASSWORD);
});

journeys('a mailbox, confirmed later and then changed', demo, readers, async (page, visitor) => {
  const say = wordsFor(visitor);
  const [first, second] = [mailbox(), mailbox()];
  await page.goto('/register');
  assert.equal(await page.locator(MARKETING).isChecked(), false);
  await look(page, 'register');
  await page.fill('[name=phone_country]', '+86');
  await page.fill('[name=phone]', '010 6552 9988');
  await page.fill('[name=name]', 'Li Lei');
  await page.fill('[name=email]', 'li@nowhere');
  await answer(page, 'password', PASSWORD);
  await refused(page, say, 'phone', 'entry-phone-not-mobile');
  assert.equal(await page.inputValue('[name=name]'), 'Li Lei', 'what was typed stays');
  await look(page, 'register-refused');
  const local = `1370013${String(9000 + people)}`;
  await page.fill('[name=phone]', local);
  await page.fill('[name=email]', first);
  await answer(page, 'password', PASSWORD);
  await at(page, '/register/confirm');
  await look(page, 'register-code');
  await answer(page, 'code', await demo.code(`+86${local}`));
  await at(page, '/register/email');
  await look(page, 'register-email');
  await page.locator('main a.button[href="/line"]').click();
  await at(page, '/line');

  await page.goto('/account');
  assert.match(await said(page), say('account-email-unconfirmed'));
  await look(page, 'unconfirmed');
  await page.locator('main form[action="/account/email/send"] button').click();
  await page.waitForLoadState();
  // A minute has to pass between two codes: the one of the registration is still good.
  assert.match(await said(page), say('entry-too-often'));
  await page.goto('/register/email');
  await answer(page, 'code', await demo.code(first));
  await at(page, '/line');
  await told(page, say, 'done-email-confirmed');

  await page.goto('/account');
  await page.locator('main a[href="/account/email"]').click();
  await at(page, '/account/email');
  await look(page, 'email');
  await answer(page, 'email', first);
  await refused(page, say, 'email', 'account-contact-same');
  await answer(page, 'email', second);
  await at(page, '/account/email/code');
  await look(page, 'email-code');
  await answer(page, 'code', await demo.code(second));
  await at(page, '/account');
  await told(page, say, 'done-email-changed');
  assert.ok((await said(page)).includes(second));
  await demo.message(first);
  await look(page, 'overview');
  await logOut(page);
  await logIn(page, second, PASSWORD);
});

journeys('a second factor', demo, readers, async (page, visitor) => {
  const say = wordsFor(visitor);
  const number = await register(page, demo);
  await page.goto('/account/two-step');
  await look(page, 'two-step');
  await send(page);
  await at(page, '/account/two-step/set-up');
  const secret = (await page.locator('#secret').innerText()).replaceAll(' ', '');
  assert.ok(await page.locator('svg.qr').isVisible());
  await look(page, 'two-step-set-up');
  await answer(page, 'code', '000000');
  await refused(page, say, 'code', 'account-two-step-wrong');
  assert.equal((await page.locator('#secret').innerText()).replaceAll(' ', ''), secret);
  await answer(page, 'code', oneTimeCode(secret, Date.now()));
  const codes = (await page.locator('#codes').innerText()).trim().split(/\s+/);
  assert.equal(codes.length, 10);
  await look(page, 'recovery-codes');
  await page.locator('main a.button[href="/account/two-step"]').click();
  await at(page, '/account/two-step');
  await look(page, 'two-step-on');

  await logOut(page);
  await logIn(page, number, PASSWORD, '/login/second');
  await look(page, 'second');
  await answer(page, 'code', '000000');
  await refused(page, say, 'code', 'entry-second-wrong');
  // No code is good twice: the next one is taken a little before its time.
  await answer(page, 'code', oneTimeCode(secret, Date.now() + APP_STEP_MS));
  await at(page, '/line');

  await logOut(page);
  await logIn(page, number, PASSWORD, '/login/second');
  await page.locator('main a[href$="with=recovery"]').click();
  await page.waitForURL('**/login/second?with=recovery');
  await look(page, 'second-recovery');
  await answer(page, 'code', codes[0].toLowerCase());
  await at(page, '/line');
  await page.goto('/account/proof?next=/account/two-step/off');
  await look(page, 'proof-second');
  await answer(page, 'code', codes[1]);
  await at(page, '/account/two-step/off');
  await look(page, 'two-step-off');
  await send(page);
  await at(page, '/account/two-step');
  await told(page, say, 'done-second-factor-off');
});

journeys('settings', demo, readers, async (page, visitor) => {
  const say = wordsFor(visitor);
  const number = await register(page, demo);
  await page.goto('/account/name');
  await look(page, 'name');
  await answer(page, 'name', 'Wei <b>');
  await refused(page, say, 'name', 'entry-name-link');
  await answer(page, 'name', '王小明');
  await at(page, '/account');
  await told(page, say, 'done-name-changed');
  assert.match(await said(page), /王小明/);

  await page.goto('/account/user-name');
  await look(page, 'user-name');
  await answer(page, 'user_name', 'Admin');
  await refused(page, say, 'user_name', 'account-user-name-reserved');
  const name = `wang.${number.slice(-4)}`;
  await answer(page, 'user_name', name);
  await at(page, '/account');

  await page.goto('/account/time-zone');
  await look(page, 'time-zone');
  await page.selectOption('[name=time_zone]', 'Asia/Tokyo');
  await send(page);
  await at(page, '/account');
  await told(page, say, 'done-time-zone-changed');

  await page.goto('/account/marketing');
  assert.equal(await page.locator(MARKETING).isChecked(), false);
  await look(page, 'marketing');
  await page.check(MARKETING);
  await send(page);
  await told(page, say, 'done-marketing-on');

  await page.goto('/account/password');
  await look(page, 'password');
  await page.fill('[name=current]', 'not this one');
  await answer(page, 'password', 'another long phrase');
  await refused(page, say, 'current', 'account-current-wrong');
  await page.fill('[name=current]', PASSWORD);
  await answer(page, 'password', 'another long phrase');
  await at(page, '/account');
  await told(page, say, 'done-password-changed');
  await logOut(page);
  await logIn(page, name, 'another long phrase');
});

journeys('another language', demo, readers, async (page, visitor) => {
  const other = visitor.options.locale.startsWith('zh') ? 'en' : 'zh-CN';
  await register(page, demo);
  await page.goto('/account/language');
  await look(page, 'language');
  await page.check(`[name=language][value=${other}]`);
  await send(page);
  await at(page, '/account');
  assert.equal(await page.locator('html').getAttribute('lang'), other);
  const say = wordsFor({ options: { locale: other } });
  await told(page, say, 'done-language-changed');
  await page.goto('/line');
  assert.equal(await page.locator('html').getAttribute('lang'), other);
});

journeys('devices', demo, readers, async (page, visitor) => {
  const say = wordsFor(visitor);
  const number = await register(page, demo);
  await elsewhere(visitor, async (second) => {
    await elsewhere(visitor, async (third) => {
      await logIn(second, number, PASSWORD);
      await logIn(third, number, PASSWORD);
      await page.goto('/account/devices');
      await look(page, 'devices');
      assert.equal(await page.locator('main .device').count(), 3);
      const end = 'main .device form button';
      assert.equal(await page.locator(end).count(), 2, 'this device is ended by logging out');
      await page.locator(end).first().click();
      await page.waitForLoadState();
      await told(page, say, 'done-device-ended');
      await page.locator('main form[action$="/end-others"] button').click();
      await page.waitForLoadState();
      await told(page, say, 'done-devices-ended');
      assert.equal(await page.locator('main .device').count(), 1);
      for (const ended of [second, third]) {
        await ended.goto('/bills');
        await at(ended, '/login');
        assert.equal(new URL(ended.url()).searchParams.get('next'), '/bills');
      }
    });
  });
});

journeys('refusals explain themselves', demo, readers, async (page, visitor) => {
  const say = wordsFor(visitor);
  const nobody = `1360013${String(8000 + readers.indexOf(visitor))}`;
  await page.goto('/login?next=/orders');
  await page.fill('[name=who]', `+86${nobody}`);
  await answer(page, 'password', 'a guess');
  await refused(page, say, 'who', 'entry-wrong');
  assert.equal(await page.inputValue('[name=who]'), `+86${nobody}`);
  await look(page, 'login-refused');
  for (let tries = 0; tries < 5; tries += 1) {
    await answer(page, 'password', 'a guess');
    await page.waitForLoadState();
  }
  await refused(page, say, 'who', 'entry-locked');
  assert.match(await said(page), /\d\d:\d\d/, 'a time of day');
  await look(page, 'login-locked');
  // What was typed goes along to the other way in.
  await page.locator('button[formaction="/login/send-code"]').click();
  await at(page, '/login/code');
  await look(page, 'login-code');
  const again = page.locator('#f-again');
  if (visitor.options.javaScriptEnabled === false) {
    await again.click();
    await page.waitForLoadState();
    assert.match(await said(page), say('entry-too-often'));
    await look(page, 'login-code-again');
  } else {
    assert.ok(await again.isDisabled(), 'another code has to wait');
  }
  await page.goto('/register/confirm');
  await at(page, '/register');
  await told(page, say, 'done-start-over');
});

journeys('a copy of the data, and the end', demo, readers, async (page, visitor) => {
  const say = wordsFor(visitor);
  const number = await register(page, demo);
  await page.goto('/account/proof?next=/account/export');
  await look(page, 'proof');
  await answer(page, 'password', 'not this one');
  await refused(page, say, 'password', 'account-current-wrong');
  await answer(page, 'password', PASSWORD);
  await at(page, '/account/export');
  await look(page, 'export');
  const [download] = await Promise.all([page.waitForEvent('download'), send(page)]);
  const data = JSON.parse(await readFile(await download.path(), 'utf8'));
  assert.equal(data.person.phone, number);
  assert.equal(data.person.name, 'Li Lei');

  await page.goto('/account/close');
  await look(page, 'close');
  await answer(page, 'word', 'no');
  await refused(page, say, 'word', 'account-close-type');
  await look(page, 'close-refused');
  const word = visitor.options.locale.startsWith('zh') ? '注销' : 'close';
  await answer(page, 'word', word);
  await at(page, '/');
  await told(page, say, 'done-account-closed');
  await page.goto('/account');
  await at(page, '/login');
  await page.fill('[name=who]', number);
  await answer(page, 'password', PASSWORD);
  await refused(page, say, 'who', 'entry-wrong');
});
