/** Starts the maps of a page; what they do can be done without them too. */
import "ol/ol.css";
import { startDrawing } from "./map/draw";
import { startStops } from "./map/stops";

for (const element of document.querySelectorAll<HTMLElement>("[data-draw-map]")) void startDrawing(element);
for (const element of document.querySelectorAll<HTMLElement>("[data-stops]")) void startStops(element);
