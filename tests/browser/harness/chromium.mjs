// One headless Chromium for each specification file.

import { chromium } from 'playwright-core';

const PROGRAM = process.env.SIMURGH_CHROMIUM ?? '/usr/bin/chromium';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  // Only this machine exists: a page that asks anyone else gets no answer, and its journey fails.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
];

export function launchChromium() {
  return chromium.launch({ executablePath: PROGRAM, args: ARGUMENTS });
}
