(() => {
  const root = document.documentElement, slides = [...document.querySelectorAll(".slide")];
  const nav = document.querySelector("nav"), now = document.getElementById("now");
  const [WIDTH, HEIGHT, LEAST] = [1280, 720, 12];
  let current = -1;

  // Text that is too long for a slide gets smaller letters, never a hidden end.
  const fit = (slide) => {
    const box = slide.querySelector(".fit");
    for (let size = 24; size > LEAST; size -= 1) {
      slide.style.fontSize = size + "px";
      if (box.scrollHeight <= box.clientHeight && box.scrollWidth <= box.clientWidth) break;
    }
  };
  const place = () => {
    const scale = Math.min(innerWidth / WIDTH, innerHeight / HEIGHT);
    const [x, y] = [(innerWidth - WIDTH * scale) / 2, (innerHeight - HEIGHT * scale) / 2];
    for (const slide of slides) slide.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
  };
  const show = (index) => {
    index = Math.max(0, Math.min(slides.length - 1, index));
    if (index === current) return;
    current = index;
    slides.forEach((slide, i) => {
      slide.classList.toggle("on", i === index);
      slide.toggleAttribute("inert", i !== index);
    });
    history.replaceState(null, "", "#" + (index + 1));
    now.textContent = slides[index].getAttribute("aria-label") + ": " + slides[index].querySelector("h1, h2").textContent;
  };
  const fromAddress = () => show((parseInt(location.hash.slice(1), 10) || 1) - 1);
  const scheme = (value) => { root.dataset.scheme = value; };

  const keys = {
    ArrowRight: () => show(current + 1), ArrowDown: () => show(current + 1), PageDown: () => show(current + 1),
    ArrowLeft: () => show(current - 1), ArrowUp: () => show(current - 1), PageUp: () => show(current - 1),
    Home: () => show(0), End: () => show(slides.length - 1), " ": () => show(current + 1),
    d: () => scheme(root.dataset.scheme === "dark" ? "light" : "dark"),
  };
  addEventListener("keydown", (event) => {
    const onButton = event.key === " " && event.target.closest("button");
    if (event.ctrlKey || event.metaKey || event.altKey || onButton || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  let touch = 0;
  addEventListener("touchstart", (event) => { touch = event.touches[0].clientX; }, { passive: true });
  addEventListener("touchend", (event) => {
    const moved = event.changedTouches[0].clientX - touch;
    if (Math.abs(moved) > 50) show(current + (moved < 0 ? 1 : -1));
  }, { passive: true });
  document.getElementById("next").onclick = keys.ArrowRight;
  document.getElementById("back").onclick = keys.ArrowLeft;
  document.getElementById("scheme").onclick = keys.d;
  addEventListener("resize", place);
  addEventListener("hashchange", fromAddress);

  scheme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  addEventListener("beforeprint", () => { root.dataset.before = root.dataset.scheme; scheme("light"); });
  addEventListener("afterprint", () => scheme(root.dataset.before));
  nav.hidden = false;
  root.classList.add("live");
  slides.forEach(fit);
  place();
  fromAddress();
})();
