// The stored theme, set before the first paint.
try {
  document.documentElement.dataset.theme = localStorage.getItem("theme") ?? "";
} catch {
  // without storage
}
