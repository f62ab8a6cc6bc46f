// Makes pages that work without it quicker: artists are offered while one types, and forms say that they are busy.
"use strict";

(() => {
  const input = document.getElementById("q");
  const list = document.getElementById("offered");
  const told = document.getElementById("told");
  if (!input) return;

  const ADDED = "recsys-added";
  let active = -1;
  let timer = 0;
  let asked = new AbortController();

  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", "offered");
  input.setAttribute("aria-expanded", "false");
  if (sessionStorage.getItem(ADDED)) {
    sessionStorage.removeItem(ADDED);
    input.focus({ preventScroll: true });
  }

  const close = () => {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };

  const choose = (name) => {
    const query = new URLSearchParams(location.search);
    query.delete("q");
    if (!query.getAll("like").includes(name)) query.append("like", name);
    sessionStorage.setItem(ADDED, "1");
    location.assign("/?" + query);
  };

  const mark = (place) => {
    const options = [...list.children];
    active = (place + options.length) % options.length;
    options.forEach((option, i) => option.setAttribute("aria-selected", String(i === active)));
    input.setAttribute("aria-activedescendant", options[active].id);
    options[active].scrollIntoView({ block: "nearest" });
  };

  const share = (part) => (part > 0 ? `${part < 0.1 ? (100 * part).toFixed(1) : Math.round(100 * part)}%` : "");

  const offer = (artists) => {
    list.replaceChildren(
      ...artists.map(({ name, listeners }, i) => {
        const option = document.createElement("li");
        const heard = document.createElement("span");
        option.id = `offered-${i}`;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.textContent = name;
        heard.textContent = share(listeners);
        option.append(heard);
        option.addEventListener("mousedown", (event) => event.preventDefault());
        option.addEventListener("click", () => choose(name));
        return option;
      }),
    );
    active = -1;
    input.removeAttribute("aria-activedescendant");
    list.hidden = artists.length === 0;
    input.setAttribute("aria-expanded", String(artists.length > 0));
    told.textContent = artists.length ? `${artists.length} artists` : "No artist like that";
    list.names = artists.map(({ name }) => name);
  };

  const ask = async () => {
    const text = input.value.trim();
    asked.abort();
    if (!text) return close();
    asked = new AbortController();
    try {
      const answer = await fetch("/artists.json?" + new URLSearchParams({ q: text }), { signal: asked.signal });
      if (answer.ok) offer(await answer.json());
    } catch (error) {
      if (error.name !== "AbortError") close();
    }
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 60);
  });
  input.addEventListener("keydown", (event) => {
    const open = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (open) mark(active < 0 && event.key === "ArrowUp" ? -1 : active + (event.key === "ArrowDown" ? 1 : -1));
      else ask();
    } else if (event.key === "Enter" && open && active >= 0) {
      event.preventDefault();
      choose(list.names[active]);
    } else if (event.key === "Escape" && open) {
      event.preventDefault();
      close();
    }
  });
  input.addEventListener("blur", () => setTimeout(close, 100));
  input.form.addEventListener("submit", () => sessionStorage.setItem(ADDED, "1"));
})();

(() => {
  const form = document.querySelector("form.upload");
  if (!form) return;
  const busy = form.querySelector(".busy");
  const button = form.querySelector("button");
  form.addEventListener("submit", (event) => {
    const file = form.elements.histories.files[0];
    if (file && file.size > Number(form.dataset.largest)) {
      event.preventDefault();
      busy.textContent = "This file is too large. Send a part of it.";
      return;
    }
    busy.textContent = "Evaluating…";
    button.disabled = true;
  });
  window.addEventListener("pageshow", () => {
    button.disabled = false;
    busy.textContent = "";
  });
})();
