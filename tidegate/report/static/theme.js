(() => {
  try {
    const chosen = localStorage.getItem("tidegate-theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch (refused) { /* storage is off: the system's theme it is */ }
  document.documentElement.classList.add("js");
})();
