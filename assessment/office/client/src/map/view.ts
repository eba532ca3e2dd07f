/** A map of the town's parcels in an element of the page. */
import { ScaleLine, Zoom } from "ol/control";
import { DragPan, defaults } from "ol/interaction";
import type BaseLayer from "ol/layer/Base";
import OpenMap from "ol/Map";
import View from "ol/View";
import { openParcels, type Parcels } from "./parcels";

export interface TownMap {
  map: OpenMap;
  parcels: Parcels;
}

/** Fills `element` with the map, or says in `status` that it cannot be read. */
export async function openTownMap(
  element: HTMLElement,
  status: HTMLElement,
  isChosen: (key: string) => boolean,
  above: BaseLayer[],
): Promise<TownMap | null> {
  let parcels: Parcels;
  try {
    parcels = await openParcels(element.dataset.tiles ?? "", isChosen);
  } catch {
    element.hidden = true;
    status.textContent = "The map cannot be read now; everything works without it.";
    return null;
  }
  const view = new View({ extent: parcels.extent, constrainOnlyCenter: true, maxZoom: 20 });
  const map = new OpenMap({
    target: element,
    layers: [parcels.layer, ...above],
    view,
    // Dragging always moves the map; the wheel zooms it once it has the focus, so that the page can be scrolled past it.
    interactions: defaults({ onFocusOnly: true, dragPan: false }).extend([new DragPan()]),
    controls: [new Zoom({ zoomInLabel: "+", zoomOutLabel: "\u2212" }), new ScaleLine({ units: "us" })],
  });
  view.fit(parcels.extent, { padding: [24, 24, 24, 24] });
  view.setMinZoom((view.getZoom() ?? 12) - 1);
  map.on("rendercomplete", () => {
    // Where the map looks, for whoever works on the page by program.
    element.dataset.center = view.getCenter()?.join(" ");
    element.dataset.resolution = String(view.getResolution());
    element.dataset.ready = "yes";
  });
  return { map, parcels };
}
