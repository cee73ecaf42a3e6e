// Sets the chosen theme before the first paint. A classic script in the head on purpose: a module would come too late.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  let chosen = null;
  try { chosen = localStorage.getItem("handrail-theme"); } catch { /* storage may be forbidden; the system's theme holds */ }
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
})();
