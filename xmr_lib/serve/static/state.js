// What is asked, as the address keeps it: a reload, the back button and a copied address bring it back.

const FIELDS = ["q", "picture", "name", "item", "of", "index", "second", "bank"];
const PAUSE = 3000; // Milliseconds without typing after which a sentence has an entry of its own in the history.

let typed = 0;

export function read() {
  const found = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(FIELDS.map((field) => [field, found.get(field) ?? ""]));
}

export function write(state, typing = false) {
  const kept = new URLSearchParams();
  for (const field of FIELDS) if (state[field]) kept.set(field, state[field]);
  const address = `#${kept}`;
  if (address === location.hash || (address === "#" && !location.hash)) return;
  const goesOn = typing && typed && performance.now() - typed < PAUSE;
  typed = typing ? performance.now() : 0;
  history[goesOn ? "replaceState" : "pushState"](null, "", address);
}

// What the server is asked about one index.
export function asked(state, index) {
  const found = new URLSearchParams({ index });
  if (state.picture) found.set("picture", state.picture);
  else if (state.item) for (const field of ["item", "of"]) found.set(field, state[field]);
  else found.set("q", state.q);
  if (state.bank) found.set("bank", state.bank);
  return found;
}

export function isEmpty(state) {
  return !(state.q.trim() || state.picture || state.item);
}
