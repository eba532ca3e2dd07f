/** Keyboard shortcuts: "/" goes to the search, an element's data-key is pressed by its letter. */

/** Whether keys typed into `target` are text of its own. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement)
    return !["checkbox", "radio", "button", "submit"].includes(target.type);
  return (
    target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable
  );
}

/** Whether a key with no modifier was pressed outside of a text field. */
export function isShortcut(event: KeyboardEvent): boolean {
  return (
    !event.defaultPrevented && !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event.target)
  );
}

export function startKeys(root: Document): void {
  root.addEventListener("keydown", (event) => {
    if (!isShortcut(event)) return;
    if (event.key === "/") {
      const box = root.querySelector<HTMLInputElement>("[data-search-box]");
      if (!box) return;
      event.preventDefault();
      box.focus();
      box.select();
      return;
    }
    const target = [...root.querySelectorAll<HTMLElement>("[data-key]")].find(
      (element) => element.dataset.key === event.key,
    );
    if (target) {
      event.preventDefault();
      target.click();
    }
  });
}
