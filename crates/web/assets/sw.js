// The worker keeps three things for times without a network: the shell (styles, script, icons, the
// offline page), the last "my line" page, and help pages. The latter two may carry a name or a balance;
// they live in a cache of the signed-in session, which goes when the session goes. No other page is kept.

const SHELL = "shell-__VERSION__";
const SESSION = "session";
const SHELL_FILES = ["/offline", ...__SHELL__];

const isKept = (path) => path === "/line" || path === "/help" || path.startsWith("/help/");
const endsSession = (path) => path === "/logout" || path === "/login" || path === "/account/close";

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll(SHELL_FILES)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name !== SHELL && name !== SESSION) await caches.delete(name);
    }
    await self.clients.claim();
  })());
});

// A page tells which language it is in: the offline page follows.
self.addEventListener("message", (event) => event.waitUntil((async () => {
  const kept = await caches.match("/offline");
  if (kept && !(await kept.text()).includes(`<html lang="${event.data}"`)) {
    await caches.open(SHELL).then((cache) => cache.add("/offline"));
  }
})()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.method !== "GET") {
    if (endsSession(url.pathname)) event.waitUntil(caches.delete(SESSION));
    return;
  }
  if (request.mode === "navigate") event.respondWith(page(event, request, url));
  else if (url.pathname.startsWith("/assets/")) event.respondWith(file(request));
});

async function page(event, request, url) {
  try {
    const answer = await fetch(request);
    // Sent to the log-in page: the session is over, and so is what was kept for it.
    if (answer.redirected && endsSession(new URL(answer.url).pathname)) await caches.delete(SESSION);
    else if (answer.ok && !answer.redirected && !url.search && isKept(url.pathname)) {
      const copy = answer.clone();
      event.waitUntil(caches.open(SESSION).then((cache) => cache.put(url.pathname, copy)));
    }
    return answer;
  } catch (fault) {
    const kept = isKept(url.pathname) && await caches.open(SESSION).then((cache) => cache.match(url.pathname));
    return kept || await caches.match("/offline") || Promise.reject(fault);
  }
}

async function file(request) {
  return await caches.match(request) ?? fetch(request);
}
