"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const tip = document.getElementById("tip");
  const svg = "http://www.w3.org/2000/svg";

  const describe = (index) => {
    const [key, rank, score, ...metrics] = data.trials[index];
    return [`${key}  (trial ${index}, rank ${rank})`, `score ${score}`, ...metrics.map((value, i) => `${data.metrics[i]} ${value}`)].join("\n");
  };

  const show = (chart, ring, [x, y, index]) => {
    ring.setAttribute("cx", x);
    ring.setAttribute("cy", y);
    ring.removeAttribute("visibility");
    tip.textContent = describe(index);
    tip.hidden = false;
    const frame = chart.getBoundingClientRect();
    const scale = frame.width / chart.viewBox.baseVal.width;
    const left = frame.left + x * scale + window.scrollX;
    const top = frame.top + y * scale + window.scrollY;
    const most = document.documentElement.clientWidth + window.scrollX - tip.offsetWidth - 8;
    tip.style.left = `${Math.max(8, Math.min(left + 12, most))}px`;
    tip.style.top = `${Math.max(8, top - tip.offsetHeight - 12)}px`;
  };

  for (const chart of document.querySelectorAll("svg[data-plot]")) {
    const points = data.plots[chart.dataset.plot];
    const ring = document.createElementNS(svg, "circle");
    ring.setAttribute("class", "ring");
    ring.setAttribute("r", "6");
    const hide = () => {
      ring.setAttribute("visibility", "hidden");
      tip.hidden = true;
    };
    hide();
    chart.append(ring);
    chart.addEventListener("pointermove", (event) => {
      const frame = chart.getBoundingClientRect();
      const scale = frame.width / chart.viewBox.baseVal.width;
      const x = (event.clientX - frame.left) / scale;
      const y = (event.clientY - frame.top) / scale;
      let nearest = null;
      let least = 18 * 18;
      for (const point of points) {
        const distance = (point[0] - x) ** 2 + (point[1] - y) ** 2;
        if (distance < least) {
          least = distance;
          nearest = point;
        }
      }
      if (nearest) show(chart, ring, nearest);
      else hide();
    });
    chart.addEventListener("pointerleave", hide);

    // The Tab key selects one point in each chart, and the arrow keys move along the front.
    const links = [...chart.querySelectorAll("a")];
    links.forEach((link, place) => {
      const index = Number(link.dataset.trial);
      const point = points.find((candidate) => candidate[2] === index);
      link.querySelector("title").remove();
      link.setAttribute("tabindex", place ? "-1" : "0");
      link.addEventListener("focus", () => show(chart, ring, point));
      link.addEventListener("blur", hide);
      link.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (event.key === "Escape") hide();
        if (!step) return;
        event.preventDefault();
        const next = links[(place + step + links.length) % links.length];
        link.setAttribute("tabindex", "-1");
        next.setAttribute("tabindex", "0");
        next.focus();
      });
    });
  }

  const copy = async (text, block) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Some browsers refuse this without permission or for local files; the older way is used then.
      const range = document.createRange();
      range.selectNodeContents(block);
      const selection = window.getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      return document.execCommand("copy");
    }
    return true;
  };

  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const block = document.getElementById(button.dataset.copy);
      button.textContent = (await copy(block.textContent, block)) ? "Copied" : "Press Ctrl+C";
      window.setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }

  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const details of closed) details.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
  });
})();
