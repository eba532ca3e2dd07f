/** The town's parcels from its PMTiles archive, drawn on a canvas: no WebGL, no worker, nothing inline. */
import MVT from "ol/format/MVT";
import VectorTileLayer from "ol/layer/VectorTile";
import { transformExtent } from "ol/proj";
import type Projection from "ol/proj/Projection";
import type RenderFeature from "ol/render/Feature";
import VectorTileSource from "ol/source/VectorTile";
import { Fill, Stroke, Style, Text } from "ol/style";
import type Tile from "ol/Tile";
import TileState from "ol/TileState";
import { createXYZ } from "ol/tilegrid";
import type VectorTile from "ol/VectorTile";
import { PMTiles } from "pmtiles";

export interface Parcels {
  layer: VectorTileLayer;
  /** West, south, east, north in web mercator. */
  extent: number[];
}

/** Meters to a pixel below which a lot has room for its number, and for the name of its street. */
const NUMBERS_AT = 1.2;
const STREETS_AT = 4;
/** One parcel in so many carries its street's name; overlapping ones are left out. */
const NAMED = 6;

/** Reads the archive's header; rejects when there is none that can be read. */
export async function openParcels(address: string, isChosen: (key: string) => boolean): Promise<Parcels> {
  const archive = new PMTiles(new URL(address, location.href).href);
  const header = await archive.getHeader();
  const format = new MVT({ layers: ["parcels"] });
  const source = new VectorTileSource({
    format,
    url: "{z}/{x}/{y}",
    tileGrid: createXYZ({ minZoom: header.minZoom, maxZoom: header.maxZoom, tileSize: 512 }),
    tileLoadFunction: (tile: Tile) => load(archive, format, tile as VectorTile<RenderFeature>),
  });
  const layer = new VectorTileLayer({
    source,
    declutter: true,
    style: (feature, resolution) => styles(feature as RenderFeature, resolution, isChosen),
  });
  const degrees = [header.minLon, header.minLat, header.maxLon, header.maxLat];
  return { layer, extent: transformExtent(degrees, "EPSG:4326", "EPSG:3857") };
}

function load(archive: PMTiles, format: MVT, tile: VectorTile<RenderFeature>): void {
  tile.setLoader((extent: number[], _resolution: number, projection: Projection) => {
    const [z, x, y] = tile.getTileCoord() as [number, number, number];
    archive
      .getZxy(z, x, y)
      .then((found) => {
        const read = { extent, featureProjection: projection };
        tile.setFeatures(found ? (format.readFeatures(found.data, read) as RenderFeature[]) : []);
      })
      .catch(() => tile.setState(TileState.ERROR));
  });
}

const plain = body("#ffffff", "#71767a", 1);
const chosen = body("#97d4ea", "#1a4480", 2.5);
/** From afar a line of its full width would be all that is seen of a lot. */
const farPlain = body("#ffffff", "#a9aeb1", 0.4);
const farChosen = body("#2491c3", "#1a4480", 0.4);

function body(fill: string, line: string, width: number): Style {
  return new Style({
    fill: new Fill({ color: fill }),
    stroke: new Stroke({ color: line, width }),
    zIndex: width > 1 ? 1 : 0,
  });
}

function styles(feature: RenderFeature, resolution: number, isChosen: (key: string) => boolean): Style[] {
  const isIn = isChosen(String(feature.get("key")));
  if (resolution > STREETS_AT) return [isIn ? farChosen : farPlain];
  const label = words(feature, resolution);
  return label ? [isIn ? chosen : plain, label] : [isIn ? chosen : plain];
}

function words(feature: RenderFeature, resolution: number): Style | null {
  const number = String(feature.get("number") ?? "");
  if (resolution < NUMBERS_AT && number && !isNamed(feature)) return text(number, "12px sans-serif");
  if (resolution < STREETS_AT && isNamed(feature)) {
    const address = String(feature.get("address") ?? "");
    const street = address.replace(/^[\d\s/-]*(?:[A-Z]\s)?/, "").trim();
    if (street) return text(street, "bold 11px sans-serif", 2);
  }
  return null;
}

function isNamed(feature: RenderFeature): boolean {
  let sum = 0;
  for (const letter of String(feature.get("key"))) sum = (sum * 31 + letter.charCodeAt(0)) % 9973;
  return sum % NAMED === 0;
}

function text(words: string, font: string, zIndex = 1): Style {
  return new Style({
    zIndex,
    text: new Text({
      text: words,
      font,
      overflow: true,
      fill: new Fill({ color: "#1b1b1b" }),
      stroke: new Stroke({ color: "#ffffff", width: 3 }),
    }),
  });
}
