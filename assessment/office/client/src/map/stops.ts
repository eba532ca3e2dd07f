/** The order of a package's day on the map: numbered stops, joined by a line. */
import Feature from "ol/Feature";
import { LineString, Point } from "ol/geom";
import VectorLayer from "ol/layer/Vector";
import { fromLonLat } from "ol/proj";
import VectorSource from "ol/source/Vector";
import { Circle, Fill, Stroke, Style, Text } from "ol/style";
import { openTownMap } from "./view";

interface Stop {
  address: string;
  at: [number, number] | null;
}

export async function startStops(root: HTMLElement): Promise<void> {
  const element = root.querySelector<HTMLElement>("[data-tiles]");
  const status = root.querySelector<HTMLElement>("[data-count]");
  if (!element || !status) return;
  root.hidden = false;
  const source = new VectorSource<Feature>();
  const above = new VectorLayer({ source, declutter: true });
  const town = await openTownMap(element, status, () => false, [above]);
  if (!town) return;
  const stops = await ask(root.dataset.stops ?? "");
  const places = stops.flatMap((stop, index) =>
    stop.at ? [{ number: index + 1, at: fromLonLat(stop.at) }] : [],
  );
  const missing = stops.length - places.length;
  status.textContent = missing
    ? `${places.length} of ${stops.length} properties stand on a parcel and are shown.`
    : `${places.length} properties, numbered in the order of the day.`;
  if (!places.length) return;
  const walk = new Feature(new LineString(places.map((place) => place.at)));
  walk.setStyle(
    new Style({ zIndex: -100_000, stroke: new Stroke({ color: "#1a4480", width: 2, lineDash: [6, 4] }) }),
  );
  source.addFeature(walk);
  source.addFeatures(places.map(({ number, at }) => stopOf(number, at)));
  const extent = source.getExtent();
  if (extent) town.map.getView().fit(extent, { padding: [40, 40, 40, 40], maxZoom: 19 });
}

async function ask(address: string): Promise<Stop[]> {
  try {
    const response = await fetch(address, { credentials: "same-origin" });
    return response.ok ? ((await response.json()) as { stops: Stop[] }).stops : [];
  } catch {
    return [];
  }
}

function stopOf(number: number, at: number[]): Feature {
  const feature = new Feature(new Point(at));
  feature.setStyle(
    new Style({
      // The first stops stay where there is no room for all.
      zIndex: -number,
      image: new Circle({
        radius: 11,
        fill: new Fill({ color: "#1a4480" }),
        stroke: new Stroke({ color: "#ffffff", width: 2 }),
        declutterMode: "declutter",
      }),
      text: new Text({
        text: String(number),
        font: "bold 11px sans-serif",
        fill: new Fill({ color: "#ffffff" }),
      }),
    }),
  );
  return feature;
}
