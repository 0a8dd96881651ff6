// A small site of the tests' own, for what is not about the demo.

import http from 'node:http';
import { after, before } from 'node:test';

import { launchChromium } from './chromium.mjs';

/** Serves `pages`, a map from path to `(request) => html`, to a browser of its own. */
export function useSite(pages, headers = {}) {
  const site = { portal: undefined, browser: undefined };
  const server = http.createServer((request, response) => {
    const page = pages[request.url];
    response.writeHead(page ? 200 : 404, {
      'content-type': 'text/html; charset=utf-8',
      ...headers,
    });
    response.end(page ? page(request) : '<!doctype html><title>missing</title>');
  });
  before(async () => {
    await new Promise((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    site.portal = `http://127.0.0.1:${server.address().port}`;
    site.browser = await launchChromium();
  });
  after(async () => {
    await site.browser?.close();
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  return site;
}
