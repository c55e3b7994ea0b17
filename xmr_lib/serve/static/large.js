// One result large, with what the match rests on.

import { asked } from "./state.js";
import { decimal, focusHit, score, thumbnail } from "./results.js";

const SHOWN = 6; // Regions that are framed; more would hide the picture.
const $ = (id) => document.getElementById(id);

export class Large {
  constructor(search) {
    this.search = search;
    this.controller = new AbortController();
    $("close").addEventListener("click", () => $("large").close());
    $("before").addEventListener("click", () => this.step(-1));
    $("after").addEventListener("click", () => this.step(1));
    $("with-this").addEventListener("click", () => this.withThis());
    $("large").addEventListener("click", (event) => event.target === $("large") && $("large").close());
    $("large").addEventListener("close", () => this.closed());
    $("large-picture").addEventListener("load", () => {
      const { naturalWidth, naturalHeight } = $("large-picture");
      $("large-figure").style.setProperty("--ratio", naturalWidth / naturalHeight || 1);
    });
    $("large").addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.step(step);
    });
  }

  open(state, column, place) {
    Object.assign(this, { state: { ...state }, column, place });
    this.show();
    if (!$("large").open) $("large").showModal();
    $("close").focus();
  }

  step(by) {
    if (!this.column.hits[this.place + by]) return;
    this.place += by;
    this.show();
  }

  closed() {
    this.controller.abort();
    const button = this.column.buttons()[this.place];
    if (button) focusHit(button);
  }

  withThis() {
    const hit = this.column.hits[this.place];
    $("large").close();
    this.search(hit.kind === "image" ? { item: String(hit.id), of: this.column.about.name, name: hit.name } : { q: hit.text });
  }

  show() {
    const hit = this.column.hits[this.place];
    const picture = this.pictureOf(hit);
    $("large").classList.toggle("plain", !picture);
    $("large-figure").hidden = !picture;
    $("frames").replaceChildren();
    if (picture) $("large-picture").src = picture;
    else $("large-picture").removeAttribute("src");
    $("large-picture").alt = hit.kind === "image" ? hit.name : "The picture that is searched with";
    $("large-name").textContent = hit.kind === "image" ? hit.name : hit.text;
    const measure = this.column.about.distance === "cosine" ? "cosine similarity" : "similarity (minus the distance)";
    const bank = this.column.about.bank && this.state.bank !== "0" ? " (the order is normalised by the query bank)" : "";
    $("large-score").textContent = `Number ${hit.rank} · ${measure} ${score(hit)}${bank}`;
    $("with-this").textContent = `Search with this ${hit.kind === "image" ? "picture" : "sentence"}`;
    $("before").disabled = !this.column.hits[this.place - 1];
    $("after").disabled = !this.column.hits[this.place + 1];
    this.explain(hit);
  }

  pictureOf(hit) {
    if (hit.kind === "image") return thumbnail(this.column.about.name, hit, 1024);
    if (this.state.picture) return `/pictures/${this.state.picture}.jpg`;
    return this.state.item ? `/thumbnails/${encodeURIComponent(this.state.of)}/${this.state.item}/1024.jpg` : null;
  }

  async explain(hit) {
    this.controller.abort();
    this.controller = new AbortController();
    for (const id of ["words", "regions"]) $(id).replaceChildren();
    $("regions-note").textContent = "";
    $("words-note").textContent = "Looking …";
    const query = asked(this.state, this.column.about.name);
    query.set("hit", hit.id);
    try {
      const answer = await fetch(`/api/explain?${query}`, { signal: this.controller.signal });
      const found = await answer.json();
      $("words-note").textContent = "";
      if (found.error) throw new Error(found.error);
      if (found.words) showWords(found.words);
      if (found.regions) showRegions(found.regions);
      if (!found.words && !found.regions) {
        $("words-note").textContent = "This model compares pictures as wholes: there are no regions or words to show.";
      }
    } catch (error) {
      if (error.name !== "AbortError") $("words-note").textContent = error.message;
    }
  }
}

function showWords(found) {
  const attention = found.measure === "attention";
  const most = Math.max(...found.weights.map(Math.abs), 1e-9);
  const spans = found.words.map((word, place) => {
    const span = document.createElement("span");
    const weight = found.weights[place];
    const mark = { "[CLS]": "begin", "[SEP]": "end" }[word];
    span.textContent = mark ?? word.replace(/^##(?=.)/, "");
    span.classList.toggle("mark", Boolean(mark));
    span.classList.toggle("piece", !mark && /^##./.test(word));
    span.title = attention ? percent(weight) : signed(weight);
    const share = Math.round((60 * Math.abs(weight)) / most);
    span.style.background = `color-mix(in srgb, var(${weight < 0 ? "--against" : "--accent"}) ${share}%, transparent)`;
    return span;
  });
  $("words").replaceChildren(...spans.flatMap((span) => [span, " "]));
  const first = found.words
    .map((word, place) => [word, found.weights[place]])
    .filter(([word, weight]) => !/^\[.+\]$/.test(word) && weight > 0)
    .sort((a, b) => b[1] - a[1])
    .slice(0, 3)
    .map(([word, weight]) => `${word} ${attention ? percent(weight) : signed(weight)}`);
  const measure = attention
    ? `The model's attention over the words (${found.model}).`
    : `How much the similarity falls when a word is left out (leave-one-out, ${found.model}).`;
  const against = found.weights.some((weight) => weight < -most / 20) ? "Words in the other colour speak against the match." : "";
  const leading = first.length ? `Most: ${first.join(", ")}.` : "";
  $("words-note").textContent = [measure, leading, against].filter(Boolean).join(" ");
}

function showRegions(found) {
  const areas = found.boxes.map(([left, top, right, bottom]) => (right - left) * (bottom - top));
  const whole = areas.map((area) => area > 0.98);
  const most = Math.max(...found.weights);
  if (Math.max(...areas) - Math.min(...areas) < 1e-3) {
    const places = found.boxes.map((box, place) => {
      const shade = put("place", box);
      shade.style.opacity = (0.75 * found.weights[place]) / most;
      return shade;
    });
    $("frames").replaceChildren(...places);
    $("regions-note").textContent = `The lighter a place, the more the model's attention looks at it (${found.model}).`;
    return;
  }
  const order = found.weights.map((_, place) => place).sort((a, b) => found.weights[b] - found.weights[a]);
  const items = [];
  let number = 0;
  for (const place of order.slice(0, SHOWN)) {
    const item = document.createElement("li");
    const [mark, name, weight] = ["b", "span", "span"].map((tag) => item.appendChild(document.createElement(tag)));
    name.textContent = whole[place] ? "whole picture" : found.names[place] || "a region";
    weight.textContent = percent(found.weights[place]);
    if (!whole[place]) {
      mark.textContent = ++number;
      const frame = put("frame", found.boxes[place]);
      frame.style.opacity = 0.7 + (0.3 * found.weights[place]) / most;
      frame.appendChild(document.createElement("b")).textContent = number;
      $("frames").append(frame);
    }
    items.push(item);
  }
  $("regions").replaceChildren(...items);
  $("regions-note").textContent =
    `The model's attention over ${found.boxes.length} regions (${found.model}), the heaviest ${items.length} of them.`;
}

function put(name, [left, top, right, bottom]) {
  const found = document.createElement("div");
  found.className = name;
  for (const [side, share] of Object.entries({ left, top, right: 1 - right, bottom: 1 - bottom })) {
    found.style[side] = `${100 * share}%`;
  }
  return found;
}

const percent = (share) => `${(100 * share).toFixed(0)} %`;
const signed = (value) => (value < 0 ? decimal(value) : `+${decimal(value)}`);
