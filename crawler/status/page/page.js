// What is shown of a running crawl: which section, from which events, and when is it over?
import { act, command, confirmed, load, reason, watchDialogs } from "./actions.js";
import { Charts, watchSpan } from "./charts.js";
import { badge, Hosts } from "./hosts.js";
import { show, steered, watchSettings } from "./lists.js";
import { brief, bytes, count, counted, find, findAll, lasting, make, say, seconds } from "./shown.js";
import { watchKeys, watchTheme } from "./theme.js";

const TABS = findAll("main > [data-tab]").map((section) => section.dataset.tab);
const LISTS = { overview: ["slow", "feeds", "workers", "history"], errors: ["errors"], items: ["items"], settings: ["settings"] };
const SILENCE = 4; // seconds without a word, of a crawl that speaks each second
const AGAIN = 3; // seconds until the next try to reach it

const charts = new Charts(find("#charts"), () => load("api/series"));
const hosts = new Hosts();
let tab = "overview";
let now = null;
let heard = performance.now();
let over = false;
let lost = false;

// The sections.

function turnTo(name) {
  tab = TABS.includes(name) ? name : tab;
  for (const section of findAll("main > [data-tab]")) section.hidden = section.dataset.tab !== tab;
  for (const anchor of findAll(".top nav a")) {
    if (anchor.hash === `#${tab}`) {
      anchor.setAttribute("aria-current", "page");
      anchor.scrollIntoView({ block: "nearest", inline: "nearest" });
    } else anchor.removeAttribute("aria-current");
  }
  title();
  renew();
  if (tab === "overview") {
    charts.resize();
    charts.draw();
  }
}

/** Read anew what the open section shows and no event brings. */
function renew() {
  if (over || document.hidden) return;
  for (const list of LISTS[tab] ?? []) show(list);
  if (tab === "hosts") hosts.load();
}

function title() {
  if (!now) return;
  const section = tab === "overview" ? "" : `${tab[0].toUpperCase()}${tab.slice(1)} · `;
  const text = `${section}${now.job.spider}: ${now.job.state}, ${count(now.totals.items)} items`;
  if (document.title !== text) document.title = text;
}

// The crawl now.

function tell(fresh) {
  now = fresh;
  const { job, totals, rates } = now;
  say(find("#spider"), job.spider);
  say(find("#job"), [job.name && job.name !== job.spider && `job ${job.name}`, job.resumed && "resumed", job.machine && `on ${job.machine}`, job.pid && `process ${job.pid}`, job.cluster].filter(Boolean).join(" · "));
  say(find("#state"), job.state);
  find("#state").dataset.state = job.state;
  say(find("#elapsed"), lasting(now.seconds));
  say(find("#elapsed-title"), over ? "Ran for" : "Running for");
  say(find("#pause"), job.state === "paused" ? "Resume" : "Pause");
  say(find("#count-hosts"), badge(totals.hosts));
  say(find("#count-items"), badge(totals.items));
  const steers = now.control && !over;
  for (const element of findAll("[data-control]")) element.hidden = !steers;
  for (const element of findAll("[data-read-only]")) element.hidden = now.control;
  steered(steers);
  figures([
    ["Pages", count(totals.pages), `${brief(rates.pages)}/s`],
    ["Items", count(totals.items), `${brief(rates.items)}/s`],
    ["Received", bytes(totals.bytes), `${bytes(rates.bytes)}/s`],
    ["Queued", count(totals.queued), `${count(totals.in_flight)} in flight`],
    ["Latency", now.latency ? seconds(now.latency.p50) : "–", now.latency ? `99 %: ${seconds(now.latency.p99)}` : "none lately"],
    ["Errors", count(totals.errors), counted(totals.failed, "failed request"), totals.errors && "bad"],
    ["Retries", count(totals.retries), `${count(totals.dropped)} dropped`],
    ["Memory", now.memory ? bytes(now.memory) : "–", now.memory ? `lag ${seconds(now.lag)}` : "no process here"],
  ]);
  title();
}

function figures(all) {
  const box = find("#figures");
  if (!box.children.length) {
    box.append(...all.map(([name]) => make("div", { class: "card figure" }, make("dt", {}, name), make("dd", {}), make("dd", { class: "quiet" }))));
  }
  all.forEach(([, value, beside, kind], index) => {
    const [, big, small] = box.children[index].children;
    say(big, value);
    say(small, beside);
    big.className = kind || "";
  });
}

function notice(text, kind) {
  const box = find("#notice");
  box.hidden = !text;
  say(box, text);
  box.className = `notice ${kind ?? ""}`;
}

/** `last` is what the lists have come to: the crawl answers no more. */
function ended(last) {
  over = true;
  for (const [name, rows] of Object.entries(last ?? {})) {
    if (name === "hosts") hosts.end(rows);
    else show(name, rows);
  }
  const { job, totals } = now;
  const counts = `${counted(totals.pages, "page")}, ${counted(totals.items, "item")}, ${counted(totals.errors, "error")} in ${lasting(now.seconds)}`;
  notice(`The crawl is over: ${job.state}${job.reason && job.reason !== job.state ? ` (${job.reason})` : ""}. ${counts}. This page stays as it is.`, totals.errors ? "warn" : "good");
  tell(now);
}

// The events.

function connect() {
  const events = new EventSource("events");
  const on = (name, does) =>
    events.addEventListener(name, (event) => {
      heard = performance.now();
      if (lost) back();
      does(event.data && JSON.parse(event.data));
    });
  on("now", (data) => {
    tell(data.now);
    if (data.point) charts.add(data.point);
  });
  on("hosts", (rows) => (rows ? hosts.changed(rows) : tab === "hosts" && hosts.load()));
  for (const name of ["errors", "items", "slow", "settings", "feeds", "workers"]) {
    // Not at once: what comes with the end of the crawl is told there.
    on(name, () => setTimeout(() => !over && !document.hidden && [...(LISTS[tab] ?? []), "errors"].includes(name) && show(name), 100));
  }
  on("series", () => setTimeout(() => !over && charts.open().catch(() => {}), 100));
  on("end", (last) => {
    events.close();
    ended(last);
  });
  events.onerror = () => {
    if (over) return;
    lost = true;
    notice("The connection to the crawl is lost; trying again…", "warn");
    if (events.readyState === EventSource.CLOSED) setTimeout(() => refused(), AGAIN * 1000);
  };
}

/** The server has said no, or is gone: a crawl that was started anew has another key. */
async function refused() {
  const answer = await fetch("api/now").catch(() => null);
  if (answer && [401, 403].includes(answer.status)) {
    notice("This page's key is not valid any more. `crawler status` prints the address of a running crawl.", "bad");
    return;
  }
  if (answer?.status === 404) {
    notice(await reason(answer), "bad");
    return;
  }
  connect();
}

function back() {
  lost = false;
  notice("");
  charts.open();
  everything();
}

function everything() {
  for (const list of Object.values(LISTS).flat()) show(list);
  hosts.load();
}

/** A crawl whose loop is held cannot say so. */
function listen() {
  const silent = (performance.now() - heard) / 1000;
  if (over || lost) return;
  if (silent > SILENCE) notice(`No word from the crawl for ${Math.round(silent)} s: its loop is held up, or the connection is.`, "warn");
  else notice("");
}

// What the user does.

async function pause() {
  if (now?.control && !over) await act(now.job.state === "paused" ? "resume" : "pause");
}

async function stop() {
  if (!now?.control || over) return;
  const text = "What is in flight is finished, nothing new is begun. A job that is kept can be resumed.";
  if (await confirmed("Stop this crawl?", text, "Stop it")) await act("stop");
}

function watchForms() {
  find("#pause").addEventListener("click", pause);
  find("#stop").addEventListener("click", stop);
  find("#add").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await act("add", event.target.elements.url.value.trim())) event.target.reset();
  });
  find("#explain").addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = await command("explain", event.target.elements.url.value.trim());
    find("#explained").hidden = said === null;
    if (said !== null) say(find("#explained"), said);
  });
}

function toFilter() {
  const filter = find("main > :not([hidden]) input[type=search]");
  if (filter) filter.focus();
  else turnTo((location.hash = "hosts")), find("#filter-hosts").focus();
}

const turns = findAll(".top nav a").map((anchor) => [anchor.dataset.key, [anchor.firstChild.textContent.trim(), () => anchor.click()]]);
find("#to-jobs").hidden = !/\/jobs\/[^/]+\/$/.test(location.pathname); // one of many, by `crawler jobs --serve`
watchTheme(() => charts.build());
watchKeys({
  ...Object.fromEntries(turns),
  "/": ["Filter hosts or settings", toFilter],
  p: ["Pause or resume", pause],
  s: ["Stop (asks first)", stop],
  t: ["Change the colours", () => find("#theme").click()],
});
watchDialogs();
watchSettings();
watchForms();
watchSpan(charts);
addEventListener("hashchange", () => turnTo(location.hash.slice(1)));
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  heard = performance.now();
  charts.draw();
  renew();
});
setInterval(listen, 1000);
setInterval(renew, 5000);
turnTo(location.hash.slice(1) || "overview");
load("api/now").then(tell, () => {});
charts.open().catch(() => charts.build());
everything();
connect();
