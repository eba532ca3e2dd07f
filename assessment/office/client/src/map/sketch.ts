/** The tools that draw: a rectangle by dragging, a polygon and a route by their corners. */
import type { Coordinate } from "ol/coordinate";
import { LineString, Polygon } from "ol/geom";
import Draw, { createBox } from "ol/interaction/Draw";
import type OpenMap from "ol/Map";
import { transform } from "ol/proj";
import type { Position } from "./choice";

export type Tool = "parcels" | "rectangle" | "polygon" | "route";

export interface Drawn {
  shape: (ring: Position[]) => void;
  route: (corners: Position[]) => void;
}

export class Sketch {
  private draw: Draw | null = null;
  private corner: Coordinate | null = null;
  private isOpen = false;

  constructor(
    private readonly map: OpenMap,
    private readonly drawn: Drawn,
    private tool: Tool = "parcels",
  ) {}

  use(tool: Tool): void {
    this.stop();
    if (this.draw) this.map.removeInteraction(this.draw);
    this.tool = tool;
    this.draw = null;
    if (tool === "parcels") return;
    this.draw = this.make(tool);
    this.draw.on("drawstart", () => {
      this.isOpen = true;
    });
    this.draw.on("drawabort", () => {
      this.isOpen = false;
    });
    this.draw.on("drawend", (event) => {
      this.isOpen = false;
      const shape = event.feature.getGeometry();
      if (shape instanceof Polygon) this.keepRing(shape.getCoordinates()[0] ?? []);
      else if (shape instanceof LineString) this.keepRoute(shape.getCoordinates());
    });
    this.map.addInteraction(this.draw);
  }

  /** Whether something is begun and not finished. */
  get isBegun(): boolean {
    return this.isOpen || this.corner !== null;
  }

  /** Sets a corner at a place, as a click does; for the keyboard. */
  place(at: Coordinate): void {
    if (this.tool !== "rectangle") {
      this.draw?.appendCoordinates([at]);
      return;
    }
    if (this.corner === null) {
      this.corner = at;
      return;
    }
    const [a, b] = [this.corner, at] as [number[], number[]];
    this.corner = null;
    const [west, south, east, north] = [a[0] ?? 0, a[1] ?? 0, b[0] ?? 0, b[1] ?? 0];
    this.keepRing([
      [west, south],
      [east, south],
      [east, north],
      [west, north],
      [west, south],
    ]);
  }

  finish(): void {
    if (this.isOpen) this.draw?.finishDrawing();
  }

  stepBack(): void {
    if (this.corner) this.corner = null;
    else this.draw?.removeLastPoint();
  }

  stop(): void {
    this.corner = null;
    this.draw?.abortDrawing();
  }

  private make(tool: Exclude<Tool, "parcels">): Draw {
    if (tool === "rectangle")
      return new Draw({ type: "Circle", geometryFunction: createBox(), freehand: true });
    return new Draw({ type: tool === "route" ? "LineString" : "Polygon", stopClick: true });
  }

  private keepRing(ring: Coordinate[]): void {
    const degrees = ring.map(toDegrees);
    const corners = new Set(degrees.map(String));
    // A click where a drag was meant makes a rectangle of no width.
    if (corners.size > 2) this.drawn.shape(degrees);
  }

  private keepRoute(corners: Coordinate[]): void {
    const degrees = corners.map(toDegrees);
    if (new Set(degrees.map(String)).size > 1) this.drawn.route(degrees);
  }
}

/** Six decimals of a degree are a tenth of a meter. */
function toDegrees(at: Coordinate): Position {
  return transform(at, "EPSG:3857", "EPSG:4326").map((value) => Math.round(value * 1e6) / 1e6);
}
