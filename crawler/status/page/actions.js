// How is the crawl told something, and the user what came of it?
import { find, findAll, make, say } from "./shown.js";

/** A word of a command as the crawl reads it: quoted as a shell has it. */
export const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${String(text).replaceAll("'", `'"'"'`)}'`);

export async function load(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(await reason(answer));
  return answer.json();
}

/** What the crawl says of why not. */
export async function reason(answer) {
  const text = await answer.text();
  try {
    return JSON.parse(text).error;
  } catch {
    return text || `${answer.status} ${answer.statusText}`;
  }
}

/** Say these words to the crawl; returns its answer, or null after it has refused (which a toast says). */
export async function command(...words) {
  const body = new URLSearchParams({ words: words.map(quoted).join(" "), csrf: find("meta[name=csrf]").content });
  try {
    const answer = await fetch("do", { method: "POST", body });
    if (!answer.ok) throw new Error(await reason(answer));
    return (await answer.json()).said;
  } catch (error) {
    toast(error instanceof TypeError ? "The crawl does not answer." : error.message, "bad");
    return null;
  }
}

/** The same, with the answer as a toast. */
export async function act(...words) {
  const said = await command(...words);
  if (said !== null) toast(said);
  return said !== null;
}

export function toast(text, kind = "good") {
  const close = () => box.remove();
  const box = make("div", { class: `toast ${kind}`, role: kind === "bad" && "alert" }, make("p", {}, text));
  box.append(make("button", { type: "button", class: "icon", "aria-label": "Dismiss", click: close }, "✕"));
  // A modal dialog makes all that is not in it inert: what it led to is said in it.
  const dialog = findAll("dialog[open]").pop();
  if (dialog) dialog.append(find("#toasts"));
  find("#toasts").append(box);
  while (find("#toasts").children.length > 4) find("#toasts").firstChild.remove();
  setTimeout(close, kind === "bad" ? 15000 : 6000);
}

/** Ask before what cannot be taken back. */
export function confirmed(title, text, yes) {
  const dialog = find("#confirm");
  say(find("#confirm-title"), title);
  say(find("#confirm-text"), text);
  say(find("#confirm-yes"), yes);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

export function watchDialogs() {
  for (const dialog of findAll("dialog")) {
    find("[data-close]", dialog)?.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("close", () => dialog.contains(find("#toasts")) && document.body.append(find("#toasts")));
  }
}
