// A journey is one test: one visitor with a fresh browser context, one page, and watchful eyes.

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';

import { OUT, rememberVisitor } from './screenshot.mjs';

const STEP_MS_MAX = 10_000;
const JOURNEY_MS_MAX = 120_000;
const EXPECTED = ['Failed to load resource', 'An unknown error occurred when fetching the script'];

/**
 * One journey for one visitor.
 * `place` is what `useDemo` or `useSite` returned; paths are relative to its portal.
 * `walk` gets the page, the visitor and the test's own context.
 */
export function journey(name, place, visitor, walk) {
  test(`${name} (${visitor.name})`, { timeout: JOURNEY_MS_MAX }, async (t) => {
    const context = await place.browser.newContext({ ...visitor.options, baseURL: place.portal });
    context.setDefaultTimeout(STEP_MS_MAX);
    const complaints = watch(context);
    const page = await context.newPage();
    rememberVisitor(context, visitor);
    try {
      await walk(page, visitor, t);
    } catch (error) {
      await leaveEvidence(page, `${name} ${visitor.name}`, t);
      throw error;
    } finally {
      await context.close();
    }
    if (complaints.length > 0) {
      throw new Error(`the journey went well, but:\n${complaints.join('\n')}`);
    }
  });
}

/** The same journey for each of `visitors`. */
export function journeys(name, place, visitors, walk) {
  for (const visitor of visitors) {
    journey(name, place, visitor, walk);
  }
}

/** What goes wrong behind the page's back, a line each; the list grows while the context lives. */
export function watch(context) {
  const complaints = [];
  context.on('request', (request) => {
    const url = new URL(request.url());
    const isOurs = ['127.0.0.1', 'localhost'].includes(url.hostname);
    if (url.protocol.startsWith('http') && !isOurs) {
      complaints.push(`a third party was asked: ${request.url()}`);
    }
  });
  context.on('response', (response) => {
    const type = response.request().resourceType();
    if (response.status() >= 400 && !['document', 'fetch', 'xhr'].includes(type)) {
      complaints.push(`${type} ${response.url()} answered ${response.status()}`);
    }
  });
  context.on('weberror', (error) => complaints.push(`a script threw: ${error.error()}`));
  context.on('console', (message) => {
    // A refused form is a document with status 422: the browser logs it, and it is no mistake. Nor is
    // it that without a network no newer service worker is found.
    const isExpected = EXPECTED.some((start) => message.text().startsWith(start));
    if (message.type() === 'error' && !isExpected) {
      complaints.push(`the browser complained: ${message.text()}`);
    }
  });
  return complaints;
}

async function leaveEvidence(page, name, t) {
  const file = path.join(OUT, `failed ${name}.png`.replaceAll(/[^\p{L}\p{N}.]+/gu, '-'));
  try {
    await mkdir(OUT, { recursive: true });
    await page.screenshot({ path: file, fullPage: true });
    t.diagnostic(`failed at ${page.url()}; see ${path.relative(process.cwd(), file)}`);
  } catch (error) {
    t.diagnostic(`failed at ${page.url()}; no screenshot: ${error.message}`);
  }
}
