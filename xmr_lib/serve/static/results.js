// The results of one index: pictures as a grid, sentences as a list, and moving between them by keys.
// Names and sentences are set as text, never as HTML: they are somebody else's.

export const decimal = (value) => value.toFixed(3).replace("-", "−");

export const score = (hit) => (hit.score === null ? "" : decimal(hit.score));

export const thumbnail = (index, hit, side) =>
  `/thumbnails/${encodeURIComponent(index)}/${hit.id}/${side}.jpg?v=${hit.version}`;

const cloned = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

export class Column {
  constructor(about, open, more) {
    this.about = about;
    this.hits = [];
    this.element = cloned("column");
    this.find("h2").textContent = about.name;
    this.find(".about").textContent = about.lines.join(" · ");
    this.element.setAttribute("aria-label", about.name);
    this.find(".more").addEventListener("click", more);
    this.element.addEventListener("click", (event) => {
      const button = event.target.closest(".hit");
      if (button) open(this, this.buttons().indexOf(button));
    });
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  buttons() {
    return [...this.element.querySelectorAll(".hit")];
  }

  say(line) {
    this.find(".empty").textContent = line;
  }

  show(found, most) {
    const pictures = found.image ?? [];
    const sentences = found.text ?? [];
    this.hits = [...sentences, ...pictures];
    this.say(this.hits.length ? "" : "Nothing is indexed here.");
    this.find(".grid").replaceChildren(...pictures.map((hit) => this.picture(hit)));
    this.find(".sentences").replaceChildren(...sentences.map((hit) => this.sentence(hit)));
    const both = Boolean(pictures.length && sentences.length);
    this.element.classList.toggle("both", both);
    for (const heading of this.element.querySelectorAll("h3")) heading.hidden = !both;
    this.find(".more").hidden = !most;
    const [first] = this.buttons();
    if (first) first.tabIndex = 0;
  }

  clear(line) {
    this.show({}, false);
    this.say(line);
  }

  picture(hit) {
    const item = cloned("picture-hit");
    const image = item.querySelector("img");
    image.addEventListener("error", () => image.classList.add("missing"));
    image.src = thumbnail(this.about.name, hit, 320);
    item.querySelector(".name").textContent = hit.name.split("/").pop();
    item.querySelector(".score").textContent = score(hit);
    item.firstElementChild.title = hit.name;
    return item;
  }

  sentence(hit) {
    const item = cloned("sentence-hit");
    item.querySelector(".text").textContent = hit.text;
    item.querySelector(".score").textContent = score(hit);
    return item;
  }
}

// One result of each column is reached by Tab, the others from there by arrows.
export function focusHit(button) {
  for (const other of button.closest(".column").querySelectorAll(".hit")) other.tabIndex = -1;
  button.tabIndex = 0;
  button.focus();
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// The nearest result in the direction of an arrow, as the eye sees it; null: there is none.
export function neighbour(button, key) {
  const [right, down] = ARROWS[key];
  const own = button.getBoundingClientRect();
  const middle = (box) => [box.left + box.width / 2, box.top + box.height / 2];
  const [x, y] = middle(own);
  let best = null;
  let least = Infinity;
  for (const other of document.querySelectorAll(".hit")) {
    const box = other.getBoundingClientRect();
    const [left, top] = middle(box);
    const along = right ? (left - x) * right : (top - y) * down;
    const sameRow = box.bottom > own.top + 4 && box.top < own.bottom - 4;
    if (other === button || along <= 4 || sameRow !== Boolean(right)) continue;
    const far = along + 2 * Math.abs(right ? top - y : left - x) * (down ? 0.4 : 1);
    if (far < least) [best, least] = [other, far];
  }
  if (best || !right) return best;
  const all = [...button.closest(".column").querySelectorAll(".hit")];
  return all[all.indexOf(button) + right] ?? null;
}

export const isArrow = (key) => key in ARROWS;
