/* formwarden: counts, coarsely, how a form was filled in. No content, no cookie, no fingerprint. */
(() => {
  "use strict";
  const ONCE = Symbol.for("formwarden");
  if (document[ONCE]) return; // two forms on one page bring two script tags
  document[ONCE] = true;

  const TOKEN = "_fw_token";
  const MARKER = "_fw_form";
  const SEEN = "_fw_seen";
  const TRAPS = ".fw-more";
  const TYPED = /^(email|password|search|tel|text|textarea|url)$/; // other kinds send such events when clicked
  const PUT_IN = /Drop|Yank|Replacement|Dictation/; // kinds of input that bring many letters at once
  const FILLED = CSS.supports("selector(:autofill)") ? ":autofill" : ":-webkit-autofill";
  const NAMES = 16;
  const LETTERS = 64; // of a name: all together stay far below what the server reads
  const PAUSE = 5000; // ms between two requests for a token, and how long one may take
  const END = 16; // letters of the token that evidence and work are bound to
  const HALF_A_DAY = 43200; // s
  const script = document.currentScript;
  const ours = new URL("token", (script && script.src) || new URL("/_formwarden/", location.href)).href;
  const states = new WeakMap(); // of a place: a form that has our fields, or any element with data-formwarden
  const roots = new WeakSet();
  const sent = new Set();

  // 0 bytes came over the network for this page: it came from a cache, and so did its token
  const [navigation] = performance.getEntriesByType("navigation");
  let cached = !!navigation && navigation.transferSize === 0;

  let shown = 0; // ms this page was visible before it was last hidden
  let since = document.hidden ? null : performance.now();
  const visible = () => shown + (since === null ? 0 : performance.now() - since);
  document.addEventListener("visibilitychange", () => {
    shown = visible();
    since = document.hidden ? null : performance.now();
  });

  const field = (place, name) => place.querySelector(`input[name="${name}"]`);
  const isForm = (node) => node instanceof HTMLFormElement;

  function placeIn(path) {
    for (const node of path) {
      if (isForm(node) || (node.dataset && "formwarden" in node.dataset)) return node;
      if (isForm(node.form)) return node.form; // a field outside its form
    }
    return null;
  }

  function stateOf(place) {
    const input = place && isForm(place) ? field(place, TOKEN) : null;
    const given = input ? input.value : place && place.dataset.formwarden;
    if (typeof given !== "string") return null;
    let state = states.get(place);
    if (!state) {
      const active = document.activeElement; // autofocus came before us
      const focused = active && (place.contains(active) || active.form === place);
      state = {
        keys: 0, pastes: 0, pointers: 0, inputs: 0, focused: new Set(focused ? [active] : []), filled: new Set(),
        from: visible(), next: 0, input,
      };
      states.set(place, state);
      listen(place.getRootNode()); // "submit" and "formdata" do not leave a shadow tree
    }
    if (given === state.given) return state;
    const isNew = !("given" in state);
    state.given = given; // first seen, or set anew by the page
    if (input) {
      const marker = field(place, MARKER);
      const { fresh, maxAge, work } = input.dataset;
      take(state, given, work);
      Object.assign(state, { input, marker: marker && marker.value, fresh: fresh || ours, life: maxAge, traps: {} });
    } else {
      const members = given.matchAll(/([\w*.-]+)="([^"]*)"/g);
      const { m, t, w, ...traps } = Object.fromEntries([...members].map(([, name, value]) => [name, value]));
      take(state, t || "", w);
      Object.assign(state, { marker: m, fresh: place.dataset.fresh || ours, life: HALF_A_DAY, traps });
    }
    // a copy of a page that was sent already (Turbo keeps some) or came from a cache
    state.old = isNew && (cached || sent.has(state.token));
    if (input && "atOnce" in input.dataset) work(state);
    return state;
  }

  function take(state, token, challenge) {
    Object.assign(state, { token, challenge, at: Date.now(), old: false, answer: undefined, worker: null });
  }

  // A token may be absent (cacheable page), used (back button) or old: fetch one when somebody begins to write.
  function renew(state) {
    const now = Date.now();
    const aged = now - state.at > Number(state.life) * 1000;
    if (!state.marker || now < state.next || (state.token && !state.old && !aged)) return state.coming;
    state.next = now + PAUSE;
    const signal = AbortSignal.timeout && AbortSignal.timeout(PAUSE); // browsers before 2022 wait for longer
    state.coming = fetch(`${state.fresh}?m=${encodeURIComponent(state.marker)}`, {
      cache: "no-store", credentials: "omit", signal,
    })
      .then(async (answer) => {
        const text = answer.ok ? await answer.text() : "";
        if (!/^[\w.-]{40,600}$/.test(text)) return;
        take(state, text, answer.headers.get("Formwarden-Work"));
        if (state.input) state.input.value = state.given = text;
        work(state);
      })
      .catch(() => {}); // offline: the form still goes out, with what it has
    return state.coming;
  }

  // Where no worker can start, or the form is sent before it is done, the form goes out without.
  function work(state) {
    const { challenge, token } = state;
    if (!challenge || state.worker) return;
    const [most, wanted] = challenge.split(".");
    try {
      const worker = new Worker(new URL("worker.js", new URL(state.fresh, document.baseURI)));
      state.worker = worker;
      worker.onmessage = ({ data }) => {
        if (state.token === token) state.answer = data;
        worker.terminate();
      };
      worker.postMessage([`${token.slice(-END)}&`, Number(most), wanted]);
    } catch {
      state.worker = true; // not again
    }
  }

  function filled(place) {
    try {
      return place.querySelectorAll(FILLED);
    } catch {
      return []; // a browser that knows neither name
    }
  }

  // Where our style sheet did not arrive, people see the box, and what they fill in says nothing.
  function isExposed(place) {
    const box = place.querySelector(TRAPS);
    if (!box || box.getClientRects().length === 0) return false;
    const { width, height } = box.getBoundingClientRect();
    return width > 2 && height > 2 && getComputedStyle(box).visibility === "visible";
  }

  function evidence(place, state) {
    for (const element of filled(place)) state.filled.add(element.name);
    return JSON.stringify({
      v: 1,
      t: state.token.slice(-END),
      k: state.keys,
      p: state.pastes,
      d: state.pointers,
      i: state.inputs,
      f: state.focused.size,
      s: Math.round((visible() - state.from) / 1000),
      a: [...state.filled].filter((name) => name && name.length <= LETTERS).slice(0, NAMES),
      w: navigator.webdriver ? 1 : 0,
      x: isExposed(place) ? 1 : 0,
      n: state.answer,
    });
  }

  function write(place, state) {
    if (!state.input) return;
    let seen = field(place, SEEN);
    if (!seen) {
      seen = document.createElement("input");
      seen.type = "hidden";
      seen.name = SEEN;
      state.input.after(seen);
    }
    seen.value = evidence(place, state);
  }

  // At the root: for forms inserted later, too, and before the page's own listeners.
  function on(root, type, act) {
    root.addEventListener(
      type,
      (event) => {
        const place = placeIn(event.composedPath());
        const state = stateOf(place);
        if (state) act(state, event, place);
      },
      { capture: true, passive: true },
    );
  }

  function onUse(type, act) {
    on(document, type, (state, event) => {
      act(state, event);
      renew(state);
      work(state);
    });
  }

  function listen(root) {
    if (roots.has(root)) return;
    roots.add(root);
    on(root, "submit", (state, event, place) => {
      write(place, state);
      sent.add(state.token);
    });
    // form.submit() and new FormData(form) cause no "submit".
    on(root, "formdata", (state, event, place) => {
      if (!state.input) return;
      event.formData.set(SEEN, evidence(place, state));
      sent.add(state.token);
    });
  }

  onUse("keydown", (state, event) => { state.keys += event.isTrusted && !event.repeat; });
  onUse("paste", (state, event) => { state.pastes += event.isTrusted; });
  onUse("pointerdown", (state, event) => { state.pointers += event.isTrusted; });
  onUse("focusin", (state, event) => { state.focused.add(event.composedPath()[0]); });
  onUse("input", (state, event) => {
    const [target] = event.composedPath();
    state.inputs += 1;
    state.pastes += PUT_IN.test(event.inputType);
    // Keys, voice, input methods and pastes name their kind of input; browsers and password managers do not.
    if (!event.inputType && TYPED.test(target.type)) state.filled.add(target.name);
  });
  // Some frameworks collect the fields of a form by hand, and cause none of those two events.
  for (const type of ["change", "click"]) on(document, type, (state, event, place) => write(place, state));
  listen(document);

  function look() {
    for (const token of document.getElementsByName(TOKEN)) stateOf(token.form);
    for (const place of document.querySelectorAll("[data-formwarden]")) stateOf(place);
  }
  look();
  cached = false;
  new MutationObserver(look).observe(document, { childList: true, subtree: true });

  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const place of document.querySelectorAll("form, [data-formwarden]")) {
      const state = stateOf(place);
      if (state) state.old = true;
    }
  });

  const traps = (form) => [...form.querySelectorAll(`${TRAPS} [name]`)];

  // For clients that send JSON: what stands in the page, and what was counted, as the value of one header.
  async function header(place) {
    const state = stateOf(place);
    if (!state) throw new TypeError("formwarden: neither our fields nor data-formwarden");
    await renew(state);
    sent.add(state.token);
    const members = { m: state.marker || "", t: state.token, e: evidence(place, state), ...state.traps };
    for (const trap of traps(place)) if (trap.type !== "checkbox" || trap.checked) members[trap.name] = trap.value;
    const bytes = (text) => String.fromCharCode(...new TextEncoder().encode(text));
    return Object.entries(members).map(([name, text]) => `${name}=:${btoa(bytes(text))}:`).join(", ");
  }

  // What was typed into a form, without what is ours.
  function fields(form) {
    const data = new FormData(form);
    for (const name of [TOKEN, MARKER, SEEN, ...traps(form).map((trap) => trap.name)]) data.delete(name);
    return data;
  }

  Object.defineProperty(window, "formwarden", { value: Object.freeze({ header, fields }) });
})();
