// How did the runs of a spider compare: did last night's crawl bring half?
import { brief, count, lasting, make, moment } from "./shown.js";

const MOST = 30;
const DONE = new Set(["finished", "stopped", "killed"]);

/** What a run usually brings: the median of the finished ones; null of fewer than three. */
function usual(runs) {
  const items = runs.filter((run) => run.state === "finished").map((run) => run.items).sort((a, b) => a - b);
  return items.length < 3 ? null : items[Math.floor(items.length / 2)];
}

/** Is a run that has ended under half of what is usual? */
const low = (run, expected) => expected !== null && DONE.has(run.state) && run.items < expected / 2;

export function lastWasLow(runs) {
  const last = runs.find((run) => DONE.has(run.state));
  return last !== undefined && low(last, usual(runs));
}

/** Bars of the runs of one spider (the last one first in `runs`, at the right in the picture). */
export function bars(runs) {
  const shown = runs.slice(0, MOST).reverse();
  const expected = usual(runs);
  const most = Math.max(1, ...shown.map((run) => run.items));
  const longest = Math.max(1, ...shown.map((run) => run.seconds));
  const columns = shown.map((run) => {
    const is = low(run, expected) ? "low" : run.state;
    const items = make("i", { class: "bar-items" });
    const taken = make("i", { class: "bar-seconds" });
    items.style.height = `${Math.max(2, (run.items / most) * 100)}%`;
    taken.style.height = `${Math.max(2, (run.seconds / longest) * 100)}%`;
    const text = `${moment(run.started)}: ${count(run.items)} items, ${count(run.errors)} errors in ${lasting(run.seconds)}, ${run.state}`;
    const whole = is === "low" ? `${text}; under half of the usual ${count(expected)}` : text;
    return make("li", { class: `run ${is}`, title: whole, tabindex: "0" }, make("span", { class: "hidden" }, whole), items, taken, run.errors ? make("em", {}, brief(run.errors)) : null);
  });
  return make("div", { class: "runs" }, make("ol", { "aria-label": "Items, errors and duration of each run, the last one last" }, ...columns), note(runs, expected));
}

function note(runs, expected) {
  const last = runs.find((run) => DONE.has(run.state));
  const text = lastWasLow(runs)
    ? make("strong", { class: "warn" }, `The last run brought ${count(last.items)} items, under half of the usual ${count(expected)}.`)
    : expected === null ? "What is usual is known after three finished runs." : `Usual: ${count(expected)} items.`;
  const keys = [["bar-items", "items"], ["bar-seconds", "duration"]].map(([kind, title]) => make("span", {}, make("i", { class: kind }), ` ${title}`));
  return make("p", { class: "quiet legend" }, make("span", {}, text), ...keys, make("span", {}, make("em", {}, "n"), " errors"));
}
