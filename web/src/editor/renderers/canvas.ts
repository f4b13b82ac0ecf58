/** Draws a document over its image. Knows nothing of pointers, tools or frameworks. */
import type { ClassSpec, LabelObject, Ontology, Shape } from '../../api/types';
import { type Document, objectsOf } from '../core/document';
import type { Point, Size } from '../core/geometry';
import { classNamed } from '../core/ontology';
import { faceOf } from '../shapes';
import { toScreen, type Viewport } from '../spaces/plane';
import { classColour } from './palette';
import { drawPixels } from './pixels';

export interface Scene {
  readonly document: Document;
  readonly ontology: Ontology;
  readonly image: CanvasImageSource | null;
  readonly size: Size;
  readonly view: Viewport;
  readonly screen: Size;
  readonly hover: string | null;
  /** Screen position of the crosshair, or null. */
  readonly crosshair: Point | null;
  /** Device pixels per CSS pixel. */
  readonly density: number;
  /** The places set of a shape under way, and where the next one would be. */
  readonly sketch: {
    readonly places: readonly Point[];
    readonly end: Point | null;
    /** Of a line that is not closed, or a stroke as wide as the brush (source pixels). */
    readonly isOpen?: boolean;
    readonly stroke_px?: number | null;
  } | null;
  /** Opposite corners of the rectangle pulled out over objects, source pixels. */
  readonly band?: readonly [Point, Point] | null;
  /** Half the width of the brush that stands at the crosshair, source pixels. */
  readonly brush_px?: number | null;
}

export const HANDLE_SIZE_PX = 9;
/** How far the knob that turns a box stands off it, on screen. */
export const ARM_PX = 22;
const POINT_RADIUS_PX = 6;
const DOT_RADIUS_PX = 4.5;
/** Around the screen, for names and knobs of what lies just beside it. */
const MARGIN_PX = 24;
/** From this enlargement on, pixels are shown as they are. */
const CRISP_SCALE = 3;

function trace(ctx: CanvasRenderingContext2D, view: Viewport, shape: Shape, spec: ClassSpec | undefined): void {
  const face = faceOf(shape);
  ctx.beginPath();
  if (face.pose === 'point') {
    const at = toScreen(view, face.anchor(shape));
    ctx.arc(at.x, at.y, POINT_RADIUS_PX, 0, 2 * Math.PI);
    return;
  }
  for (const { points, closed } of face.paths(shape, spec)) {
    let isFirst = true;
    for (const { x, y } of points) {
      const [sx, sy] = [x * view.scale + view.x, y * view.scale + view.y];
      if (isFirst) ctx.moveTo(sx, sy);
      else ctx.lineTo(sx, sy);
      isFirst = false;
    }
    if (closed) ctx.closePath();
  }
}

function drawObject(ctx: CanvasRenderingContext2D, scene: Scene, object: LabelObject): void {
  const colour = classColour(scene.ontology, object.cls);
  const selected = scene.document.selected.includes(object.id);
  const { pose, places, tiles } = faceOf(object.shape);
  if (tiles) {
    drawPixels(ctx, scene.view, tiles(object.shape), colour, selected ? 0.7 : scene.hover === object.id ? 0.6 : 0.5);
    drawName(ctx, scene, object, colour);
    return;
  }
  trace(ctx, scene.view, object.shape, classNamed(scene.ontology, object.cls));
  if ((selected || scene.hover === object.id) && pose !== 'line' && pose !== 'dots') {
    ctx.globalAlpha = selected ? 0.18 : 0.1;
    ctx.fillStyle = colour;
    ctx.fill('evenodd');
    ctx.globalAlpha = 1;
  }
  // A dark line under the coloured one keeps it visible on any picture.
  ctx.setLineDash([]);
  ctx.lineWidth = selected ? 4.5 : 3.5;
  ctx.strokeStyle = 'rgb(0 0 0 / 0.55)';
  ctx.stroke();
  ctx.setLineDash(object.source === 'model' ? [6, 4] : []);
  ctx.lineWidth = selected ? 2.5 : 1.75;
  ctx.strokeStyle = colour;
  ctx.stroke();
  ctx.setLineDash([]);
  for (const { at, state } of places?.of(object.shape) ?? [])
    if (state !== 'absent') drawDot(ctx, scene, at, colour, state);
  drawName(ctx, scene, object, colour);
}

/** A place of a skeleton: full where it is seen, a ring where something stands before it. */
function drawDot(ctx: CanvasRenderingContext2D, scene: Scene, at: Point, colour: string, state: string): void {
  const { x, y } = toScreen(scene.view, at);
  ctx.beginPath();
  ctx.arc(x, y, DOT_RADIUS_PX, 0, 2 * Math.PI);
  ctx.fillStyle = state === 'visible' ? colour : 'rgb(18 21 25 / 0.85)';
  ctx.fill();
  ctx.lineWidth = 1.5;
  ctx.strokeStyle = state === 'visible' ? 'rgb(0 0 0 / 0.55)' : colour;
  ctx.stroke();
}

function drawName(ctx: CanvasRenderingContext2D, scene: Scene, object: LabelObject, colour: string): void {
  const face = faceOf(object.shape);
  const anchor = toScreen(scene.view, face.anchor(object.shape));
  // Beside the mark of a point, so that it does not hide what the point shows.
  const aside = face.pose === 'point' ? POINT_RADIUS_PX + 3 : 0;
  const corner = { x: anchor.x + aside, y: anchor.y - aside };
  ctx.font = '600 11px system-ui, sans-serif';
  const width = ctx.measureText(object.cls).width + 8;
  const y = corner.y >= 18 ? corner.y - 17 : corner.y + 2;
  ctx.fillStyle = 'rgb(18 21 25 / 0.85)';
  ctx.fillRect(corner.x - 1, y, width + 4, 16);
  ctx.fillStyle = colour;
  ctx.fillRect(corner.x - 1, y, 4, 16);
  ctx.fillStyle = '#fff';
  ctx.textBaseline = 'middle';
  ctx.fillText(object.cls, corner.x + 7, y + 8.5);
}

function drawKnob(ctx: CanvasRenderingContext2D, from: Point, to: Point): void {
  for (const [width, style] of [
    [3, 'rgb(0 0 0 / 0.55)'],
    [1.25, '#fff'],
  ] as const) {
    ctx.lineWidth = width;
    ctx.strokeStyle = style;
    ctx.beginPath();
    ctx.moveTo(from.x, from.y);
    ctx.lineTo(to.x, to.y);
    ctx.stroke();
  }
  ctx.fillStyle = '#fff';
  ctx.strokeStyle = '#212529';
  ctx.lineWidth = 1.25;
  ctx.beginPath();
  ctx.arc(to.x, to.y, HANDLE_SIZE_PX / 2 + 0.5, 0, 2 * Math.PI);
  ctx.fill();
  ctx.stroke();
}

function drawHandles(ctx: CanvasRenderingContext2D, scene: Scene, { shape }: LabelObject): void {
  // The places of a skeleton are its handles, and are drawn already: their names are what is missing.
  const named = faceOf(shape).places?.of(shape);
  if (named) {
    for (const { name, at, state } of named) if (state !== 'absent') drawPlaceName(ctx, toScreen(scene.view, at), name);
    return;
  }
  for (const { at, arm, isFaint } of faceOf(shape).handles(shape, ARM_PX / scene.view.scale)) {
    const place = toScreen(scene.view, at);
    if (arm) drawKnob(ctx, toScreen(scene.view, arm), place);
    else drawGrip(ctx, place, isFaint ? 'faint' : 'plain');
  }
}

function drawPlaceName(ctx: CanvasRenderingContext2D, { x, y }: Point, name: string): void {
  ctx.font = '500 10px system-ui, sans-serif';
  ctx.textBaseline = 'middle';
  ctx.lineWidth = 3;
  ctx.strokeStyle = 'rgb(18 21 25 / 0.85)';
  ctx.strokeText(name, x + DOT_RADIUS_PX + 4, y);
  ctx.fillStyle = '#fff';
  ctx.fillText(name, x + DOT_RADIUS_PX + 4, y);
}

/** plain: holds a part of the shape. faint: would make one. closing: a press here ends what is being drawn. */
function drawGrip(ctx: CanvasRenderingContext2D, at: Point, look: 'plain' | 'faint' | 'closing'): void {
  ctx.fillStyle = look === 'closing' ? '#FF8A4C' : '#fff';
  ctx.strokeStyle = '#212529';
  ctx.lineWidth = 1.25;
  ctx.globalAlpha = look === 'faint' ? 0.7 : 1;
  ctx.beginPath();
  if (look === 'plain') ctx.rect(at.x - HANDLE_SIZE_PX / 2, at.y - HANDLE_SIZE_PX / 2, HANDLE_SIZE_PX, HANDLE_SIZE_PX);
  else ctx.arc(at.x, at.y, look === 'faint' ? HANDLE_SIZE_PX / 3 : HANDLE_SIZE_PX / 1.5, 0, 2 * Math.PI);
  ctx.fill();
  ctx.stroke();
  ctx.globalAlpha = 1;
}

/** What is set of a shape that takes several presses, with the line to where the pointer is. */
function drawSketch(ctx: CanvasRenderingContext2D, scene: Scene, sketch: NonNullable<Scene['sketch']>): void {
  const { places, end, isOpen = false, stroke_px = null } = sketch;
  const colour = classColour(scene.ontology, scene.document.cls);
  const set = places.map((place) => toScreen(scene.view, place));
  const line = end ? [...set, toScreen(scene.view, end)] : set;
  ctx.beginPath();
  for (const [at, { x, y }] of line.entries()) {
    if (at === 0) ctx.moveTo(x, y);
    else ctx.lineTo(x, y);
  }
  if (stroke_px !== null) {
    const [only] = line;
    // A line without length is not drawn: a dot is.
    if (line.length === 1 && only) ctx.lineTo(only.x + 0.01, only.y);
    ctx.lineCap = ctx.lineJoin = 'round';
    ctx.lineWidth = 2 * stroke_px * scene.view.scale;
    ctx.globalAlpha = 0.45;
    ctx.strokeStyle = colour;
    ctx.stroke();
    ctx.globalAlpha = 1;
    ctx.lineCap = 'butt';
    ctx.lineJoin = 'miter';
    return;
  }
  if (!isOpen) {
    ctx.globalAlpha = 0.15;
    ctx.fillStyle = colour;
    ctx.fill();
    ctx.globalAlpha = 1;
  }
  for (const [width, style] of [
    [4, 'rgb(0 0 0 / 0.55)'],
    [2, colour],
  ] as const) {
    ctx.lineWidth = width;
    ctx.strokeStyle = style;
    ctx.stroke();
  }
  for (const [at, place] of set.entries())
    drawGrip(ctx, place, at === 0 && set.length > 2 && !isOpen ? 'closing' : 'plain');
}

function drawBand(ctx: CanvasRenderingContext2D, scene: Scene, [from, to]: readonly [Point, Point]): void {
  const [a, b] = [toScreen(scene.view, from), toScreen(scene.view, to)];
  ctx.setLineDash([5, 4]);
  ctx.lineWidth = 1.5;
  ctx.strokeStyle = '#fff';
  ctx.fillStyle = 'rgb(255 255 255 / 0.12)';
  ctx.beginPath();
  ctx.rect(Math.min(a.x, b.x), Math.min(a.y, b.y), Math.abs(a.x - b.x), Math.abs(a.y - b.y));
  ctx.fill();
  ctx.stroke();
  ctx.setLineDash([]);
}

/** The brush as large as it is. */
function drawBrush(ctx: CanvasRenderingContext2D, at: Point, radius: number): void {
  for (const [width, style] of [
    [3, 'rgb(0 0 0 / 0.55)'],
    [1.25, '#fff'],
  ] as const) {
    ctx.lineWidth = width;
    ctx.strokeStyle = style;
    ctx.beginPath();
    ctx.arc(at.x, at.y, Math.max(radius, 1), 0, 2 * Math.PI);
    ctx.stroke();
  }
}

function drawCrosshair(ctx: CanvasRenderingContext2D, at: Point, screen: Size): void {
  for (const [width, style] of [
    [3, 'rgb(0 0 0 / 0.35)'],
    [1, 'rgb(255 255 255 / 0.8)'],
  ] as const) {
    ctx.lineWidth = width;
    ctx.strokeStyle = style;
    ctx.beginPath();
    ctx.moveTo(0, Math.round(at.y) + 0.5);
    ctx.lineTo(screen.width, Math.round(at.y) + 0.5);
    ctx.moveTo(Math.round(at.x) + 0.5, 0);
    ctx.lineTo(Math.round(at.x) + 0.5, screen.height);
    ctx.stroke();
  }
}

/** True when some part of the object may be on screen. */
function isVisible(scene: Scene, { shape }: LabelObject): boolean {
  const { left, top, right, bottom } = faceOf(shape).bounds(shape);
  const first = toScreen(scene.view, { x: left, y: top });
  const last = toScreen(scene.view, { x: right, y: bottom });
  return (
    last.x + MARGIN_PX >= 0 &&
    last.y + MARGIN_PX >= 0 &&
    first.x - MARGIN_PX <= scene.screen.width &&
    first.y - MARGIN_PX <= scene.screen.height
  );
}

export function drawScene(ctx: CanvasRenderingContext2D, scene: Scene): void {
  ctx.setTransform(scene.density, 0, 0, scene.density, 0, 0);
  ctx.clearRect(0, 0, scene.screen.width, scene.screen.height);
  if (scene.image) {
    ctx.imageSmoothingEnabled = scene.view.scale < CRISP_SCALE;
    ctx.imageSmoothingQuality = 'high';
    const { x, y, scale } = scene.view;
    ctx.drawImage(scene.image, x, y, scene.size.width * scale, scene.size.height * scale);
  }
  const { hidden } = scene.document;
  const away = hidden?.length ? new Set(hidden) : null;
  const objects = away ? objectsOf(scene.document).filter(({ id }) => !away.has(id)) : objectsOf(scene.document);
  const selected = new Set(scene.document.selected);
  for (const object of objects)
    if (!selected.has(object.id) && isVisible(scene, object)) drawObject(ctx, scene, object);
  for (const object of objects) {
    if (!selected.has(object.id)) continue;
    drawObject(ctx, scene, object);
    if (selected.size === 1) drawHandles(ctx, scene, object);
  }
  if (scene.sketch) drawSketch(ctx, scene, scene.sketch);
  if (scene.band) drawBand(ctx, scene, scene.band);
  if (scene.crosshair && scene.brush_px) drawBrush(ctx, scene.crosshair, scene.brush_px * scene.view.scale);
  else if (scene.crosshair) drawCrosshair(ctx, scene.crosshair, scene.screen);
}
