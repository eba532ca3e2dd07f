/** What is chosen on the map, with its past: every step can be taken back, also clearing. */
export type Position = number[];

export interface Choice {
  /** Rings of polygons, in degrees. */
  shapes: Position[][];
  /** Corners of the route, in degrees; empty without one. */
  route: Position[];
  added: string[];
  leftOut: string[];
}

export const NOTHING: Choice = { shapes: [], route: [], added: [], leftOut: [] };

export class Choices {
  private past: Choice[] = [];

  constructor(public now: Choice) {}

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get isEmpty(): boolean {
    const { shapes, route, added, leftOut } = this.now;
    return shapes.length + route.length + added.length + leftOut.length === 0;
  }

  addShape(ring: Position[]): void {
    this.step({ shapes: [...this.now.shapes, ring] });
  }

  setRoute(route: Position[]): void {
    this.step({ route });
  }

  /** Takes a parcel in, or leaves it out when it is chosen now. */
  toggle(key: string, isChosen: boolean): void {
    const without = (keys: string[]): string[] => keys.filter((each) => each !== key);
    const added = without(this.now.added);
    const leftOut = without(this.now.leftOut);
    if (!isChosen) {
      this.step({ added: [...added, key], leftOut });
      return;
    }
    // What only a click took in is simply let go; what an area or another condition holds is left out.
    const isOnlyAdded =
      added.length < this.now.added.length && !this.now.shapes.length && !this.now.route.length;
    this.step({ added, leftOut: isOnlyAdded ? leftOut : [...leftOut, key] });
  }

  clear(): void {
    this.step(NOTHING);
  }

  undo(): void {
    this.now = this.past.pop() ?? this.now;
  }

  private step(change: Partial<Choice>): void {
    this.past.push(this.now);
    this.now = { ...this.now, ...change };
  }
}

/** The form's text for an area: one polygon, or a collection of them. */
export function areaText(shapes: Position[][]): string {
  const polygons = shapes.map((ring) => ({ type: "Polygon", coordinates: [ring] }));
  if (polygons.length < 2) return polygons.length ? JSON.stringify(polygons[0]) : "";
  const features = polygons.map((geometry) => ({ type: "Feature", properties: {}, geometry }));
  return JSON.stringify({ type: "FeatureCollection", features });
}

export function routeText(route: Position[]): string {
  return route.length ? JSON.stringify({ type: "LineString", coordinates: route }) : "";
}

interface Geometry {
  type: string;
  coordinates: unknown;
}

/** The outer rings of a typed area; null for what the map cannot show (it stays in the form as it is). */
export function readArea(text: string): Position[][] | null {
  if (!text.trim()) return [];
  const box = text.split(",").map(Number);
  if (box.length === 4 && box.every(Number.isFinite)) {
    const [west, south, east, north] = box as [number, number, number, number];
    return [
      [
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south],
      ],
    ];
  }
  return readGeometries(text)?.flatMap(rings) ?? null;
}

export function readRoute(text: string): Position[] {
  const first = text.trim() ? readGeometries(text)?.[0] : undefined;
  return first?.type === "LineString" ? (first.coordinates as Position[]) : [];
}

function readGeometries(text: string): Geometry[] | null {
  try {
    const said = JSON.parse(text);
    if (said.type === "FeatureCollection")
      return said.features.map((each: { geometry: Geometry }) => each.geometry);
    return [said.type === "Feature" ? said.geometry : said];
  } catch {
    return null;
  }
}

function rings(geometry: Geometry): Position[][] {
  if (geometry.type === "Polygon") return [(geometry.coordinates as Position[][])[0] ?? []];
  if (geometry.type === "MultiPolygon") {
    return (geometry.coordinates as Position[][][]).map((polygon) => polygon[0] ?? []);
  }
  return [];
}

/** Keys as the form has them: one a line, or divided by commas, semicolons or tabs. */
export function readKeys(text: string): string[] {
  return [...new Set(text.split(/[\n\r,;\t]+/).map((each) => each.trim()))].filter(Boolean);
}
