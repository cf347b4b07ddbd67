// Before the first paint: the saved theme, else the system's. A file of its own because the page allows no inline script.
(function () {
  var root = document.documentElement, saved = null, dark = matchMedia("(prefers-color-scheme: dark)");
  try { saved = localStorage.getItem("mailroom-theme"); } catch (e) { /* private mode */ }
  root.dataset.theme = saved || (dark.matches ? "dark" : "light");
  try { root.lang = localStorage.getItem("mailroom-language") || (navigator.language || "en").slice(0, 2); } catch (e) { /* private mode */ }
})();
