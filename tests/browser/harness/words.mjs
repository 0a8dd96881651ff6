// What the pages say, from the portal's own texts: a journey names the key and reads either language.

import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const LOCALES = fileURLToPath(new URL('../../../crates/web/locales', import.meta.url));

/**
 * The texts of a visitor's language: `say('orders-paid')` is a pattern that the text of that key
 * matches, whatever stands in its places.
 */
export function wordsFor(visitor) {
  const texts = textsOf(visitor.options.locale.startsWith('zh') ? 'zh-CN' : 'en');
  return (key) => {
    const text = texts.get(key);
    if (text === undefined) {
      throw new Error(`no text is called ${key}`);
    }
    return pattern(text);
  };
}

const known = new Map();

/** Every text of a language, by key. */
export function textsOf(locale) {
  if (!known.has(locale)) {
    const texts = new Map();
    for (const file of readdirSync(`${LOCALES}/${locale}`)) {
      read(readFileSync(`${LOCALES}/${locale}/${file}`, 'utf8'), texts);
    }
    known.set(locale, texts);
  }
  return known.get(locale);
}

/** Reads Fluent's messages: a key at the beginning of a line, indented lines after it; no attributes. */
function read(source, texts) {
  let key;
  for (const line of source.split('\n')) {
    const begins = /^([a-z][\w-]*) = ?(.*)$/.exec(line);
    if (begins) {
      key = begins[1];
      texts.set(key, begins[2]);
    } else if (key && /^\s+[^\s.]/.test(line)) {
      texts.set(key, `${texts.get(key)}\n${line.trim()}`);
    } else {
      key = undefined;
    }
  }
}

function pattern(text) {
  const choice = /^\{\s*\$\w+ ->\n([^]*)\n\}$/.exec(text);
  const variants = choice ? choice[1].split('\n').map((one) => one.replace(/^\*?\[\w+\] /, '')) : [text];
  return new RegExp(variants.map(literal).join('|'));
}

function literal(text) {
  return text
    .split(/\{\s*(?:\$\w+|"[^"]*")\s*\}/)
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*?');
}
