// What went wrong, what came out, what is slow, who works, how is it set?
import { act, load } from "./actions.js";
import { bars } from "./runs.js";
import { brief, count, find, link, make, say, seconds, table, time } from "./shown.js";

const LISTS = { errors, items, slow, feeds, workers, settings, history };
const last = {}; // what each list has been filled from
let steers = false;

/** Show a list, which is read anew unless it is given; one that cannot be had stays as it was. */
export async function show(name, given = null) {
  const rows = given ?? (await load(`api/${name}`).catch(() => null));
  const text = JSON.stringify(rows);
  if (rows === null || last[name]?.text === text) return;
  last[name] = { text, rows };
  LISTS[name](rows);
}

function errors(kinds) {
  say(find("#count-errors"), kinds.length ? brief(kinds.length) : "");
  const most = Math.max(1, ...kinds.map((kind) => kind.count));
  const cards = kinds.map((kind) =>
    make(
      "article",
      { class: "card entry" },
      make("header", {}, make("h3", {}, kind.kind), make("span", { class: "tag bad" }, `${count(kind.count)} ×`), make("span", { class: "quiet" }, "last ", time(kind.last))),
      make("meter", { min: 0, max: most, value: kind.count, "aria-label": `${kind.count} of this kind` }),
      kind.message && make("p", { class: "message" }, kind.message),
      make("dl", { class: "facts" }, fact("For example", link(kind.url)), kind.where && fact("Your line", make("code", {}, kind.where))),
    ),
  );
  find("#errors-list").replaceChildren(...(cards.length ? cards : [nothing("No errors. All is well.")]));
}

function items(found) {
  const cards = found.map((item) =>
    make("article", { class: "card entry" }, make("header", {}, link(item.url), make("span", { class: "quiet" }, time(item.time))), make("pre", {}, spread(item.text))),
  );
  find("#items-list").replaceChildren(...(cards.length ? cards : [nothing("No items yet.")]));
}

/** JSON over several lines, if it is whole: what is long has been cut. */
function spread(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

const fact = (title, value) => make("div", {}, make("dt", {}, title), make("dd", {}, value));
const nothing = (text) => make("p", { class: "nothing" }, text);

/** A job that is read where it is kept does not know all that a running crawl knows. */
const unknown = (rows) => !rows.length && !find("#to-jobs").hidden;

function slow(rows) {
  const columns = [
    { title: "What", head: true, value: (row) => row.what },
    { title: "Where", value: (row) => make("code", {}, row.where) },
    { title: "Longest", number: true, value: (row) => seconds(row.seconds) },
    { title: "Times", number: true, value: (row) => count(row.count) },
  ];
  find("#slow-card").hidden = unknown(rows);
  table(find("#slow"), columns, rows, { empty: "Nothing has held the crawl up" });
}

function feeds(rows) {
  const columns = [
    { title: "Feed", head: true, value: (row) => make("span", { class: "url" }, row.path) },
    { title: "Items", number: true, value: (row) => count(row.items) },
  ];
  find("#feeds-card").hidden = unknown(rows);
  table(find("#feeds"), columns, rows, { empty: "No feed: items go to the pipelines alone" });
}

function workers(rows) {
  const columns = [
    { title: "Worker", head: true, value: (row) => row.name },
    { title: "Machine", value: (row) => row.machine },
    { title: "State", value: (row) => row.state },
    { title: "Pages", number: true, value: (row) => count(row.pages) },
    { title: "Pages/s", number: true, value: (row) => brief(row.rate) },
    { title: "Items", number: true, value: (row) => count(row.items) },
    { title: "Hosts", number: true, value: (row) => count(row.hosts) },
    { title: "Heard of", number: true, value: (row) => `${seconds(row.seen)} ago` },
  ];
  find("#workers-card").hidden = !rows.length;
  table(find("#workers"), columns, rows);
}

function history(runs) {
  find("#history-card").hidden = runs.length < 2;
  find("#history").replaceChildren(bars(runs));
}

function settings(all) {
  const wanted = find("#filter-settings").value.trim().toUpperCase();
  const changed = find("#changed").checked;
  const rows = all.filter((row) => row.name.includes(wanted) && (!changed || row.who || row.origin !== "default"));
  const columns = [
    { title: "Setting", head: true, value: (row) => make("code", {}, row.name) },
    { title: "Value", value: (row) => make("code", { class: "value" }, row.value) },
    { title: "From", value: (row) => (row.who ? `${row.origin} (${row.who})` : row.origin) },
    { title: "While running", value: (row) => change(row) },
  ];
  table(find("#settings-table"), columns, rows, { empty: "No setting is so called" });
}

function change(row) {
  if (!row.live) return make("span", { class: "quiet" }, "stays as it is");
  if (!steers) return "may be changed";
  return make("button", { type: "button", "aria-label": `Change ${row.name}`, click: () => edit(row) }, "Change");
}

function edit(row) {
  const dialog = find("#setting");
  say(find("#setting-name"), row.name);
  say(find("#setting-origin"), `Now by ${row.who || row.origin}`);
  find("input", dialog).value = row.value;
  dialog.showModal();
}

export function watchSettings() {
  const again = () => last.settings && settings(last.settings.rows);
  find("#filter-settings").addEventListener("input", again);
  find("#changed").addEventListener("change", again);
  find("#setting form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const done = await act("set", find("#setting-name").textContent, event.target.elements.value.value);
    if (done) find("#setting").close();
    show("settings");
  });
}

/** Who may steer gets the buttons for it. */
export function steered(may) {
  if (steers === may) return;
  steers = may;
  if (last.settings) settings(last.settings.rows);
}
