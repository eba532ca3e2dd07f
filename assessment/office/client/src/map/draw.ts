/**
 * Choosing properties of a package on the map. The map only writes the form's own fields, which work without it;
 * how many properties are chosen, and on which parcels, is always the server's answer to the form as it stands.
 */
import Feature from "ol/Feature";
import { LineString, Polygon } from "ol/geom";
import VectorLayer from "ol/layer/Vector";
import { fromLonLat } from "ol/proj";
import type RenderFeature from "ol/render/Feature";
import VectorSource from "ol/source/Vector";
import { Fill, Stroke, Style } from "ol/style";
import { areaText, Choices, type Position, readArea, readKeys, readRoute, routeText } from "./choice";
import { askCount, type Count, sayCount } from "./count";
import { Sketch, type Tool } from "./sketch";
import { openTownMap, type TownMap } from "./view";

const PAUSE_MS = 150;

export async function startDrawing(root: HTMLElement): Promise<void> {
  const form = root.closest("form");
  const element = root.querySelector<HTMLElement>("[data-tiles]");
  const status = root.querySelector<HTMLElement>("[data-count]");
  if (!form || !element || !status) return;
  root.hidden = false;
  const drawing = new Drawing(form, root, element, status);
  await drawing.start();
}

class Drawing {
  private readonly shapes = new VectorSource<Feature>();
  private readonly choices: Choices;
  private marked = new Set<string>();
  private asked = 0;
  private timer = 0;
  private town: TownMap | null = null;
  private sketch: Sketch | null = null;
  private tool: Tool = "parcels";

  constructor(
    private readonly form: HTMLFormElement,
    private readonly root: HTMLElement,
    private readonly element: HTMLElement,
    private readonly status: HTMLElement,
  ) {
    const isShown = this.text("area_crs") === "EPSG:4326";
    this.choices = new Choices({
      shapes: (isShown && readArea(this.text("area"))) || [],
      route: isShown ? readRoute(this.text("route")) : [],
      added: readKeys(this.text("parcels_in")),
      leftOut: readKeys(this.text("parcels_out")),
    });
  }

  async start(): Promise<void> {
    this.form.addEventListener("change", () => this.readForm());
    const style = [
      new Style({ stroke: new Stroke({ color: "#ffffff", width: 5 }) }),
      new Style({
        fill: new Fill({ color: "rgb(216 57 51 / 8%)" }),
        stroke: new Stroke({ color: "#b50909", width: 2.5, lineDash: [8, 5] }),
      }),
    ];
    const above = new VectorLayer({ source: this.shapes, style });
    this.town = await openTownMap(this.element, this.status, (key) => this.marked.has(key), [above]);
    if (!this.town) return;
    const change = (): void => this.wroteMap();
    this.sketch = new Sketch(this.town.map, {
      shape: (ring) => {
        this.choices.addShape(ring);
        change();
      },
      route: (corners) => {
        this.choices.setRoute(corners);
        change();
      },
    });
    this.listen(this.town);
    this.show();
    this.askSoon();
  }

  private listen({ map, parcels }: TownMap): void {
    for (const button of this.root.querySelectorAll<HTMLButtonElement>("[data-tool]")) {
      button.addEventListener("click", () => this.use(button.dataset.tool as Tool));
    }
    this.root.querySelector("[data-undo]")?.addEventListener("click", () => this.undo());
    this.root.querySelector("[data-clear]")?.addEventListener("click", () => this.clear());
    map.on("click", (event) => {
      if (this.tool === "parcels") this.toggleAt(event.pixel);
    });
    const under = this.root.querySelector<HTMLElement>("[data-under]");
    map.on("pointermove", (event) => {
      if (!under || event.dragging) return;
      const parcel = this.parcelAt(event.pixel);
      under.textContent = parcel ? `${parcel.get("address") || "no address"} · ${parcel.get("key")}` : "";
    });
    this.element.addEventListener("keydown", (event) => this.press(event));
    parcels.layer.changed();
  }

  private press(event: KeyboardEvent): void {
    const middle = this.town?.map.getView().getCenter();
    const size = this.town?.map.getSize();
    if (!middle || !size) return;
    if (event.key === "Enter" || event.key === " ") {
      if (this.tool === "parcels") this.toggleAt(size.map((length) => length / 2));
      else this.sketch?.place(middle);
      this.showButtons();
    } else if (event.key === "f") this.sketch?.finish();
    else if (event.key === "Escape") this.sketch?.stop();
    else if (event.key === "Backspace") this.undo();
    else return;
    // Enter would send the form.
    event.preventDefault();
    event.stopPropagation();
  }

  private use(tool: Tool): void {
    this.tool = tool;
    this.sketch?.use(tool);
    for (const button of this.root.querySelectorAll<HTMLButtonElement>("[data-tool]")) {
      button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
    }
    for (const hint of this.root.querySelectorAll<HTMLElement>("[data-hint]")) {
      hint.hidden = hint.dataset.hint !== tool;
    }
  }

  private undo(): void {
    if (this.sketch?.isBegun) {
      this.sketch.stepBack();
      return;
    }
    if (!this.choices.canUndo) return;
    this.choices.undo();
    this.wroteMap();
  }

  private clear(): void {
    this.sketch?.stop();
    if (this.choices.isEmpty) return;
    this.choices.clear();
    this.wroteMap();
  }

  private parcelAt(pixel: number[]): RenderFeature | undefined {
    const layer = this.town?.parcels.layer;
    const found = this.town?.map.getFeaturesAtPixel(pixel, { layerFilter: (each) => each === layer });
    return found?.[0] as RenderFeature | undefined;
  }

  private toggleAt(pixel: number[]): void {
    const parcel = this.parcelAt(pixel);
    if (!parcel) return;
    const key = String(parcel.get("key"));
    this.choices.toggle(key, this.marked.has(key));
    this.wroteMap();
  }

  /** The map changed: write the form, and count. */
  private wroteMap(): void {
    const { shapes, route, added, leftOut } = this.choices.now;
    this.write("area", areaText(shapes));
    this.write("route", routeText(route));
    this.write("parcels_in", added.join("\n"));
    this.write("parcels_out", leftOut.join("\n"));
    if (shapes.length + route.length > 0) this.write("area_crs", "EPSG:4326");
    this.show();
    this.askSoon();
  }

  /** The form changed: the map follows as far as it can show it, and the count too. */
  private readForm(): void {
    const isShown = this.text("area_crs") === "EPSG:4326";
    this.choices.now = {
      shapes: (isShown && readArea(this.text("area"))) || [],
      route: isShown ? readRoute(this.text("route")) : [],
      added: readKeys(this.text("parcels_in")),
      leftOut: readKeys(this.text("parcels_out")),
    };
    this.show();
    this.askSoon();
  }

  private show(): void {
    const place = (corners: Position[]): Position[] => corners.map((each) => fromLonLat(each));
    const { shapes, route } = this.choices.now;
    this.shapes.clear();
    this.shapes.addFeatures(shapes.map((ring) => new Feature(new Polygon([place(ring)]))));
    if (route.length > 1) this.shapes.addFeature(new Feature(new LineString(place(route))));
    this.showButtons();
  }

  private showButtons(): void {
    const undo = this.root.querySelector<HTMLButtonElement>("[data-undo]");
    const clear = this.root.querySelector<HTMLButtonElement>("[data-clear]");
    undo?.setAttribute("aria-disabled", String(!this.choices.canUndo && !this.sketch?.isBegun));
    clear?.setAttribute("aria-disabled", String(this.choices.isEmpty));
  }

  private askSoon(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.ask(), PAUSE_MS);
  }

  private async ask(): Promise<void> {
    this.asked += 1;
    const number = this.asked;
    const count: Count | null = await askCount(this.form, this.root.dataset.countAt ?? "");
    // Answers that arrive late for an older form are dropped.
    if (number !== this.asked) return;
    this.status.textContent = sayCount(count);
    this.status.dataset.fits = String(count?.fits ?? "");
    this.marked = new Set(count?.parcels ?? []);
    this.town?.parcels.layer.changed();
  }

  private text(name: string): string {
    return this.control(name)?.value ?? "";
  }

  private write(name: string, value: string): void {
    const control = this.control(name);
    if (control) control.value = value;
  }

  private control(name: string): HTMLTextAreaElement | HTMLSelectElement | null {
    return this.form.querySelector<HTMLTextAreaElement | HTMLSelectElement>(`[name="${name}"]`);
  }
}
