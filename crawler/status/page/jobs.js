// Which jobs are there, and how did each spider's runs compare?
import { load, watchDialogs } from "./actions.js";
import { bars, lastWasLow } from "./runs.js";
import { count, find, lasting, make, say, table, time } from "./shown.js";
import { watchKeys, watchTheme } from "./theme.js";

const MOST = 200; // rows at once
const AGAIN = 5; // seconds until they are read anew
const asked = { sort: "started", descending: true, most: MOST, spiders: 6 };
let jobs = [];
let before = "";

const COLUMNS = [
  { title: "Job", sort: "name", head: true, value: (job) => make("a", { href: `jobs/${encodeURIComponent(job.name)}/` }, job.name) },
  { title: "Spider", sort: "spider", value: (job) => job.spider },
  { title: "State", sort: "state", value: state },
  { title: "Began", sort: "started", value: (job) => (job.started ? time(job.started) : "–") },
  { title: "Duration", sort: "seconds", number: true, value: (job) => lasting(job.seconds) },
  { title: "Pages", sort: "pages", number: true, value: (job) => count(job.pages) },
  { title: "Items", sort: "items", number: true, value: (job) => count(job.items) },
  { title: "Errors", sort: "errors", number: true, value: (job) => make("span", { class: job.errors ? "bad" : "quiet" }, count(job.errors)) },
  { title: "Left", sort: "queued", number: true, value: (job) => count(job.queued) },
  { title: "Live", value: (job) => (/^https?:/.test(job.url ?? "") ? make("a", { href: job.url, "aria-label": `Page of ${job.name}, live` }, "page") : "–") },
];

function state(job) {
  const said = make("span", { class: "state", "data-state": job.state }, job.state);
  return job.message ? make("span", {}, said, make("span", { class: "message bad" }, ` ${job.message}`)) : said;
}

function show() {
  const wanted = find("#filter").value.trim().toLowerCase();
  const inState = find("#state").value;
  const rows = jobs.filter((job) => (!inState || job.state === inState) && `${job.name} ${job.spider}`.toLowerCase().includes(wanted));
  const value = (job) => job[asked.sort] ?? "";
  rows.sort((one, other) => (value(one) < value(other) ? -1 : value(one) > value(other) ? 1 : 0) * (asked.descending ? -1 : 1));
  table(find("#jobs"), COLUMNS, rows.slice(0, asked.most), {
    sorted: { name: asked.sort, descending: asked.descending },
    onSort: (name) => {
      asked.descending = name === asked.sort ? !asked.descending : !["name", "spider", "state"].includes(name);
      asked.sort = name;
      show();
    },
    empty: jobs.length ? "No job is so called" : "No job yet: `crawler crawl NAME --job JOB` makes one",
  });
  const more = rows.length - asked.most;
  const button = make("button", { type: "button", click: () => show((asked.most += MOST)) }, `Show more (${count(more)})`);
  find("#more").replaceChildren(...(more > 0 ? [button] : []));
}

function states() {
  const known = [...new Set(jobs.map((job) => job.state))].sort();
  const chosen = find("#state").value;
  const options = [make("option", { value: "" }, "any"), ...known.map((name) => make("option", { value: name, selected: name === chosen }, name))];
  find("#state").replaceChildren(...options);
  const counts = known.map((name) => `${count(jobs.filter((job) => job.state === name).length)} ${name}`);
  say(find("#counts"), counts.join(" · ") || "none");
  document.title = `Jobs: ${counts.join(", ") || "none"}`;
}

/** Cards of the spiders: first whose last run brought little, then those that ran last. */
function spiders() {
  const bySpider = Map.groupBy(jobs.filter((job) => job.spider && job.started), (job) => job.spider);
  const known = [...bySpider].map(([spider, runs]) => ({ spider, runs: runs.sort((one, other) => other.started - one.started) }));
  known.sort((one, other) => lastWasLow(other.runs) - lastWasLow(one.runs) || other.runs[0].started - one.runs[0].started);
  const shown = known.slice(0, asked.spiders);
  const cards = shown.map(({ spider, runs }) => make("section", { class: "card" }, make("h3", {}, spider), bars(runs)));
  find("#spiders").replaceChildren(...(cards.length ? cards : [make("p", { class: "quiet" }, "No run yet.")]));
  const click = () => spiders((asked.spiders = Infinity));
  const button = make("button", { type: "button", click }, `Show all ${count(known.length)} spiders`);
  find("#more-spiders").replaceChildren(...(known.length > shown.length ? [button] : []));
}

async function read() {
  if (document.hidden) return;
  try {
    const all = await load("api/jobs");
    find("#notice").hidden = true;
    const text = JSON.stringify(all);
    if (text === before) return;
    before = text;
    jobs = all;
    states();
    spiders();
    show();
  } catch (error) {
    find("#notice").hidden = false;
    find("#notice").className = "notice warn";
    say(find("#notice"), error instanceof TypeError ? "The connection is lost; trying again…" : error.message);
  }
}

watchTheme(() => {});
watchDialogs();
watchKeys({
  "/": ["Filter jobs", () => find("#filter").focus()],
  t: ["Change the colours", () => find("#theme").click()],
});
find("#filter").addEventListener("input", show);
find("#state").addEventListener("change", show);
document.addEventListener("visibilitychange", read);
setInterval(read, AGAIN * 1000);
read();
