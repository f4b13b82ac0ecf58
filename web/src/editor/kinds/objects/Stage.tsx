/** The canvas: pictures out. What pointer and keys mean is decided in tools/, drawn in renderers/. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { Shape } from '../../../api/types';
import { useT } from '../../../i18n';
import { objectsOf } from '../../core/document';
import type { Size } from '../../core/geometry';
import { chordOf, isTyping } from '../../core/keymap';
import type { LabelSession } from '../../core/label_session';
import { drawScene } from '../../renderers/canvas';
import { faceOfType, shapesFor } from '../../shapes';
import { plane, type Viewport } from '../../spaces/plane';
import type { Tool } from '../../tools/tool';
import { Unseen } from '../item_stage';
import { useDocument } from '../use_label';
import { usePicture } from '../use_picture';
import { Tools } from './Tools';
import { useHands } from './use_hands';

const WHEEL_STEP = 1.0015;
const BUTTON_ZOOM = 1.4;
const UNSEEN: Viewport = { scale: 1, x: 0, y: 0 };

export function Stage({ session }: { session: LabelSession }) {
  const t = useT();
  const document_ = useDocument(session);
  const { item, ontology } = session.setting;
  const image = usePicture(session);
  const width = item.width ?? image?.naturalWidth ?? 1;
  const height = item.height ?? image?.naturalHeight ?? 1;
  const size: Size = useMemo(() => ({ width, height }), [width, height]);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [screen, setScreen] = useState<Size>({ width: 0, height: 0 });
  const [view, setView] = useState<Viewport | null>(null);
  const [draws, setDraws] = useState(true);
  const shapes = useMemo(() => shapesFor(ontology), [ontology]);
  const tool: Tool = draws ? { does: 'draw', shape: session.shape } : { does: 'select' };
  const shown = view ?? UNSEEN;
  const { on, hands, space, pointer, place, visible, hovered } = useHands(session, tool, {
    size,
    view: shown,
    setView,
  });
  const { drawing } = hands;

  useEffect(() => {
    const element = canvas.current?.parentElement;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      setScreen({ width: element.clientWidth, height: element.clientHeight });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  // Each step of history knows how the item was looked at when it came about; taking it back shows it so again.
  const { lookedAt } = session;
  useEffect(() => {
    session.view = view;
  }, [session, view]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another step to look at moves the view.
  useEffect(() => {
    if (session.wanted) setView(session.wanted);
  }, [lookedAt]);

  const fitView = useCallback(() => {
    if (screen.width > 0) setView(plane.fitted(size, screen));
  }, [screen, size]);
  useEffect(fitView, [fitView]);

  const hover = hovered?.object.id ?? null;
  const crosshair = draws && !space && (!hands.hold || hands.hold.is === 'sketch') ? pointer : null;
  const sketchEnd = drawing && !space ? place : null;
  useEffect(() => {
    const element = canvas.current;
    const ctx = element?.getContext('2d');
    if (!element || !ctx || !view) return;
    const frame = requestAnimationFrame(() => {
      const density = window.devicePixelRatio || 1;
      const wanted = { width: Math.round(screen.width * density), height: Math.round(screen.height * density) };
      if (element.width !== wanted.width || element.height !== wanted.height) Object.assign(element, wanted);
      drawScene(ctx, {
        document: visible,
        ontology,
        image,
        size,
        view,
        screen,
        hover,
        crosshair,
        density,
        sketch: drawing && faceOfType(drawing.shape).gesture.lasts ? { ...drawing.sketch, end: sketchEnd } : null,
      });
    });
    return () => cancelAnimationFrame(frame);
  }, [visible, ontology, image, view, screen, size, hover, crosshair, drawing, sketchEnd]);

  // React's wheel listener is passive; the page must not scroll or zoom under the canvas.
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const at = { x: event.offsetX, y: event.offsetY };
      setView((now) => now && plane.zoomed(now, at, WHEEL_STEP ** -event.deltaY));
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, []);

  const drawAs = useCallback(
    (type: Shape['type']) => {
      session.choose(type);
      setDraws(true);
    },
    [session],
  );
  useEffect(() => {
    const zoomBy = (factor: number) =>
      setView((now) => now && plane.zoomed(now, { x: screen.width / 2, y: screen.height / 2 }, factor));
    const acts: Readonly<Record<string, () => void>> = {
      N: () => setDraws(true),
      V: () => setDraws(false),
      ...Object.fromEntries(shapes.map((type) => [faceOfType(type).key, () => drawAs(type)])),
      F: fitView,
      '+': () => zoomBy(BUTTON_ZOOM),
      '=': () => zoomBy(BUTTON_ZOOM),
      '-': () => zoomBy(1 / BUTTON_ZOOM),
    };
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event) || (event.target as HTMLElement).closest?.('[role="dialog"]')) return;
      acts[chordOf(event)]?.();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [fitView, screen, shapes, drawAs]);

  const hint = drawing && faceOfType(drawing.shape).words.hint;
  const cursor =
    space || hands.hold?.is === 'pan'
      ? 'grab'
      : hovered?.handle
        ? 'pointer'
        : draws
          ? 'none'
          : hovered
            ? 'move'
            : 'default';
  return (
    <div style={{ position: 'relative', minWidth: 0, minHeight: 0, overflow: 'hidden' }}>
      <canvas
        ref={canvas}
        role="img"
        aria-label={t('Picture with {count, plural, one {# object} other {# objects}}; the list beside it names them', {
          count: objectsOf(document_).length,
        })}
        style={{ position: 'absolute', inset: 0, width: '100%', height: '100%', touchAction: 'none', cursor }}
        {...on}
      />
      <Unseen session={session} />
      <Tools
        session={session}
        shapes={shapes}
        draws={draws}
        onDraw={drawAs}
        onSelect={() => setDraws(false)}
        onFit={fitView}
      />
      {hint && (
        <p className="cup-hint" role="status">
          {t(hint)}
        </p>
      )}
      {view && (
        <output className="cup-scale">
          {Math.round(view.scale * 100)} % · {size.width} × {size.height}
          {place ? ` · ${Math.round(place.x)}, ${Math.round(place.y)}` : ''}
        </output>
      )}
    </div>
  );
}
