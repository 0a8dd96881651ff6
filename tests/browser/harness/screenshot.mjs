// Pictures of pages, in tests/browser/out (not kept in the repository).

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where pictures go. */
export const OUT = fileURLToPath(new URL('../out', import.meta.url));

const visitors = new WeakMap();

/** Tells whose pictures the pages of `context` are. */
export function rememberVisitor(context, visitor) {
  visitors.set(context, visitor.name);
}

/** Takes the whole page as `NAME.VISITOR.png`; returns the path. */
export async function shoot(page, name) {
  await mkdir(OUT, { recursive: true });
  const visitor = visitors.get(page.context()) ?? 'visitor';
  const file = path.join(OUT, `${name}.${visitor}.png`);
  // On a screen as high as the page, what is fixed to the foot of the screen stands at its foot too.
  const screen = page.viewportSize();
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width: screen.width, height: Math.max(height, screen.height) });
  await page.screenshot({ path: file, animations: 'disabled', caret: 'hide' });
  await page.setViewportSize(screen);
  return file;
}
