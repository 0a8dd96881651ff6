// Comfort only: every page works without it.

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function fresh() {
  const response = await fetch(location.href, { cache: "no-store" });
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

// A download that is under way: its words and its bar, until the page says something else.
async function follow() {
  while (document.querySelector("[data-follow]")) {
    await pause(150);
    const page = await fresh();
    const [text, bar] = ["progress-text", "progress"].map((id) => page.getElementById(id));
    if (text && bar) {
      const shown = document.getElementById("progress-text");
      if (shown.textContent !== text.textContent) shown.textContent = text.textContent;
      document.getElementById("progress").value = bar.value;
    } else {
      location.reload();
      return;
    }
  }
}

// Messages that come while one looks.
async function watch() {
  while (document.querySelector("[data-watch]")) {
    await pause(3000);
    if (document.hidden) continue;
    const page = await fresh();
    for (const part of document.querySelectorAll("[data-watch][id]")) {
      const next = page.getElementById(part.id);
      if (next && next.innerHTML !== part.innerHTML) part.replaceWith(document.importNode(next, true));
    }
  }
}

follow().catch(() => {});
watch().catch(() => {});
