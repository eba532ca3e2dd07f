/**
 * A queue worked with the keyboard: j and k move, x marks, Shift+click marks a range.
 *
 * Without this script the same form works with Tab and Space.
 */
import { isShortcut } from "./keys";

export function startQueue(form: HTMLFormElement): void {
  const picks = [...form.querySelectorAll<HTMLInputElement>("input.pick[name]")];
  const all = form.querySelector<HTMLInputElement>("[data-pick-all]");
  const tally = form.querySelector<HTMLElement>("[data-tally]");
  let cursor = -1;
  let lastPicked = -1;

  const count = (): void => {
    const marked = picks.filter((pick) => pick.checked).length;
    if (tally) tally.textContent = `${marked} of ${picks.length} marked`;
    if (all) {
      all.checked = marked > 0 && marked === picks.length;
      all.indeterminate = marked > 0 && marked < picks.length;
    }
  };

  const move = (step: number): void => {
    if (picks.length === 0) return;
    picks[cursor]?.closest("tr")?.classList.remove("is-cursor");
    cursor = Math.min(Math.max(cursor + step, 0), picks.length - 1);
    const row = picks[cursor]?.closest("tr");
    row?.classList.add("is-cursor");
    row?.scrollIntoView({ block: "nearest" });
    picks[cursor]?.focus({ preventScroll: true });
  };

  form.addEventListener("click", (event) => {
    const index = picks.indexOf(event.target as HTMLInputElement);
    if (index < 0) return;
    if (event.shiftKey && lastPicked >= 0) {
      const [from, to] = [Math.min(index, lastPicked), Math.max(index, lastPicked)];
      const state = picks[index]?.checked ?? false;
      for (const pick of picks.slice(from, to + 1)) pick.checked = state;
    }
    lastPicked = index;
    cursor = index;
    count();
  });
  if (all) {
    all.closest<HTMLElement>("[hidden]")?.removeAttribute("hidden");
    all.addEventListener("change", () => {
      for (const pick of picks) pick.checked = all.checked;
      count();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (!isShortcut(event)) return;
    if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "x" && cursor >= 0) picks[cursor]?.click();
    else return;
    event.preventDefault();
  });
  count();
}
