// Which hosts are there, what does each wait for, and what may be done to one?
import { act, confirmed, load } from "./actions.js";
import { brief, count, find, findAll, make, refresh, say, seconds, table } from "./shown.js";

const COLUMNS = [
  { title: "Host", sort: "name", head: true, value: (row) => make("button", { type: "button", class: "link", "data-host": row.name }, row.name) },
  { title: "Queued", sort: "queued", number: true, value: (row) => count(row.queued) },
  { title: "In flight", sort: "in_flight", number: true, value: (row) => `${row.in_flight} / ${row.concurrency}` },
  { title: "Delay", sort: "delay", number: true, value: (row) => (row.delay ? seconds(row.delay) : "none") },
  { title: "Waits for", value: (row) => why(row) },
  { title: "Slowed down", value: (row) => row.throttle || "no" },
  { title: "robots.txt", value: (row) => row.robots || "not asked" },
  { title: "Pages", sort: "pages", number: true, value: (row) => count(row.pages) },
  { title: "Errors", sort: "errors", number: true, value: (row) => make("span", { class: row.errors ? "bad" : "quiet" }, count(row.errors)) },
];

const REASONS = { slots: "a free slot", store: "the job's store", retry: "the next attempt", concurrency: "what is in flight" };

function why(row) {
  const text = row.paused ? "paused" : (REASONS[row.why] ?? row.why);
  if (!text) return make("span", { class: "tag good" }, "nothing");
  const until = row.seconds > 0 && !row.paused ? ` · ${seconds(row.seconds)}` : "";
  const kind = text === "nothing queued" ? "quiet" : ["paused", "Retry-After", "retry"].includes(row.paused ? "paused" : row.why) ? "warn" : "";
  return make("span", { class: `tag ${kind}` }, text + until);
}

export class Hosts {
  constructor() {
    this.asked = { page: 1, sort: "queued", desc: true, filter: "" };
    this.rows = new Map(); // name → row
    this.lines = new Map(); // name → its line of the table
    this.last = null; // the page of them that came with the crawl's end
    this.number = 0; // of the newest question: an older one's answer may come later
    find("#hosts-table").addEventListener("click", (event) => {
      const name = event.target.closest("[data-host]")?.dataset.host;
      if (name !== undefined) this.open(name);
    });
    find("#filter-hosts").addEventListener("input", (event) => this.ask({ page: 1, filter: event.target.value.trim() }));
    find("#pace").addEventListener("submit", (event) => {
      event.preventDefault();
      const { what, value } = event.target.elements;
      act(what.value, "all", value.value).then(() => this.load());
    });
    this.watchDialog();
  }

  ask(changed) {
    Object.assign(this.asked, changed);
    return this.load();
  }

  async load() {
    if (this.last) {
      this.show(this.ofLast());
      return;
    }
    const number = ++this.number;
    const { page, sort, desc, filter } = this.asked;
    const query = new URLSearchParams({ page, sort, desc: desc ? 1 : 0, filter });
    const found = await load(`api/hosts?${query}`).catch(() => null);
    if (found !== null && number === this.number) this.show(found);
  }

  /** The crawl is over: what is asked for now is found in what it told last. */
  end(found) {
    this.last = found;
    this.load();
  }

  ofLast() {
    const { sort, desc, filter } = this.asked;
    const rows = this.last.rows.filter((row) => row.name.includes(filter));
    rows.sort((one, other) => (one[sort] < other[sort] ? -1 : one[sort] > other[sort] ? 1 : 0) * (desc ? -1 : 1));
    return { rows, page: 1, pages: 1, total: filter ? rows.length : this.last.total };
  }

  show(found) {
    const { sort, desc, filter } = this.asked;
    this.asked.page = found.page;
    this.rows = new Map(found.rows.map((row) => [row.name, row]));
    this.lines = table(find("#hosts-table"), COLUMNS, found.rows, {
      key: (row) => row.name,
      sorted: { name: sort, descending: desc },
      onSort: (name) => this.ask({ page: 1, sort: name, desc: name === sort ? !desc : name !== "name" }),
      empty: filter ? `No host has “${filter}” in its name` : "No host yet",
    });
    this.turn(found);
  }

  /** Offer the pages before and after this one. */
  turn(found) {
    const button = (text, page, off) =>
      make("button", { type: "button", disabled: off, click: () => this.ask({ page }) }, text);
    const first = found.total ? (found.page - 1) * 200 + 1 : 0;
    const text = `${count(first)}–${count(first ? first + found.rows.length - 1 : 0)} of ${count(found.total)}`;
    find("#hosts-pages").replaceChildren(
      button("← Before", found.page - 1, found.page <= 1),
      make("span", { role: "status" }, text),
      button("Next →", found.page + 1, found.page >= found.pages),
    );
    find("#hosts-pages").classList.toggle("one", found.pages <= 1);
  }

  /** Rows that have changed: those that are shown are written anew, in their places. */
  changed(rows) {
    for (const row of rows) {
      if (!this.lines.has(row.name)) continue;
      this.rows.set(row.name, row);
      refresh(this.lines.get(row.name), COLUMNS, row);
      if (find("#host").open && row.name === this.shown) this.fill(row);
    }
  }

  open(name) {
    this.shown = name;
    const row = this.rows.get(name);
    this.fill(row);
    find("[data-word=delay] input").value = row.delay;
    find("[data-word=concurrency] input").value = row.concurrency;
    find("#host").showModal();
  }

  fill(row) {
    say(find("#host-name"), row.name);
    say(find("#host-pause"), row.paused ? "Resume" : "Pause");
    find("#host-facts").replaceChildren(
      ...COLUMNS.slice(1).map((column) => make("div", {}, make("dt", {}, column.title), make("dd", {}, column.value(row)))),
    );
  }

  watchDialog() {
    const dialog = find("#host");
    for (const form of findAll("form", dialog)) {
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        await act(form.dataset.word, this.shown, form.elements.value.value);
        this.again();
      });
    }
    find("#host-pause").addEventListener("click", async () => {
      await act(this.rows.get(this.shown)?.paused ? "resume" : "pause", this.shown);
      this.again();
    });
    find("#host-drop").addEventListener("click", async () => {
      const row = this.rows.get(this.shown);
      const text = `${count(row.queued)} queued ${row.queued === 1 ? "request" : "requests"} to ${row.name} will not be sent, in this run or a later one.`;
      if (await confirmed("Drop this host's queue?", text, "Drop the queue")) await act("drop", row.name);
      this.again();
    });
  }

  async again() {
    await this.load();
    const row = this.rows.get(this.shown);
    if (row && find("#host").open) this.fill(row);
  }
}

export const badge = (number) => (number ? brief(number) : "");
