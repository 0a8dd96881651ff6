// How a page sits on a small screen: nothing wider than it, nothing cut off, everything a thumb can hit.

import assert from 'node:assert/strict';

/** The smallest side of what is pressed, in CSS pixels. Links inside running text are exempt. */
const TARGET_PX_MIN = 44;

/** Fails when the page is wider than the screen, cuts text off, or has a control too small to hit. */
export async function checkLayout(page) {
  const faults = await page.evaluate(layoutFaults, TARGET_PX_MIN);
  assert.deepEqual(faults, [], `${page.url()} does not fit`);
}

/** Runs in the page. */
function layoutFaults(targetMin) {
  const faults = [];
  const name = (element) => {
    const text = (element.innerText || element.getAttribute('name') || '').trim().slice(0, 40);
    return `<${element.tagName.toLowerCase()} class="${element.className}"> ${text}`;
  };
  const isSeen = (element) => element.checkVisibility() && element.getBoundingClientRect().width > 1;
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) {
    faults.push(`the page is ${wide} px wide on a screen of ${innerWidth}`);
  }
  for (const element of document.querySelectorAll('body *')) {
    const { textOverflow, overflowX } = getComputedStyle(element);
    const isCut = element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 1;
    const isPicture = element.querySelector('svg') !== null;
    if (isCut && !isPicture && isSeen(element) && (textOverflow === 'ellipsis' || overflowX !== 'visible')) {
      faults.push(`cut off: ${name(element)}`);
    }
  }
  const controls = 'button, .button, select, textarea, input:not([type=hidden]), nav a, .bar a, .chips a, .list a';
  for (const element of document.querySelectorAll(controls)) {
    // A box to tick is as large as the label around or beside it.
    const label = element.labels?.[0];
    const box = (['radio', 'checkbox'].includes(element.type) && label ? label : element).getBoundingClientRect();
    const isInText = element.matches('p button.link, p a:not(.button)');
    if (isSeen(element) && !isInText && box.height < targetMin - 0.5) {
      faults.push(`${Math.round(box.width)} × ${Math.round(box.height)} px: ${name(element)}`);
    }
  }
  return faults;
}
