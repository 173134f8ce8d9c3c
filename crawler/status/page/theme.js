// Which colours, and which keys?
import { find, findAll, make } from "./shown.js";

const THEMES = { system: ["◐", "as the system has them"], light: ["☀", "light"], dark: ["☾", "dark"] };

/** A browser may keep nothing for us; then a choice lasts as long as the page. */
export const kept = {
  get: (name) => {
    try {
      return localStorage.getItem(`crawl.${name}`);
    } catch {
      return null;
    }
  },
  set: (name, value) => {
    try {
      localStorage.setItem(`crawl.${name}`, value);
    } catch {
      // as above
    }
  },
};

export function watchTheme(changed) {
  const button = find("#theme");
  const names = Object.keys(THEMES);
  let now = names.includes(kept.get("theme")) ? kept.get("theme") : "system";
  const wear = () => {
    document.documentElement.dataset.theme = now;
    button.textContent = THEMES[now][0];
    button.setAttribute("aria-label", `Colours: ${THEMES[now][1]}`);
    button.title = `Colours: ${THEMES[now][1]}`;
  };
  wear();
  button.addEventListener("click", () => {
    now = names[(names.indexOf(now) + 1) % names.length];
    kept.set("theme", now);
    wear();
    changed();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
}

/** keys: key → [what it does, function]. They can be switched off: a voice that dictates types letters, too. */
export function watchKeys(keys) {
  const help = find("#help");
  const on = find("#keys-on");
  const all = { ...keys, "?": ["This list", () => help.showModal()] };
  on.checked = kept.get("keys") !== "off";
  on.addEventListener("change", () => kept.set("keys", on.checked ? "on" : "off"));
  find("#help-keys").replaceChildren(
    ...Object.entries(all).map(([key, [text]]) => make("div", {}, make("dt", {}, make("kbd", {}, key)), make("dd", {}, text))),
    make("div", {}, make("dt", {}, make("kbd", {}, "Esc")), make("dd", {}, "Close what is open")),
  );
  find("#keys").addEventListener("click", () => help.showModal());
  document.addEventListener("keydown", (event) => {
    const writing = event.target.closest("input:not([type=checkbox]), select, textarea, dialog");
    if (!on.checked || writing || event.ctrlKey || event.metaKey || event.altKey || findAll("dialog[open]").length) return;
    const key = all[event.key];
    if (!key) return;
    event.preventDefault();
    key[1]();
  });
}
