/** Draws a document over its image. Knows nothing of pointers, tools or frameworks. */
import type { LabelObject, Ontology } from '../../api/types';
import { type Document, objectsOf } from '../core/document';
import { centre, HANDLES, type Handle, handlePoint, knobPoint, type Point, type Size } from '../core/geometry';
import { toScreen, type Viewport } from '../core/viewport';
import { classColour } from './palette';

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
}

export const HANDLE_SIZE_PX = 9;
/** How far the knob that turns a box stands off it, on screen. */
export const ARM_PX = 22;
/** From this enlargement on, pixels are shown as they are. */
const CRISP_SCALE = 3;

function traceBox(ctx: CanvasRenderingContext2D, view: Viewport, object: LabelObject): void {
  const { shape } = object;
  const corners = (['nw', 'ne', 'se', 'sw'] as const).map((handle) => toScreen(view, handlePoint(shape, handle)));
  ctx.beginPath();
  corners.forEach((corner, at) => {
    if (at === 0) ctx.moveTo(corner.x, corner.y);
    else ctx.lineTo(corner.x, corner.y);
  });
  ctx.closePath();
}

function drawObject(ctx: CanvasRenderingContext2D, scene: Scene, object: LabelObject): void {
  const colour = classColour(scene.ontology, object.cls);
  const selected = scene.document.selected.includes(object.id);
  traceBox(ctx, scene.view, object);
  if (selected || scene.hover === object.id) {
    ctx.globalAlpha = selected ? 0.18 : 0.1;
    ctx.fillStyle = colour;
    ctx.fill();
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
  drawName(ctx, scene, object, colour);
}

function drawName(ctx: CanvasRenderingContext2D, scene: Scene, object: LabelObject, colour: string): void {
  const corner = toScreen(scene.view, handlePoint(object.shape, 'nw'));
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

function drawKnob(ctx: CanvasRenderingContext2D, scene: Scene, object: LabelObject): void {
  const from = toScreen(scene.view, handlePoint(object.shape, 'n'));
  const to = toScreen(scene.view, knobPoint(object.shape, ARM_PX / scene.view.scale));
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

function drawHandles(ctx: CanvasRenderingContext2D, scene: Scene, object: LabelObject): void {
  drawKnob(ctx, scene, object);
  for (const handle of Object.keys(HANDLES) as Handle[]) {
    const at = toScreen(scene.view, handlePoint(object.shape, handle));
    ctx.fillStyle = '#fff';
    ctx.strokeStyle = '#212529';
    ctx.lineWidth = 1.25;
    ctx.beginPath();
    ctx.rect(at.x - HANDLE_SIZE_PX / 2, at.y - HANDLE_SIZE_PX / 2, HANDLE_SIZE_PX, HANDLE_SIZE_PX);
    ctx.fill();
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

/** True when some part of the object may be on screen; a rotated box is taken by its circumscribed circle. */
function isVisible(scene: Scene, object: LabelObject): boolean {
  const middle = toScreen(scene.view, centre(object.shape));
  const reach = (Math.hypot(object.shape.w, object.shape.h) / 2) * scene.view.scale + 24;
  return (
    middle.x + reach >= 0 &&
    middle.y + reach >= 0 &&
    middle.x - reach <= scene.screen.width &&
    middle.y - reach <= scene.screen.height
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
  const objects = objectsOf(scene.document);
  const selected = new Set(scene.document.selected);
  for (const object of objects)
    if (!selected.has(object.id) && isVisible(scene, object)) drawObject(ctx, scene, object);
  for (const object of objects) {
    if (!selected.has(object.id)) continue;
    drawObject(ctx, scene, object);
    if (selected.size === 1) drawHandles(ctx, scene, object);
  }
  if (scene.crosshair) drawCrosshair(ctx, scene.crosshair, scene.screen);
}
