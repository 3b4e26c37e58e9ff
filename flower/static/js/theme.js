// Before the first paint: whether script runs, and the theme that was chosen ("system" when none was).
(function () {
  "use strict";
  const KEY = "flower-theme";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");

  function chosen() {
    try {
      return localStorage.getItem(KEY) || "system";
    } catch {
      return "system"; // storage is off
    }
  }

  function show() {
    const theme = chosen();
    root.dataset.bsTheme = theme === "system" ? (system.matches ? "dark" : "light") : theme;
    for (const button of document.querySelectorAll("button[data-theme]")) {
      button.setAttribute("aria-pressed", String(button.dataset.theme === theme));
    }
  }

  function choose(theme) {
    try {
      if (theme === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, theme);
    } catch {
      // The choice holds for this page only.
      root.dataset.bsTheme = theme;
      return;
    }
    show();
  }

  root.classList.add("scripted");
  show();
  system.addEventListener("change", show);
  addEventListener("storage", show);
  addEventListener("DOMContentLoaded", show);
  addEventListener("click", (event) => {
    const button = event.target.closest("button[data-theme]");
    if (button) choose(button.dataset.theme);
    for (const menu of document.querySelectorAll("[data-menu][open]")) {
      // What was pressed may be gone from the page by now.
      if (button || !event.composedPath().includes(menu)) menu.open = false;
    }
  });
  document.addEventListener("flower:theme", (event) => choose(event.detail));
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("[data-menu][open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
})();
