"use strict";
// The page is whole without this script. It adds a switch between light and dark, the filter over all samples, and
// keys. Text of chats is only ever set as text, never as markup.
(() => {
  const byId = (id) => document.getElementById(id);

  // Light and dark
  const theme = byId("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  const nameTheme = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
  try {
    const kept = localStorage.getItem("tunegate-theme");
    if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
  } catch { /* a browser may refuse storage to files */ }
  theme.hidden = false;
  nameTheme();
  dark.addEventListener("change", nameTheme);
  theme.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("tunegate-theme", document.documentElement.dataset.theme); } catch { /* as above */ }
    nameTheme();
  });

  // The link of the screen that is being read
  const links = new Map([...document.querySelectorAll(".top nav a")].map((link) => [link.hash.slice(1), link]));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const [id, link] of links) {
        if (id === entry.target.id) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    }
  }, { rootMargin: "-30% 0px -65% 0px" });
  for (const id of links.keys()) if (byId(id)) seen.observe(byId(id));

  // What scrolls sideways or in itself can be reached by keyboard; tables that do not scroll need no stop
  const titles = new WeakMap();
  const scrolling = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (!target.isConnected) continue;
      if (!titles.has(target)) {
        const title = target.querySelector("caption") || target.closest("section").querySelector("h1, h2");
        titles.set(target, target.getAttribute("aria-label") || title.textContent.trim());
      }
      const scrolls = target.scrollWidth > target.clientWidth || target.scrollHeight > target.clientHeight + 1;
      if (!scrolls) {
        for (const name of ["tabindex", "role", "aria-label"]) target.removeAttribute(name);
        continue;
      }
      target.tabIndex = 0;
      target.setAttribute("role", "group");
      target.setAttribute("aria-label", titles.get(target));
    }
  });
  const watch = (parent) => {
    for (const box of parent.querySelectorAll(".scroll, pre, .turn, .said")) scrolling.observe(box);
  };
  watch(document);

  // Samples
  const PAGE = 25;
  const packed = byId("packed");
  if (!packed || typeof DecompressionStream === "undefined") return;

  const make = (tag, name, text) => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const quoted = (text) => {
    const element = make("bdi", "", text);
    element.lang = "";
    return element;
  };
  const filled = (parent, text, leftOut) => {
    if (text) parent.append(quoted(text));
    else parent.append("(empty answer)");
    if (leftOut) parent.append(make("small", "left-out", `and ${leftOut} characters more`));
    return parent;
  };
  const names = new Map([...byId("by-state").options].map((option) => [option.value, option.text]));

  function answer(name, [text, leftOut, correct, mark, likelihood]) {
    const box = make("div", `answer ${correct === null ? "unscored" : correct ? "right" : "wrong"}`);
    const who = make("p", "who", `${name} `);
    who.append(make("span", "mark", mark));
    box.append(who, filled(make("p", "said"), text, leftOut));
    if (likelihood) {
      const aside = make("p", "aside", "likeliest label: ");
      aside.append(quoted(likelihood));
      box.append(aside);
    }
    return box;
  }

  function article([id, line, state, label, turns, [reference, more], base, tuned, tfidf, harm]) {
    const row = make("article", `sample ${state}`);
    row.tabIndex = -1;
    const head = make("p", "head");
    head.append(make("span", "state", names.get(state)));
    if (label) {
      const truth = make("span", "", "expected ");
      const strong = make("b");
      strong.append(quoted(label));
      truth.append(strong);
      head.append(truth);
    }
    if (tfidf) head.append(make("span", "", `TF-IDF: ${tfidf}`));
    const where = make("span", "where", line === null ? "" : `line ${line} · `);
    where.append(make("code", "", id));
    head.append(where);
    const exchange = make("div", "exchange");
    const said = make("div", "turns");
    for (const [role, text, leftOut] of turns) {
      const turn = make("p", "turn");
      turn.append(make("span", "who", role));
      if (text) filled(turn, text, leftOut);
      said.append(turn);
    }
    exchange.append(said, answer("Base", base), answer("Tuned", tuned));
    row.append(head);
    if (harm.length) {
      const veil = make("details", "veil");
      veil.append(make("summary", "", `Found harmful: ${harm.join(", ")}. Show the text`), exchange);
      row.append(veil);
    } else {
      row.append(exchange);
    }
    if (!label && reference) row.append(filled(make("p", "aside", "expected: "), reference, more));
    return row;
  }

  async function unpack() {
    const bytes = Uint8Array.from(atob(packed.textContent), (sign) => sign.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  }

  function start(samples) {
    const haystacks = samples.map((sample) => JSON.stringify([sample[0], sample[3], sample[4], sample[6], sample[7]]).toLowerCase());
    const [state, label, text] = ["by-state", "by-label", "by-text"].map(byId);
    let found = samples;
    let first = 0;

    function show() {
      byId("rows").replaceChildren(...found.slice(first, first + PAGE).map(article));
      watch(byId("rows"));
      const last = Math.min(first + PAGE, found.length);
      byId("shown").textContent = `${found.length} of ${samples.length}`;
      byId("page").textContent = found.length ? `${first + 1} to ${last}` : "none";
      byId("back").disabled = first === 0;
      byId("next").disabled = last === found.length;
    }
    function filter() {
      const wanted = JSON.stringify(text.value.toLowerCase()).slice(1, -1);
      found = samples.filter((sample, index) =>
        (!state.value || sample[2] === state.value) &&
        (!label || !label.value || sample[3] === label.value) &&
        (!wanted || haystacks[index].includes(wanted)));
      first = 0;
      show();
    }
    function turnTo(number) {
      first = number;
      show();
      byId("samples").scrollIntoView();
    }
    for (const control of [state, label, text]) control?.addEventListener("input", filter);
    byId("back").addEventListener("click", () => turnTo(Math.max(0, first - PAGE)));
    byId("next").addEventListener("click", () => turnTo(first + PAGE));
    for (const link of document.querySelectorAll("[data-show]")) {
      link.addEventListener("click", () => { state.value = link.dataset.show; filter(); });
    }
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
      const rows = [...document.querySelectorAll(".sample")];
      const here = rows.indexOf(document.activeElement.closest(".sample"));
      if (event.key === "j") rows[Math.min(here + 1, rows.length - 1)]?.focus();
      else if (event.key === "k") rows[Math.max(here - 1, 0)]?.focus();
      else if (event.key === "/") text.focus();
      else return;
      event.preventDefault();
    });
    byId("controls").hidden = false;
    byId("pages").hidden = samples.length <= PAGE;
    byId("rest")?.remove();
    show();
    document.documentElement.dataset.ready = "true";
  }

  unpack().then(start, () => { /* the rows that stand in the page stay */ });
})();
