// Eddy in a page: keeps it as it would be rendered now, and lets its own scripts listen, set and call. docs/pages.md tells how.
(() => {
  "use strict";
  const isLive = document.currentScript?.hasAttribute("data-eddy-live");
  const listeners = new Map();
  const touched = new WeakSet();
  let page = null, line = null, catching = null, applying = null, early = [];

  const isDraft = location.pathname.startsWith("/_eddy/preview/");
  const pid = new URLSearchParams(location.search).get("pid");
  const asked = /^[1-9][0-9]{0,17}$/.test(pid ?? "") ? Number(pid) : null;

  document.addEventListener("input", event => touched.add(event.target), true);
  document.addEventListener("reset", event => { for (const field of event.target.elements ?? []) touched.delete(field); }, true);

  const isKept = node => node.nodeType === 1 && node.hasAttribute("data-eddy-keep");
  const isField = node => node.nodeType === 1 && /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName);

  // What a person has opened, typed or focused stays; all else becomes what the server says.
  function show(html) {
    const next = new DOMParser().parseFromString(html, "text/html");
    Idiomorph.morph(document.documentElement, next.documentElement, {
      head: { style: "morph" },
      callbacks: {
        beforeNodeMorphed: (old) => !isKept(old) && !(isField(old) && (touched.has(old) || old === document.activeElement)),
        beforeNodeRemoved: node => !isKept(node),
        beforeAttributeUpdated: (name, node) => !(node === document.documentElement && name.startsWith("data-eddy")) && !(name === "open" && /^(DETAILS|DIALOG)$/.test(node.tagName)),
      },
    });
    document.dispatchEvent(new CustomEvent("eddy:changed"));
  }

  function apply(html) {
    page.html = html;
    // However many changes come, a page is drawn once a frame; where it is hidden, by and by.
    applying ??= setTimeout(() => { applying = null; show(page.html); }, document.hidden ? 500 : 0);
  }

  async function follow() {
    if (!isLive || catching) return catching;
    catching = (async () => {
      const state = await line.invoke("Follow", location.pathname, asked);
      if (!state) { if (page) location.reload(); return; }
      const isFirst = page === null;
      page = { version: state.version, html: state.html };
      // What the browser has loaded may be some moments old.
      show(page.html);
      if (isFirst) document.documentElement.setAttribute("data-eddy", "live");
    })().finally(() => {
      catching = null;
      // What became another while the answer was under way.
      for (const change of early.splice(0)) changed(...change);
    });
    return catching;
  }

  function changed(version, prefix, suffix, middle) {
    if (catching) { early.push([version, prefix, suffix, middle]); return; }
    if (!page || version <= page.version) return;
    if (version !== page.version + 1) { follow().catch(() => {}); return; }
    page.version = version;
    apply(page.html.slice(0, prefix) + middle + page.html.slice(page.html.length - suffix));
  }

  async function start() {
    try {
      await line.start();
    } catch {
      setTimeout(start, 5000);
      return;
    }
    await again();
  }

  async function again() {
    try {
      await Promise.all([follow(), ...[...listeners.keys()].map(name => line.invoke("On", ...keyOf(name)))]);
      document.documentElement.removeAttribute("data-eddy-offline");
    } catch {
      // A line that is gone comes back by itself; where it is there, the web could not answer just now.
      setTimeout(() => { if (line.state === "Connected") again(); }, 5000);
    }
  }

  const nameOf = (key, pid) => JSON.stringify([key, pid]);
  const keyOf = name => JSON.parse(name);

  function connect() {
    if (line || !globalThis.signalR) return;
    line = new signalR.HubConnectionBuilder()
      .withUrl("/_eddy/live", { transport: signalR.HttpTransportType.WebSockets, skipNegotiation: true })
      .withAutomaticReconnect({ nextRetryDelayInMilliseconds: ({ previousRetryCount: n }) => Math.min(30000, 500 * 2 ** n) * (0.75 + Math.random() / 2) })
      .configureLogging(signalR.LogLevel.None)
      .build();
    line.on("change", changed);
    line.on("again", () => { again(); });
    line.on("kvp", (key, value, of) => {
      const read = value === null ? null : plain(JSON.parse(value));
      for (const name of [nameOf(key, null), nameOf(key, of)]) for (const hear of listeners.get(name) ?? []) hear(read, { key, pid: of });
    });
    line.onreconnecting(() => document.documentElement.setAttribute("data-eddy-offline", ""));
    line.onreconnected(() => again());
    line.onclose(() => { document.documentElement.setAttribute("data-eddy-offline", ""); setTimeout(start, 5000); });
    start();
  }

  // A tagged value is what is inside: a date is text, a decimal a number, a process its number.
  function plain(value) {
    if (Array.isArray(value)) return value.map(plain);
    if (value === null || typeof value !== "object") return value;
    const [first, ...more] = Object.entries(value);
    if (first && more.length === 0 && /^\$(date|time|datetime|decimal|process)$/.test(first[0])) return first[0] === "$decimal" ? Number(first[1]) : first[1];
    if (first && more.length === 0 && first[0] === "$dict") value = first[1];
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
  }

  async function post(url, body) {
    const answer = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify(body ?? null) });
    const text = await answer.text();
    const isJson = /[/+]json/.test(answer.headers.get("Content-Type") ?? "");
    const read = isJson && text ? JSON.parse(text) : text || null;
    // A script may say it in a sentence; what is a page is none.
    const said = isJson ? read?.detail ?? read?.title : text && !text.includes("<") ? text : null;
    if (!answer.ok) throw Object.assign(new Error(said ?? `${answer.status}`), { status: answer.status, problem: read });
    return read;
  }

  globalThis.eddy = Object.freeze({
    on(key, hear, { pid = null } = {}) {
      const name = nameOf(key, pid);
      const all = listeners.get(name) ?? new Set();
      all.add(hear);
      listeners.set(name, all);
      if (all.size === 1 && line?.state === "Connected") line.invoke("On", key, pid).catch(() => {});
      if (!isDraft) connect();
      return () => all.delete(hear);
    },
    set: (kvps, { pid = null } = {}) => post("/_eddy/kvps" + (pid === null ? "" : `?pid=${encodeURIComponent(pid)}`), kvps),
    call: (name, body) => post("/api/v1/" + name.split(".").map(encodeURIComponent).join("/"), body),
  });

  // A draft beside the editor has no origin, so no line; it is told what it is rendered now by its own address.
  function watch() {
    page = { version: 0, html: null };
    new EventSource(location.pathname + "/events" + location.search).onmessage = told => {
      apply(JSON.parse(told.data));
      document.documentElement.setAttribute("data-eddy", "live");
    };
  }

  if (isLive) (isDraft ? watch : connect)();
})();
