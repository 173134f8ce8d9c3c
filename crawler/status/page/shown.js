// How is a value shown? What came from the network becomes text here, never markup.

/** Make an element; what is in `set` becomes attributes, functions listen, false and null are left out. */
export function make(name, set = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(set)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value !== false && value != null) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child != null && child !== ""));
  return element;
}

export const find = (selector, inside = document) => inside.querySelector(selector);
export const findAll = (selector, inside = document) => [...inside.querySelectorAll(selector)];

/** Set a text only where it differs, so that nothing is drawn or read aloud anew. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const small = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const known = (value) => typeof value === "number" && Number.isFinite(value);

export const count = (value) => (known(value) ? whole.format(value) : "–");
export const counted = (value, noun) => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
export const brief = (value) => (known(value) ? (Math.abs(value) < 1000 ? small : short).format(value) : "–");

export function bytes(value) {
  if (!known(value)) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (Math.abs(value) >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit ? small.format(value) : whole.format(value)} ${units[unit]}`;
}

/** A short span: 0.0123 → 12.3 ms, 4.5 → 4.5 s. */
export function seconds(value) {
  if (!known(value)) return "–";
  return value < 1 ? `${small.format(value * 1000)} ms` : value < 120 ? `${small.format(value)} s` : lasting(value);
}

/** A long span: 3:07, 2:03:07, 4 d 02:03:07. */
export function lasting(value) {
  if (!known(value)) return "–";
  const all = Math.max(0, Math.floor(value));
  const two = (number) => String(number).padStart(2, "0");
  const [days, hours, minutes] = [Math.floor(all / 86400), Math.floor(all / 3600) % 24, Math.floor(all / 60) % 60];
  const clock = all >= 3600 ? `${days ? two(hours) : hours}:${two(minutes)}:${two(all % 60)}` : `${minutes}:${two(all % 60)}`;
  return days ? `${days} d ${clock}` : clock;
}

/** A moment (Unix seconds): the time of day, and the date if it is not today. */
export function moment(value) {
  if (!known(value)) return "–";
  const date = new Date(value * 1000);
  const today = date.toDateString() === new Date().toDateString();
  const options = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  return date.toLocaleString([], today ? options : { ...options, second: undefined, year: "numeric", month: "short", day: "numeric" });
}

export const time = (value) =>
  make("time", { datetime: known(value) ? new Date(value * 1000).toISOString() : null }, moment(value));

/** A link if it is one of the web, else text: a URL of another scheme could be a script. */
export function link(url) {
  if (!/^https?:\/\//i.test(url ?? "")) return make("span", { class: "url" }, url || "–");
  return make("a", { href: url, class: "url", target: "_blank", rel: "noopener noreferrer" }, url);
}

/**
 * Fill a table. A column: {title, value(row) → text or element, sort (its name), number (aligned right), head}.
 * Returns the body's rows by `key(row)`.
 */
export function table(element, columns, rows, { key = null, sorted = null, onSort = null, empty = "None so far" } = {}) {
  const head = columns.map((column) => {
    const set = { scope: "col", class: column.number && "number" };
    if (!column.sort || !onSort) return make("th", set, column.title);
    const direction = sorted.name !== column.sort ? "none" : sorted.descending ? "descending" : "ascending";
    const click = () => onSort(column.sort);
    return make("th", { ...set, "aria-sort": direction }, make("button", { type: "button", click }, column.title));
  });
  const body = make("tbody");
  const byKey = new Map();
  for (const row of rows) {
    const line = make("tr", {}, ...columns.map((column) => cell(column, row)));
    if (key) byKey.set(key(row), line);
    body.append(line);
  }
  if (!rows.length) body.append(make("tr", { class: "empty" }, make("td", { colspan: columns.length }, empty)));
  const place = element.contains(document.activeElement) && document.activeElement.closest("th, td");
  const [section, line, column] = place ? [place.closest("tbody") ? 1 : 0, place.parentNode.sectionRowIndex, place.cellIndex] : [];
  element.replaceChildren(make("thead", {}, make("tr", {}, ...head)), body);
  // Who goes by keyboard stays where he is.
  if (place) element.children[section].rows[line]?.cells[column]?.querySelector("a, button")?.focus();
  return byKey;
}

function cell(column, row) {
  const set = { class: column.number && "number", "data-title": column.title };
  return make(column.head ? "th" : "td", column.head ? { ...set, scope: "row" } : set, column.value(row) ?? "–");
}

/** Write a row that changed into the line it has; its head is its name, which stays. */
export function refresh(line, columns, row) {
  columns.forEach((column, index) => {
    if (column.head) return;
    const fresh = column.value(row) ?? "–";
    if (typeof fresh === "string") say(line.cells[index], fresh);
    else line.cells[index].replaceChildren(fresh);
  });
}
