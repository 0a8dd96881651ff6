// Every page as it is looked at: it answers, in the visitor's language, fits a phone of 360 px, can be
// hit by a thumb and read by a screen reader, by day and by night. A few are photographed for docs/.

import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import {
  checkAccess,
  checkLayout,
  desktop,
  journey,
  journeys,
  narrow,
  phoneEn,
  phoneZh,
  shoot,
  useDemo,
  withoutScript,
  wordsFor,
} from './harness/index.mjs';
import { buy, logIn } from './harness/shopper.mjs';

const demo = useDemo();

/** With `SIMURGH_PICTURES=1` every page is photographed into tests/browser/out, and those for docs/. */
const PICTURES = process.env.SIMURGH_PICTURES !== undefined;

/** The pages in docs/screenshots, with how much of them is shown. */
const DOCUMENTED = { start: 740, plans: 740, builder: 740, checkout: 940, order: 900, line: 900, bill: 740, esim: 740, 'esim-new': 740 };
const PICTURE_OCTETS_MAX = 150_000;
const DOCS = new URL('../../docs/screenshots/', import.meta.url);

const OPEN = {
  start: '/',
  plans: '/plans',
  'plans-japan': '/plans?country=JP&currency=CNY',
  plan: '/plans/basic-europe?currency=CNY&periods=3',
  builder: '/builder',
  'builder-plan': '/builder/plan?zone=world&data=10000000000&voice=3600&sms=20',
  login: '/login',
  register: '/register',
  recover: '/recover',
  help: '/help',
  article: '/help/payment',
  'article-esim': '/help/esim',
  'article-phones': '/help/esim-phones',
  'article-trouble': '/help/esim-trouble',
  'article-move': '/help/esim-move',
  terms: '/legal/terms',
  offline: '/offline',
  design: '/design',
  inbox: '/inbox',
};

const OWN = {
  line: '/line',
  usage: '/line/usage',
  esim: '/line/esim',
  'esim-new': '/line/esim/new',
  renew: '/plans/{plan}?currency=CNY',
  'add-ons': '/add-ons',
  checkout: '/checkout?item=offer:{plan}&start=queue&currency=CNY',
  orders: '/orders',
  order: '/orders > main .list a',
  'give-back': '/orders > main .list a > a[href$=give-back]',
  bills: '/bills',
  bill: '/bills > main .list a',
  methods: '/methods',
  'method-remove': '/methods > main a[href$=remove]',
  renewal: '/renewal',
  account: '/account',
  support: '/support',
};

/** The demo's customers with a past, one for each language. */
const CUSTOMERS = {
  'zh-CN': { phone: '+8613800138000', plan: 'premium-asia-pacific' },
  'en-GB': { phone: '+447400123456', plan: 'basic-europe' },
};
const DEMO_PASSWORD = 'demo only, no secret';

for (const visitor of [narrow(phoneZh), narrow(phoneEn)]) {
  journey('the open pages', demo, visitor, async (page, _visitor, t) => {
    for (const [name, path] of Object.entries(OPEN)) {
      await t.test(path, () => look(page, visitor, name, path));
    }
  });
  journey("a customer's pages", demo, visitor, async (page, _visitor, t) => {
    const { phone, plan } = CUSTOMERS[visitor.options.locale];
    await logIn(page, phone, DEMO_PASSWORD);
    // Their plans are in use; one that waits its turn may still be given back.
    await buy(page, demo, plan, { start: 'queue' });
    for (const [name, path] of Object.entries(OWN)) {
      await t.test(path, () => look(page, visitor, name, path.replace('{plan}', plan)));
    }
  });
}

/** Goes to `path` (after a >, the links to press there) and looks at it by day and by night. */
async function look(page, visitor, name, path) {
  const [address, ...links] = path.split(' > ');
  const answer = await page.goto(address);
  assert.equal(answer.status(), 200);
  for (const link of links) {
    await page.locator(link).first().click();
    await page.waitForLoadState();
  }
  assert.equal(await page.locator('html').getAttribute('lang'), language(visitor));
  assert.ok(await page.locator('h1').first().isVisible());
  await checkLayout(page);
  await checkAccess(page);
  if (PICTURES) await shoot(page, name);
  if (PICTURES && DOCUMENTED[name]) await document(page, visitor, name);
  // By night only the colours are others.
  await page.emulateMedia({ colorScheme: 'dark' });
  await checkAccess(page, ['color-contrast']);
  if (PICTURES) await shoot(page, `${name}-dark`);
  await page.emulateMedia({ colorScheme: 'light' });
}

/** Takes a page, down to where it tells enough, as `docs/screenshots/NAME-LANGUAGE.png`. */
async function document(page, visitor, name) {
  const tag = language(visitor);
  const screen = page.viewportSize();
  await page.setViewportSize({ ...screen, height: DOCUMENTED[name] });
  const file = fileURLToPath(new URL(`${name}-${tag}.png`, DOCS));
  await page.screenshot({ path: file, animations: 'disabled', caret: 'hide' });
  await page.setViewportSize(screen);
  const { size } = await stat(file);
  assert.ok(size < PICTURE_OCTETS_MAX, `${file} has ${size} octets`);
}

/** The tag of the visitor's language, as in the names of the locales. */
const language = (visitor) => (visitor.options.locale.startsWith('zh') ? 'zh-CN' : 'en');

const others = [desktop, withoutScript(phoneZh)];
journeys('on a desk and without script', demo, others, async (page, visitor) => {
  for (const [name, path] of Object.entries({ start: '/', plans: '/plans', builder: '/builder' })) {
    assert.equal((await page.goto(path)).status(), 200);
    const widest = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(widest <= visitor.options.viewport.width, `${path} is ${widest} px wide`);
    await checkAccess(page);
    if (PICTURES) await shoot(page, name);
  }
});

const WEIGHT_OCTETS_MAX = 60_000;

test('the start page is light', async () => {
  const context = await demo.browser.newContext({ ...phoneZh.options, serviceWorkers: 'block' });
  const page = await context.newPage();
  const finished = [];
  page.on('requestfinished', (request) => finished.push(request.sizes()));
  await page.goto(demo.portal, { waitUntil: 'networkidle' });
  const sizes = await Promise.all(finished);
  await context.close();
  const octets = sizes.reduce((sum, one) => sum + one.responseBodySize + one.responseHeadersSize, 0);
  assert.ok(octets < WEIGHT_OCTETS_MAX, `${octets} octets in ${sizes.length} answers`);
});

journeys('what is not there says so', demo, [phoneZh, phoneEn], async (page, visitor) => {
  const say = wordsFor(visitor);
  for (const path of ['/nowhere', '/plans/no-such-plan', '/help/no-such-article']) {
    assert.equal((await page.goto(path)).status(), 404);
    assert.match(await page.locator('h1').innerText(), say('error-not-found'));
    await checkAccess(page);
  }
  await page.locator('main a').first().click();
  await page.waitForLoadState();
  assert.ok(await page.locator('h1').first().isVisible());
});
