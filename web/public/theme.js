// Runs before the first paint, so that a theme fixed by hand never flashes the other one.
try {
  const theme = localStorage.getItem("nuthatch.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is off: the system's theme applies.
}
