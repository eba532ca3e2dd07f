/** A print button; it is hidden where there is no script to press it. */
export function startPrint(button: HTMLButtonElement): void {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
