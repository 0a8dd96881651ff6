// What a specification needs, in one import:
//
//   import assert from 'node:assert/strict';
//   import { useDemo, journeys, phoneZh, phoneEn, checkAccess, shoot } from './harness/index.mjs';
//
//   const demo = useDemo();
//   journeys('a newcomer sees the plans', demo, [phoneZh, phoneEn], async (page) => {
//     await page.goto('/');
//     await checkAccess(page);
//     await shoot(page, 'start');
//   });
//
// A journey also fails when the page asks a third party for anything, when a script throws, when the
// content security policy refuses something, or when a resource of the page is missing.

export { checkAccess } from './access.mjs';
export { useDemo } from './demo.mjs';
export { journey, journeys } from './journey.mjs';
export { checkLayout } from './layout.mjs';
export { shoot } from './screenshot.mjs';
export { useSite } from './site.mjs';
export { byDay, desktop, inTheDark, narrow, phoneEn, phoneZh, withoutScript } from './visitors.mjs';
export { textsOf, wordsFor } from './words.mjs';
