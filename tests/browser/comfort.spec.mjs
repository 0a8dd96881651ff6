// What makes the portal easy to live with: the other language keeps the page, the last balance is there
// without a network, the help finds and its links lead somewhere, and mistakes explain themselves.

import assert from 'node:assert/strict';

import { checkAccess, journeys, phoneEn, phoneZh, textsOf, useDemo, wordsFor } from './harness/index.mjs';
import { logIn, SEND } from './harness/shopper.mjs';

const demo = useDemo();
const readers = [phoneZh, phoneEn];
const CUSTOMERS = { 'zh-CN': '+8613800138000', 'en-GB': '+447400123456' };
const DEMO_PASSWORD = 'demo only, no secret';

const main = (page) => page.locator('main').innerText();
const language = async (page) => (await page.locator('html').getAttribute('lang')).slice(0, 2);

/** The address without what switches the language. */
function place(page) {
  const url = new URL(page.url());
  url.searchParams.delete('lang');
  return `${url.pathname}?${url.searchParams}`;
}

journeys('the other language keeps the page', demo, readers, async (page, visitor) => {
  const own = visitor.options.locale.slice(0, 2);
  const other = own === 'zh' ? 'en' : 'zh';
  const walk = async (address) => {
    await page.goto(address);
    const before = place(page);
    const first = await language(page);
    await page.locator('a.language').click();
    // Between two pages there is a document without a root.
    await page.waitForFunction((was) => {
      const root = document.documentElement;
      return root !== null && root.lang !== '' && !root.lang.startsWith(was);
    }, first);
    assert.equal(place(page), before);
  };
  for (const address of [
    '/?currency=EUR',
    '/plans?country=JP',
    '/plans/premium-europe?periods=3&start=now&currency=EUR&code=welcome20',
    '/builder?zone=world&data=10000000000&voice=0&sms=20&periods=3',
    '/help/payment',
    '/help?q=4G',
  ]) {
    await walk(address);
  }
  assert.equal(await language(page), own);
  await page.locator('a.language').click();
  await page.goto('/plans');
  assert.equal(await language(page), other, 'the choice holds on the next page');
  await page.locator('a.language').click();
  await logIn(page, CUSTOMERS[visitor.options.locale], DEMO_PASSWORD);
  for (const address of ['/line', '/orders', '/checkout?item=add-on:extra-1gb&currency=CNY']) {
    await walk(address);
  }
});

journeys('the last balance is there without a network', demo, readers, async (page, visitor) => {
  const say = wordsFor(visitor);
  await logIn(page, CUSTOMERS[visitor.options.locale], DEMO_PASSWORD);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await page.goto('/line');
  const left = await page.locator('#balance-octets .figure').innerText();
  const asOf = say('line-as-of').exec(await main(page))[0];
  await page.waitForFunction(async () => Boolean(await caches.match('/line')));
  await page.waitForFunction(
    async (lang) => (await (await caches.match('/offline')).text()).includes(`<html lang="${lang}"`),
    await page.locator('html').getAttribute('lang'),
  );
  await page.context().setOffline(true);
  await page.goto('/line');
  assert.equal(await page.locator('#balance-octets .figure').innerText(), left);
  assert.ok((await main(page)).includes(asOf));
  assert.ok(await page.locator('[data-offline]').isVisible());
  assert.match(await main(page), say('frame-offline'));
  await page.goto('/plans');
  assert.match(await main(page), say('offline-title'));
  // With the network the page comes back by itself; another one is opened, not to get in its way. After
  // the log-out nothing of the account is left: the browser may not even know the portal's own page.
  await page.context().setOffline(false);
  const later = await page.context().newPage();
  await later.goto('/line');
  await later.locator('footer form[action="/logout"] button').click();
  await later.waitForURL('**/');
  await page.context().setOffline(true);
  await later.goto('/line').catch(() => {});
  assert.equal(await later.locator('#balance-octets').count(), 0);
  await page.context().setOffline(false);
});

/** What people type, and the article that answers it. */
const QUESTIONS = {
  'zh-CN': { 付款失败: 'payment', 账单: 'bills', 登录: 'login', 'eSIM 安装': 'esim', 省钱: 'saving', 没有网络: 'no-data' },
  'en-GB': {
    'payment failed': 'payment',
    invoice: 'bills',
    'cannot log in': 'login',
    'install esim': 'esim',
    'save money': 'saving',
    'no internet': 'no-data',
  },
};

journeys('the help finds, and every link leads somewhere', demo, readers, async (page, visitor) => {
  const say = wordsFor(visitor);
  for (const [question, article] of Object.entries(QUESTIONS[visitor.options.locale])) {
    await page.goto('/help');
    await page.fill('[name=q]', question);
    await page.press('[name=q]', 'Enter');
    await page.waitForURL('**/help?q=**');
    const found = await page.locator('main .list a').evaluateAll((links) => links.map((link) => link.pathname));
    assert.ok(found.slice(0, 3).includes(`/help/${article}`), `"${question}" finds ${found}`);
  }
  await checkAccess(page);
  await page.goto('/help?q=qqqq');
  assert.match(await main(page), say('help-nothing-next'));
  await checkAccess(page);

  await page.goto('/help');
  const articles = await links(page, 'main .list a, footer a');
  const seen = new Set();
  for (const article of articles) {
    await page.goto(article);
    for (const link of [article, ...(await links(page, 'main a'))]) seen.add(link);
    if (article.includes('/help/')) await checkAccess(page);
  }
  for (const link of seen) {
    const answer = await page.context().request.get(link);
    assert.ok(answer.ok(), `${link} answers ${answer.status()}`);
  }
});

/** Where the links that match lead within the portal, without what follows a #. */
async function links(page, selector) {
  const all = await page.locator(selector).evaluateAll((found) => found.map((link) => link.href));
  return [...new Set(all.filter((link) => link.startsWith(demo.portal)).map((link) => link.split('#')[0]))];
}

journeys('mistakes explain themselves', demo, readers, async (page, visitor) => {
  const say = wordsFor(visitor);
  // An address that was mangled on its way.
  for (const path of ['/plans/basic-europe?periods=many', '/checkout?item=nonsense', '/builder?data=-5']) {
    const answer = await page.goto(path);
    assert.ok([302, 400].includes(answer.status()), `${path} answered ${answer.status()}`);
    assert.match(await page.locator('h1').innerText(), say('error-bad-request'));
  }
  await checkAccess(page);
  // Somebody else's order.
  await logIn(page, CUSTOMERS[visitor.options.locale], DEMO_PASSWORD);
  assert.equal((await page.goto('/orders/01M60FGTS9FBCVET8P3A3TMMHY')).status(), 404);
  assert.match(await page.locator('h1').innerText(), say('error-not-found'));
  // A form of a page that was open for too long.
  await page.goto('/checkout?item=add-on:extra-1gb&currency=CNY');
  await page.locator('[name=csrf]').first().evaluate((field) => {
    field.value = 'stale';
  });
  await page.locator(SEND).first().click();
  await page.waitForLoadState();
  assert.match(await page.locator('h1').innerText(), say('error-forbidden'));
  await checkAccess(page);
  await page.locator('main a.button').first().click();
  await page.waitForURL('**/');
});

journeys('both languages say the same things', demo, [phoneEn], async () => {
  const [zh, en] = [textsOf('zh-CN'), textsOf('en')];
  assert.deepEqual([...zh.keys()].sort(), [...en.keys()].sort());
});
