/* formwarden: counts, coarsely, how a form was filled in. No content, no cookie, no fingerprint. */
(() => {
  "use strict";
  const ONCE = Symbol.for("formwarden");
  if (document[ONCE]) return; // two forms on one page bring two script tags
  document[ONCE] = true;

  const TOKEN = "_fw_token";
  const MARKER = "_fw_form";
  const SEEN = "_fw_seen";
  const TYPED = /^(email|password|search|tel|text|textarea|url)$/; // other kinds send such events when clicked
  const FILLED = CSS.supports("selector(:autofill)") ? ":autofill" : ":-webkit-autofill";
  const NAMES = 16;
  const LETTERS = 64; // of a name: all together stay far below what the server reads
  const PAUSE = 5000; // ms between two requests for a token
  const states = new WeakMap();

  let shown = 0; // ms this page was visible before it was last hidden
  let since = document.hidden ? null : performance.now();
  const visible = () => shown + (since === null ? 0 : performance.now() - since);
  document.addEventListener("visibilitychange", () => {
    shown = visible();
    since = document.hidden ? null : performance.now();
  });

  const field = (form, name) => form.querySelector(`input[name="${name}"]`);

  function formOf(target) {
    if (!(target instanceof Element)) return null;
    const form = target instanceof HTMLFormElement ? target : target.form || target.closest("form");
    return form instanceof HTMLFormElement ? form : null;
  }

  function stateOf(form) {
    const token = form && field(form, TOKEN);
    if (token && !states.has(form)) {
      const active = document.activeElement; // autofocus came before us
      states.set(form, {
        keys: 0,
        pastes: 0,
        pointers: 0,
        inputs: 0,
        focused: new Set(formOf(active) === form ? [active] : []),
        filled: new Set(),
        from: visible(),
        token: token.value,
        at: Date.now(),
        old: false,
        next: 0,
      });
    }
    return token && states.get(form);
  }

  // A token may be absent (cacheable page), used (back button) or old: fetch one when somebody begins to write.
  function renew(form, state) {
    const token = field(form, TOKEN);
    const marker = field(form, MARKER);
    const now = Date.now();
    if (token.value !== state.token) Object.assign(state, { token: token.value, at: now, old: false });
    const aged = now - state.at > Number(token.dataset.maxAge) * 1000;
    if (!marker || now < state.next || (token.value && !state.old && !aged)) return;
    state.next = now + PAUSE;
    fetch(`${token.dataset.fresh}?m=${encodeURIComponent(marker.value)}`, { cache: "no-store", credentials: "omit" })
      .then((answer) => (answer.ok ? answer.text() : ""))
      .then((text) => {
        if (!/^[\w.-]{40,600}$/.test(text)) return;
        token.value = text;
        Object.assign(state, { token: text, at: Date.now(), old: false });
      })
      .catch(() => {}); // offline: the form still goes out, with what it has
  }

  function filled(form) {
    try {
      return form.querySelectorAll(FILLED);
    } catch {
      return []; // a browser that knows neither name
    }
  }

  // Where our style sheet did not arrive, people see the box, and what they fill in says nothing.
  function isExposed(form) {
    const box = form.querySelector(".fw-more");
    if (!box || box.getClientRects().length === 0) return false;
    const { width, height } = box.getBoundingClientRect();
    return width > 2 && height > 2 && getComputedStyle(box).visibility === "visible";
  }

  function evidence(form, state) {
    for (const element of filled(form)) state.filled.add(element.name);
    return JSON.stringify({
      v: 1,
      t: field(form, TOKEN).value.slice(-16),
      k: state.keys,
      p: state.pastes,
      d: state.pointers,
      i: state.inputs,
      f: state.focused.size,
      s: Math.round((visible() - state.from) / 1000),
      a: [...state.filled].filter((name) => name && name.length <= LETTERS).slice(0, NAMES),
      w: navigator.webdriver ? 1 : 0,
      x: isExposed(form) ? 1 : 0,
    });
  }

  // At the document: for forms inserted later, too, and before the page's own listeners.
  function on(type, act) {
    document.addEventListener(
      type,
      (event) => {
        const form = formOf(event.target);
        const state = stateOf(form);
        if (state) act(state, event, form);
      },
      { capture: true, passive: true },
    );
  }

  function onUse(type, act) {
    on(type, (state, event, form) => {
      act(state, event);
      renew(form, state);
    });
  }

  onUse("keydown", (state, event) => { state.keys += event.isTrusted && !event.repeat; });
  onUse("paste", (state, event) => { state.pastes += event.isTrusted; });
  onUse("pointerdown", (state, event) => { state.pointers += event.isTrusted; });
  onUse("focusin", (state, event) => { state.focused.add(event.target); });
  onUse("input", (state, event) => {
    state.inputs += 1;
    // Keys, voice, input methods and pastes name their kind of input; browsers and password managers do not.
    if (!event.inputType && TYPED.test(event.target.type)) state.filled.add(event.target.name);
  });

  on("submit", (state, event, form) => {
    let seen = field(form, SEEN);
    if (!seen) {
      seen = document.createElement("input");
      seen.type = "hidden";
      seen.name = SEEN;
      form.append(seen);
    }
    seen.value = evidence(form, state);
  });
  // form.submit() and new FormData(form) cause no "submit".
  on("formdata", (state, event, form) => event.formData.set(SEEN, evidence(form, state)));

  function look() {
    for (const token of document.getElementsByName(TOKEN)) stateOf(token.form);
  }
  look();
  new MutationObserver(look).observe(document, { childList: true, subtree: true });

  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const token of document.getElementsByName(TOKEN)) {
      const state = stateOf(token.form);
      if (state) state.old = true;
    }
  });
})();
