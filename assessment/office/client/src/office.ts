/** Starts what a page asks for by its attributes; every page also works without this script. */
import { startKeys } from "./keys";
import { startPolling } from "./poll";
import { startPrint } from "./print";
import { startQueue } from "./queue";
import { startSearch } from "./search";

startKeys(document);
for (const element of document.querySelectorAll<HTMLElement>("[data-poll]")) startPolling(element);
for (const element of document.querySelectorAll<HTMLFormElement>("[data-queue]")) startQueue(element);
for (const element of document.querySelectorAll<HTMLFormElement>("[data-suggest]")) startSearch(element);
for (const element of document.querySelectorAll<HTMLButtonElement>("[data-print]")) startPrint(element);
