// Comfort only: every page works without this file.

const words = document.body.dataset;
const each = (selector, act, root = document) => root.querySelectorAll(selector).forEach(act);

// The parts of the page that follow the server, as the server told them.
const told = new Map();
each("[data-live][id]", (part) => told.set(part.id, part.outerHTML));

// A form is sent once. The button turns busy; going back makes it ready again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) return event.preventDefault();
  if (!navigator.onLine) {
    // What was entered stays; the notice at the top says why nothing happens.
    event.preventDefault();
    return each("[data-offline]", (notice) => { notice.hidden = false; notice.scrollIntoView(); });
  }
  const button = event.submitter ?? form.querySelector("[data-once]");
  if (!button || !("once" in button.dataset) || event.defaultPrevented) return;
  form.dataset.sent = "1";
  button.setAttribute("aria-busy", "true");
  const label = button.querySelector("span");
  if (label) {
    label.dataset.label = label.textContent;
    label.textContent = words.busy;
  }
});
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  each("form[data-sent]", (form) => delete form.dataset.sent);
  each("[aria-busy]", (button) => button.removeAttribute("aria-busy"));
  each("[data-label]", (label) => { label.textContent = label.dataset.label; });
});

// What was refused comes into view and is read out.
document.querySelector("[data-focus]")?.focus();

// Copy a text; the button shows only where copying works.
if (navigator.clipboard) {
  each("[data-copy]", (button) => {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      const last = button.lastChild;
      const label = last.textContent;
      last.textContent = words.copied;
      button.setAttribute("aria-live", "polite");
      setTimeout(() => { last.textContent = label; }, 2000);
    });
  });
}

// Show a password while it is typed.
each("[data-reveal]", (button) => {
  const field = document.getElementById(button.dataset.reveal);
  button.hidden = false;
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    button.textContent = shown ? words.hide : words.show;
    button.setAttribute("aria-pressed", String(shown));
  });
});

// The time zone of this device goes along with the form; the server takes only what it knows.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone) {
  each("input[data-zone]", (field) => { field.value = zone; });
  each("[data-zone-form]", (form) => { form.hidden = false; });
}

// Another code can be asked for when the seconds are over that the text counts.
each("[data-wait]", (text) => {
  const button = document.getElementById(text.dataset.wait);
  const words = text.textContent;
  const end = Date.now() + Number(/\d+/.exec(words)) * 1000;
  button.disabled = true;
  const timer = setInterval(() => {
    const left = Math.ceil((end - Date.now()) / 1000);
    text.textContent = words.replace(/\d+/, Math.max(left, 0));
    if (left > 0) return;
    clearInterval(timer);
    button.disabled = false;
    text.hidden = true;
  }, 1000);
});

// A list whose choice sends its form.
each("select[data-auto]", (list) => list.addEventListener("change", () => list.form.requestSubmit()));

// A slider beside a number field: each follows the other.
each("input[data-mirror]", (slider) => {
  const field = document.getElementById(slider.dataset.mirror);
  slider.hidden = false;
  slider.addEventListener("input", () => { field.value = slider.value; });
  field.addEventListener("input", () => { slider.value = field.value; });
});

// A link that changes one part of a choice takes the named parts along as they are in the form now.
each("[data-carry]", (links) => links.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link) return;
  const address = new URL(link.href);
  const fields = new FormData(document.getElementById("choice"));
  for (const name of links.dataset.carry.split(" ")) {
    const value = fields.get(name);
    if (value) address.searchParams.set(name, value); else address.searchParams.delete(name);
  }
  link.href = address;
}));

// The price of what is being chosen, computed by the server, while it is being chosen.
each("form[data-preview]", (form) => {
  const target = document.getElementById(form.dataset.previewInto);
  let timer;
  let asked;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      asked?.abort();
      asked = new AbortController();
      const fields = new URLSearchParams(new FormData(form));
      fields.delete("csrf");
      try {
        const answer = await fetch(`${form.dataset.preview}?${fields}`, { signal: asked.signal, headers: { accept: "text/html" } });
        if (answer.ok) target.innerHTML = await answer.text();
      } catch { /* the button of the form computes it too */ }
    }, 150);
  });
});

// Parts of the page that follow the server: on "refresh" they are fetched anew, by their ids.
async function refresh() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok || answer.redirected) return location.reload();
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  each("[data-live][id]", (part) => {
    const next = fresh.getElementById(part.id);
    // What the server says as before stays, with whatever is open in it.
    if (!next || told.get(part.id) === next.outerHTML) return;
    told.set(part.id, next.outerHTML);
    part.replaceWith(document.importNode(next, true));
  });
}
const stream = document.querySelector("[data-stream]");
if (stream && "EventSource" in window) {
  new EventSource(stream.dataset.stream).addEventListener("refresh", () => refresh().catch(() => {}));
}
const followed = document.querySelector("[data-refresh]");
if (followed) {
  setInterval(() => { if (!document.hidden) refresh().catch(() => {}); }, Number(followed.dataset.refresh) * 1000);
}
const waiting = document.querySelector("[data-reload]");
if (waiting) {
  // Not under the hands of somebody who has opened something on the page.
  const look = () => document.querySelector("main details[open]") || location.reload();
  setInterval(look, Number(waiting.dataset.reload) * 1000);
}

// Offline: say so, and keep the shell, the last balance and the help pages at hand.
const offline = () => each("[data-offline]", (notice) => { notice.hidden = navigator.onLine; });
addEventListener("offline", offline);
// A page that was opened offline is an old one; a form being filled in stays as it is.
const openedOffline = !navigator.onLine;
addEventListener("online", () => (openedOffline ? location.reload() : offline()));
offline();
if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("/sw.js").catch(() => {});
  navigator.serviceWorker.ready.then(({ active }) => active.postMessage(document.documentElement.lang)).catch(() => {});
}
