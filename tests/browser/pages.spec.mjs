// The pages that need nobody to be signed in: they answer, they are accessible, they need no script.

import assert from 'node:assert/strict';

import {
  checkAccess,
  desktop,
  inTheDark,
  journeys,
  phoneEn,
  phoneZh,
  shoot,
  useDemo,
  withoutScript,
} from './harness/index.mjs';

const PAGES = ['/help', '/design', '/inbox', '/offline'];

const demo = useDemo();

for (const path of PAGES) {
  const visitors = [phoneZh, phoneEn, desktop, inTheDark(phoneEn), withoutScript(phoneZh)];
  journeys(`${path} can be read`, demo, visitors, async (page, visitor) => {
    const answer = await page.goto(path);
    assert.equal(answer.status(), 200);
    const language = visitor.options.locale.slice(0, 2);
    assert.equal((await page.locator('html').getAttribute('lang')).slice(0, 2), language);
    assert.ok(await page.locator('h1').first().isVisible());
    const widest = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(widest <= visitor.options.viewport.width, `the page is ${widest} px wide`);
    await checkAccess(page);
    await shoot(page, path.slice(1));
  });
}
