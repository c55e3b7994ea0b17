// The page: what is typed or dropped is searched with; answers that come too late are not shown.

import { asked, isEmpty, read, write } from "./state.js";
import { Column, focusHit, isArrow, neighbour } from "./results.js";
import { Large } from "./large.js";

const DEBOUNCE = 200; // Milliseconds after the last key.
const SLOW = 250; // Milliseconds after which results that are old are shown as such.
const FEW = 24;
const WELCOME = "Type a sentence, or drop, paste or choose a picture.\nArrow keys move among what is found, Enter shows it large.";
const $ = (id) => document.getElementById(id);

let state = read();
let [indexes, limits] = [[], {}];
let columns = [];
let top = FEW;
let turn = 0;
let timer = 0;
let controller = new AbortController();
const large = new Large((query) => begin(query));

const say = (line) => ($("error").textContent = line);

// Search with something else than what is typed.
function begin(query) {
  state = { ...state, q: "", picture: "", item: "", of: "", name: "", ...query };
  top = FEW;
  write(state);
  arrange();
  search();
  scrollTo({ top: 0 });
}

async function search() {
  const own = ++turn;
  controller.abort();
  controller = new AbortController();
  clearTimeout(timer);
  say("");
  if (isEmpty(state)) {
    $("status").textContent = "";
    return settle(() => columns.forEach((column) => column.clear(WELCOME)));
  }
  if (state.q.length > limits.characters) {
    const [has, most] = [state.q.length, limits.characters].map((count) => count.toLocaleString("en"));
    $("status").textContent = "";
    return settle(() => say(`The sentence has ${has} characters; ${most} are taken. Shorten it.`));
  }
  const slow = setTimeout(() => own === turn && $("columns").classList.add("waiting"), SLOW);
  const started = performance.now();
  const answers = await Promise.all(columns.map((column) => answer(column)));
  clearTimeout(slow);
  if (own !== turn) return;
  settle(() => {
    const failed = answers.find((found) => found.error);
    if (failed) say(failed.error);
    answers.forEach((found, place) => found.hits && columns[place].show(found.hits, isMore(found.hits, columns[place])));
    $("status").textContent = failed ? "" : counted(answers, Math.round(performance.now() - started));
  });
  performance.measure("xmr-search", { start: started, end: performance.now() });
}

async function answer(column) {
  const query = asked(state, column.about.name);
  query.set("top", top);
  try {
    return await (await fetch(`/api/search?${query}`, { signal: controller.signal })).json();
  } catch (error) {
    return { error: error.name === "AbortError" ? "" : "The server does not answer: is 'xmr serve' still running?" };
  }
}

function settle(draw) {
  $("columns").classList.remove("waiting");
  draw();
}

function isMore(hits, column) {
  return top < limits.found && Object.entries(hits).some(([kind]) => column.about.counts[kind] > top);
}

function counted(answers, milliseconds) {
  const all = answers.flatMap((found) => Object.values(found.hits).flat());
  const count = (kind, one, more) => {
    const found = all.filter((hit) => hit.kind === kind).length;
    return found ? [`${found} ${found === 1 ? one : more}`] : [];
  };
  const parts = [...count("image", "picture", "pictures"), ...count("text", "sentence", "sentences")];
  const higher = (hit, place, own) => place && hit.score > own[place - 1].score + 1e-6;
  const reordered = answers.some((found) => Object.values(found.hits).some((own) => own.some(higher)));
  const order = reordered ? ", in the order of the query bank" : "";
  return parts.length ? `${parts.join(" and ")} in ${milliseconds} ms${order}` : "Nothing found";
}

// Bring fields, choices and columns in line with the state.
function arrange() {
  const known = (name) => indexes.some((about) => about.name === name);
  if (!known(state.index)) state.index = indexes[0].name;
  if (state.second && (!known(state.second) || indexes.length < 2)) state.second = "";
  if ($("sentence").value !== state.q) $("sentence").value = state.q;
  $("index").value = state.index;
  $("compare").checked = Boolean(state.second);
  $("second").hidden = !state.second;
  if (state.second) $("second").value = state.second;
  const shown = [state.index, state.second].filter(Boolean).map((name) => indexes.find((about) => about.name === name));
  $("bank-choice").hidden = !shown.some((about) => about.bank);
  $("bank").checked = state.bank !== "0";
  showAsked();
  document.title = state.q ? `${state.q.slice(0, 60)} – XMR` : "XMR";
  const names = shown.map((about) => about.name).join("\n");
  if (names === columns.map((column) => column.about.name).join("\n")) return;
  columns = shown.map((about) => new Column(about, open, more));
  $("columns").classList.toggle("two", columns.length > 1);
  $("columns").replaceChildren(...columns.map((column) => column.element));
}

function showAsked() {
  const picture = state.picture
    ? `/pictures/${encodeURIComponent(state.picture)}.jpg`
    : state.item && `/thumbnails/${encodeURIComponent(state.of)}/${encodeURIComponent(state.item)}/320.jpg`;
  $("asked").hidden = !picture;
  if (picture) $("asked-picture").src = picture;
  else $("asked-picture").removeAttribute("src");
  $("asked-name").textContent = state.name || "a picture";
}

function open(column, place) {
  large.open(state, column, place);
}

function more() {
  top = Math.min(top * 2, limits.found);
  search();
}

async function send(file) {
  const own = ++turn;
  clearTimeout(timer);
  controller.abort();
  controller = new AbortController();
  if (file.size > limits.bytes) {
    const [has, most] = [file.size, limits.bytes].map((bytes) => Math.ceil(bytes / 1e6));
    return settle(() => say(`${file.name} has ${has} MB; pictures up to ${most} MB are taken.`));
  }
  say("");
  $("status").textContent = "Reading the picture …";
  $("columns").classList.add("waiting");
  try {
    const answer = await fetch("/api/pictures", { method: "POST", body: file, signal: controller.signal });
    const found = await answer.json();
    if (own !== turn) return;
    if (found.error) throw new Error(`${file.name}: ${found.error}`);
    begin({ picture: found.picture, name: file.name });
  } catch (error) {
    if (own !== turn) return;
    $("status").textContent = "";
    settle(() => say(error instanceof TypeError ? "The picture could not be sent: is 'xmr serve' still running?" : error.message));
  }
}

function type() {
  clearTimeout(timer);
  timer = setTimeout(() => typed(true), DEBOUNCE);
}

function typed(typing) {
  const q = $("sentence").value;
  if (q === state.q && typing) return;
  top = FEW;
  state = { ...state, q, picture: "", item: "", of: "", name: "" };
  write(state, typing);
  arrange();
  search();
}

$("sentence").addEventListener("input", type);
$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  typed(false);
});
$("choose").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", () => {
  const [file] = $("file").files;
  if (file) send(file);
  $("file").value = "";
});
$("remove").addEventListener("click", () => {
  begin({});
  $("sentence").focus();
});
$("index").addEventListener("change", () => begin({ ...state, index: $("index").value }));
$("second").addEventListener("change", () => begin({ ...state, second: $("second").value }));
$("compare").addEventListener("change", () => {
  const other = indexes.find((about) => about.name !== state.index).name;
  begin({ ...state, second: $("compare").checked ? other : "" });
});
$("bank").addEventListener("change", () => begin({ ...state, bank: $("bank").checked ? "" : "0" }));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("large").open) return;
  const { target } = event;
  if (event.key === "/" && !target.closest("input:not([type=checkbox]), select")) {
    event.preventDefault();
    $("sentence").focus();
    $("sentence").select();
  } else if (event.key === "ArrowDown" && target === $("sentence")) {
    const first = document.querySelector(".hit");
    if (!first) return;
    event.preventDefault();
    focusHit(first);
  } else if (isArrow(event.key) && target.matches(".hit")) {
    event.preventDefault();
    const next = neighbour(target, event.key);
    if (next) focusHit(next);
    else if (event.key === "ArrowUp") $("sentence").focus();
  }
});

document.addEventListener("paste", (event) => {
  const [file] = event.clipboardData.files;
  if (!file) return;
  event.preventDefault();
  send(file);
});

// Entering a child leaves its parent: drops are counted, not seen.
let over = 0;
const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
document.addEventListener("dragenter", (event) => {
  if (hasFiles(event)) $("drop").classList.toggle("over", ++over > 0);
});
document.addEventListener("dragleave", (event) => {
  if (hasFiles(event)) $("drop").classList.toggle("over", --over > 0);
});
document.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
document.addEventListener("drop", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  over = 0;
  $("drop").classList.remove("over");
  const [file] = event.dataTransfer.files;
  if (file) send(file);
});

addEventListener("popstate", () => {
  state = read();
  top = FEW;
  if ($("large").open) $("large").close();
  arrange();
  search();
});

async function start() {
  try {
    ({ indexes, limits } = await (await fetch("/api/indexes")).json());
  } catch {
    return say("The server does not answer: is 'xmr serve' still running?");
  }
  for (const id of ["index", "second"]) {
    $(id).replaceChildren(...indexes.map((about) => new Option(about.name, about.name)));
  }
  $("compare-choice").hidden = $("index-choice").hidden = indexes.length < 2;
  // Someone may have typed before the page was ready.
  if ($("sentence").value && isEmpty(state)) state.q = $("sentence").value;
  arrange();
  await search();
  document.body.dataset.ready = "yes";
}

start();
