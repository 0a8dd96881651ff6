// The harness itself: its visitors are who they say they are, and its checks can fail.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { accessFaults } from './harness/access.mjs';
import { addressIn } from './harness/demo.mjs';
import {
  checkAccess,
  desktop,
  journey,
  journeys,
  phoneEn,
  phoneZh,
  shoot,
  useSite,
  withoutScript,
} from './harness/index.mjs';
import { watch } from './harness/journey.mjs';

// As strict as the portal's: the harness must not need an exception.
const POLICY = { 'content-security-policy': "default-src 'self'; img-src 'self' data:" };

const page = (body) => (request) => `<!doctype html><html lang="en"><title>Harness</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><main><h1>您好 Hello</h1>
<p id="language">${request.headers['accept-language']}</p>${body}
<noscript><p id="no-script">no script</p></noscript></main></html>`;

const site = useSite(
  {
    '/': page(''),
    '/faulty': page('<img src="data:,"><button></button>'),
    '/third-party': page('<img alt="" src="http://third-party.example/pixel.png">'),
    '/inline-script': page('<script>document.title = "changed"</script>'),
    '/broken-image': page('<img alt="" src="/gone.png">'),
  },
  POLICY,
);

// The strict policy keeps third parties out already; this site would let them in.
const lax = useSite({ '/': page('<img alt="" src="http://third-party.example/pixel.png">') });

const everyone = [phoneZh, phoneEn, desktop];

journeys('visitors bring language and screen', site, everyone, async (visited, visitor) => {
  const { locale, viewport, hasTouch } = visitor.options;
  await visited.goto('/');
  assert.ok((await visited.locator('#language').innerText()).startsWith(locale));
  assert.equal(await visited.evaluate(() => innerWidth), viewport.width);
  assert.equal(await visited.evaluate(() => navigator.maxTouchPoints > 0), Boolean(hasTouch));
  await checkAccess(visited);
});

journey('a page is photographed at its density', site, phoneZh, async (visited) => {
  await visited.goto('/');
  const picture = await readFile(await shoot(visited, 'harness'));
  assert.equal(picture.toString('latin1', 1, 4), 'PNG');
  const width = picture.readUInt32BE(16);
  assert.equal(width, 2 * phoneZh.options.viewport.width);
});

journey('without scripts a page says so', site, withoutScript(phoneZh), async (visited) => {
  await visited.goto('/');
  assert.equal(await visited.locator('#no-script').innerText(), 'no script');
  await checkAccess(visited);
});

const readers = [phoneEn, withoutScript(phoneEn)];
journeys('faults of accessibility are found', site, readers, async (visited) => {
  await visited.goto('/faulty');
  const faults = await accessFaults(visited);
  assert.deepEqual(
    faults.map((fault) => fault.split(':')[0]).sort(),
    ['critical button-name', 'critical image-alt'],
  );
  await assert.rejects(checkAccess(visited));
});

for (const [path, place, complaint] of [
  ['/', lax, /^a third party was asked: http:\/\/third-party\.example/],
  ['/third-party', site, /^the browser complained: .*[Cc]ontent [Ss]ecurity [Pp]olicy/],
  ['/inline-script', site, /^the browser complained: .*[Cc]ontent [Ss]ecurity [Pp]olicy/],
  ['/broken-image', site, /^image .*gone\.png answered 404/],
]) {
  test(`${place === lax ? 'lax ' : ''}${path} is complained about`, async () => {
    const context = await place.browser.newContext({ baseURL: place.portal });
    const complaints = watch(context);
    const visited = await context.newPage();
    await visited.goto(path);
    await context.close();
    assert.ok(complaints.some((one) => complaint.test(one)), complaints.join('\n'));
  });
}

test('addresses are read from what the demo prints', () => {
  const read = (line) => addressIn(line)?.address;
  assert.equal(read('portal http://127.0.0.1:4711'), 'http://127.0.0.1:4711');
  assert.equal(read('  Console:  http://127.0.0.1:1/'), 'http://127.0.0.1:1');
  assert.equal(addressIn('Inbox (mail)  http://localhost:2/inbox').name, 'inbox');
  assert.equal(read('portal is ready'), undefined);
  assert.equal(read('docs https://example.org:443/'), undefined);
});
