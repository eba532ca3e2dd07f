/**
 * Search as you type over an ordinary search form (WAI-ARIA combobox with a list of links).
 *
 * `data-suggest` is the address that answers `?q=` with `{"hits": [{"url", "title", "detail"}]}`.
 * Answers that arrive late for an older text are dropped.
 */
interface Hit {
  url: string;
  title: string;
  detail: string;
}

const PAUSE_MS = 120;
const SHORTEST = 2;

export function startSearch(form: HTMLFormElement): void {
  const address = form.dataset.suggest;
  const box = form.querySelector<HTMLInputElement>("[data-search-box]");
  if (!address || !box) return;

  const list = document.createElement("ul");
  list.id = `${box.id}-hits`;
  list.className = "hits";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Properties found");
  list.hidden = true;
  const status = document.createElement("div");
  status.className = "sr-only";
  status.setAttribute("role", "status");
  form.append(list, status);
  box.setAttribute("role", "combobox");
  box.setAttribute("aria-autocomplete", "list");
  box.setAttribute("aria-expanded", "false");
  box.setAttribute("aria-controls", list.id);
  box.autocomplete = "off";

  let hits: Hit[] = [];
  let current = -1;
  let pause = 0;
  let asked: AbortController | undefined;

  const close = (): void => {
    list.hidden = true;
    current = -1;
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  };

  const mark = (index: number): void => {
    current = index;
    for (const [place, option] of [...list.children].entries()) {
      option.setAttribute("aria-selected", String(place === index));
      if (place === index) {
        box.setAttribute("aria-activedescendant", option.id);
        option.scrollIntoView({ block: "nearest" });
      }
    }
    if (index < 0) box.removeAttribute("aria-activedescendant");
  };

  const show = (found: Hit[]): void => {
    hits = found;
    list.replaceChildren(...found.map((hit, place) => option(hit, place, list.id)));
    list.hidden = found.length === 0;
    box.setAttribute("aria-expanded", String(found.length > 0));
    status.textContent = found.length === 1 ? "1 property found" : `${found.length} properties found`;
    mark(-1);
  };

  const ask = async (text: string): Promise<void> => {
    asked?.abort();
    asked = new AbortController();
    try {
      const url = new URL(address, document.baseURI);
      url.searchParams.set("q", text);
      const response = await fetch(url, { signal: asked.signal, credentials: "same-origin" });
      if (response.ok && !response.redirected) show(((await response.json()) as { hits: Hit[] }).hits);
    } catch (error) {
      if (!(error instanceof DOMException)) close();
    }
  };

  box.addEventListener("input", () => {
    window.clearTimeout(pause);
    const text = box.value.trim();
    if (text.length < SHORTEST) {
      asked?.abort();
      close();
      return;
    }
    pause = window.setTimeout(() => void ask(text), PAUSE_MS);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      if (list.hidden) box.blur();
      else close();
    } else if (list.hidden) {
      return;
    } else if (event.key === "ArrowDown") {
      mark(Math.min(current + 1, hits.length - 1));
    } else if (event.key === "ArrowUp") {
      mark(Math.max(current - 1, -1));
    } else if (event.key === "Enter") {
      const hit = hits[current];
      if (!hit) return;
      window.location.assign(hit.url);
    } else {
      return;
    }
    event.preventDefault();
  });
  list.addEventListener("mousedown", (event) => {
    const index = [...list.children].findIndex((item) => item.contains(event.target as Node));
    const hit = hits[index];
    if (!hit) return;
    event.preventDefault();
    if (event.ctrlKey || event.metaKey) window.open(hit.url, "_blank", "noopener");
    else window.location.assign(hit.url);
  });
  box.addEventListener("blur", close);
}

function option(hit: Hit, place: number, listId: string): HTMLLIElement {
  const item = document.createElement("li");
  item.id = `${listId}-${place}`;
  item.className = "hits__hit";
  item.setAttribute("role", "option");
  item.setAttribute("aria-selected", "false");
  const title = document.createElement("span");
  title.textContent = hit.title;
  const detail = document.createElement("span");
  detail.textContent = hit.detail;
  item.append(title, detail);
  return item;
}
