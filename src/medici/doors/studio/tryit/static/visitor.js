// Who is visiting. Outside production a demo user is made up on the spot and remembered; in
// production a person brings a token, which lives as long as the tab.

const DEMO = document.body.dataset.signIn === "demo";
const store = openStore(DEMO ? "localStorage" : "sessionStorage");

let signingIn = null;

export const isDemo = DEMO;

/** Returns {id, token}, signing a demo visitor in first; null where a person has to do it. */
export async function visitor() {
  const known = { id: store.get("user"), token: store.get("token") };
  if (known.id && known.token) return known;
  return DEMO ? renewed() : null;
}

/** Signs the same demo visitor in again, once for all who ask meanwhile. */
export function renewed() {
  signingIn ??= signIn(store.get("user") ?? `demo-${randomHex(8)}`).finally(() => { signingIn = null; });
  return signingIn;
}

export function remember(id, token) {
  store.set("user", id);
  store.set("token", token);
}

export function forget() {
  store.clear();
}

/** Hex digits that nobody can guess. crypto.randomUUID would need https, this does not. */
export function randomHex(bytes) {
  const numbers = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(numbers, (number) => number.toString(16).padStart(2, "0")).join("");
}

async function signIn(id) {
  const response = await fetch("/v1/auth/login-dev", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ user_id: id, platform: "web" }),
  });
  if (!response.ok) return null;
  const { access_token: token } = await response.json();
  remember(id, token);
  return { id, token };
}

/** Wraps browser storage; where that is closed to us, things last as long as the page. */
function openStore(kind) {
  const kept = new Map();
  const attempt = (act) => {
    try {
      return act(window[kind]);
    } catch {
      return undefined;
    }
  };
  const name = (key) => `medici.${key}`;
  return {
    get: (key) => attempt((storage) => storage.getItem(name(key))) ?? kept.get(key) ?? null,
    set(key, value) {
      kept.set(key, value);
      attempt((storage) => storage.setItem(name(key), value));
    },
    clear() {
      for (const key of ["user", "token"]) {
        kept.delete(key);
        attempt((storage) => storage.removeItem(name(key)));
      }
    },
  };
}
