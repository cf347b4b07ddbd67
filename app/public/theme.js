// Before the first paint: the saved theme, else the system's. A file of its own because the page allows no inline script.
(function () {
  var root = document.documentElement, saved = null, dark = matchMedia("(prefers-color-scheme: dark)");
  try { saved = localStorage.getItem("mailroom-theme"); } catch (e) { /* private mode */ }
  root.dataset.theme = saved || (dark.matches ? "dark" : "light");
  try { root.lang = localStorage.getItem("mailroom-language") || (navigator.language || "en").slice(0, 2); } catch (e) { /* private mode */ }
  // The texts come with the program rather than after it.
  var texts = document.querySelector("meta[name=texts-" + root.lang + "]") || document.querySelector("meta[name=texts-en]"), link = document.createElement("link");
  if (!texts) return;
  link.rel = "preload"; link.as = "fetch"; link.crossOrigin = ""; link.href = texts.content;
  document.head.appendChild(link);
})();
