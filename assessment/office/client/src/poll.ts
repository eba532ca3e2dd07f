/**
 * Keeps a fragment of the page fresh: `data-poll` is its address, `data-poll-every` milliseconds.
 *
 * The server answers with the fragment alone, and with the header `X-Poll: done` when nothing will
 * change any more. A hidden tab does not ask; an answer that fails is asked again, more slowly.
 */
const SLOWEST_MS = 30_000;

export function startPolling(element: HTMLElement): void {
  const url = element.dataset.poll;
  if (!url) return;
  const every = Number(element.dataset.pollEvery ?? "2000");
  let wait = every;

  const ask = async (): Promise<void> => {
    if (!document.hidden) {
      try {
        const response = await fetch(url, {
          headers: { "X-Requested-With": "fetch" },
          credentials: "same-origin",
        });
        if (response.redirected || response.status === 403 || response.status === 404) return;
        if (response.ok) {
          replace(element, await response.text());
          wait = every;
          if (response.headers.get("X-Poll") === "done") return;
        } else {
          wait = Math.min(wait * 2, SLOWEST_MS);
        }
      } catch {
        wait = Math.min(wait * 2, SLOWEST_MS);
      }
    }
    window.setTimeout(() => void ask(), wait);
  };
  window.setTimeout(() => void ask(), every);
}

/** Puts the fragment in place, unless the person is working inside it. */
function replace(element: HTMLElement, html: string): void {
  if (element.contains(document.activeElement) && document.activeElement !== document.body) return;
  const parsed = new DOMParser().parseFromString(html, "text/html");
  element.replaceChildren(...parsed.body.childNodes);
}
