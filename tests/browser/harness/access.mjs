// Accessibility, by axe-core: serious and critical findings fail.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
// Timers stand still on a page without scripts, and axe waits for some; promises go on. This changes
// axe's own world only, not the page's.
const TIMERS = `globalThis.setTimeout = (then, _milliseconds, ...values) => {
  Promise.resolve().then(() => then(...values));
  return 0;
}`;
const FAILING = ['serious', 'critical'];

/** The failing findings of the page as it is now, a line each; by all rules or by those named. */
export async function accessFaults(page, rules) {
  const only = rules ? { runOnly: rules } : {};
  const options = JSON.stringify({ resultTypes: ['violations'], preload: false, ...only });
  // The browser's own debugging door: the page's content security policy stays as it is.
  const session = await page.context().newCDPSession(page);
  try {
    const { frameTree } = await session.send('Page.getFrameTree');
    const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld', {
      frameId: frameTree.frame.id,
    });
    if (!(await evaluate(session, contextId, "matchMedia('(scripting: enabled)').matches"))) {
      await evaluate(session, contextId, TIMERS);
    }
    await evaluate(session, contextId, AXE);
    const violations = await evaluate(
      session,
      contextId,
      `axe.run(document, ${options}).then((all) => all.violations)`,
    );
    return violations
      .filter(({ impact }) => FAILING.includes(impact))
      .map(({ id, impact, help, nodes }) => {
        const places = nodes.map(({ target }) => target.join(' ')).join(', ');
        return `${impact} ${id}: ${help}: ${places}`;
      });
  } finally {
    await session.detach();
  }
}

/** Fails when the page as it is now has a serious or critical fault. */
export async function checkAccess(page, rules) {
  const faults = await accessFaults(page, rules);
  assert.deepEqual(faults, [], `${page.url()} has accessibility faults`);
}

async function evaluate(session, contextId, expression) {
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
    expression,
    contextId,
    awaitPromise: true,
    returnByValue: true,
  });
  assert.equal(exceptionDetails, undefined, exceptionDetails?.exception?.description);
  return result.value;
}
