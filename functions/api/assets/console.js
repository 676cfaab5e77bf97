// The live parts of the console. Every page works without it.

// Parts that are asked for again each second, while somebody looks.
for (const region of document.querySelectorAll("[data-live]")) poll(region);

async function poll(region) {
  while (region.isConnected) {
    await new Promise((done) => setTimeout(done, 1000));
    if (document.hidden) {
      await new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
    }
    if (region.querySelector("[data-final]")) return;
    try {
      const answer = await fetch(region.dataset.live, { headers: { accept: "text/html" } });
      if (answer.status === 401) return location.reload();
      if (answer.ok) show(region, await answer.text());
    } catch {
      // The server is away for a moment; the next second asks again.
    }
  }
}

// Puts new parts in the place of old ones that differ, but not under somebody's hands.
function show(region, html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  dress(fresh);
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const old = region.querySelector(`[data-part="${part.dataset.part}"]`);
    if (!old || old.outerHTML === part.outerHTML) continue;
    const inHand = old.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
    if (inHand) continue;
    const pressed = document.activeElement?.value;
    const hadFocus = old.contains(document.activeElement);
    old.replaceWith(part);
    if (hadFocus) part.querySelector(`button[value="${pressed}"]`)?.focus();
  }
}

// Times in the reader's own zone.
function dress(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const sameDay = at.toDateString() === new Date().toDateString();
    time.title = time.textContent;
    time.textContent = sameDay
      ? at.toLocaleTimeString(document.documentElement.lang)
      : at.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  }
  tick(root);
}

function tick(root) {
  for (const place of root.querySelectorAll("[data-until]")) {
    const seconds = Math.max(0, Math.round((new Date(place.dataset.until) - Date.now()) / 1000));
    const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    const two = (n) => String(n).padStart(2, "0");
    place.textContent = h ? `${h}:${two(m)}:${two(s)}` : m ? `${m}:${two(s)}` : `${s} s`;
  }
}
dress(document);
setInterval(() => document.hidden || tick(document), 1000);

// A file dropped on its form is chosen and sent.
for (const form of document.querySelectorAll("[data-drop]")) {
  for (const kind of ["dragover", "dragleave", "drop"]) {
    form.addEventListener(kind, (event) => {
      event.preventDefault();
      form.classList.toggle("over", kind === "dragover");
    });
  }
  form.addEventListener("drop", (event) => {
    form.querySelector("input[type=file]").files = event.dataTransfer.files;
    form.requestSubmit();
  });
}

// The length of a text in code points, as Telegram counts.
for (const area of document.querySelectorAll("[data-count]")) {
  const output = document.getElementById(area.dataset.count);
  area.addEventListener("input", () => (output.textContent = [...area.value].length));
}

// The preview follows the pen.
for (const form of document.querySelectorAll("[data-preview]")) {
  let timer;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const body = new URLSearchParams(new FormData(form));
      const answer = await fetch(form.dataset.preview, { method: "POST", body });
      if (answer.ok) document.getElementById("preview").innerHTML = await answer.text();
    }, 300);
  });
}
