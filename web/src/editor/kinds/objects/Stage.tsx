/** The canvas: pictures out. What pointer and keys mean is decided in tools/, drawn in renderers/. */
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import type { Shape } from '../../../api/types';
import { msg, useT } from '../../../i18n';
import { useKeysOf } from '../../../ui/bound_keys';
import { repeatLast } from '../../actions/repeat_last';
import { objectsOf } from '../../core/document';
import type { Size } from '../../core/geometry';
import { chordOf, isTyping } from '../../core/keymap';
import type { LabelSession } from '../../core/label_session';
import { toolbox } from '../../core/toolbox';
import { drawScene } from '../../renderers/canvas';
import { faceOfType, gestureOf, shapesFor, wayOf } from '../../shapes';
import { plane, type Viewport } from '../../spaces/plane';
import type { Tool } from '../../tools/tool';
import { Unseen } from '../item_stage';
import { useDocument } from '../use_label';
import { usePicture } from '../use_picture';
import { Tools } from './Tools';
import { useHands } from './use_hands';
import { usePixels } from './use_pixels';

const WHEEL_STEP = 1.0015;
const BUTTON_ZOOM = 1.4;
const UNSEEN: Viewport = { scale: 1, x: 0, y: 0 };

/** A picture and its objects. */
export function Stage({ session }: { session: LabelSession }) {
  return <Plane session={session} image={usePicture(session)} />;
}

interface PlaneProps {
  session: LabelSession;
  /** What is drawn on; null while it is not there. */
  image: HTMLImageElement | ImageBitmap | null;
  /** Plays what moves; Space does so where it was let go without a pan. */
  onPlay?: () => void;
}

/** The plane of a picture, or of one frame: where objects are drawn. */
export function Plane({ session, image, onPlay }: PlaneProps) {
  const t = useT();
  const keysOf = useKeysOf();
  const document_ = useDocument(session);
  const { item, ontology } = session.setting;
  const width = item.width ?? image?.width ?? 1;
  const height = item.height ?? image?.height ?? 1;
  const size: Size = useMemo(() => ({ width, height }), [width, height]);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [screen, setScreen] = useState<Size>({ width: 0, height: 0 });
  const [view, setView] = useState<Viewport | null>(null);
  const [mode, setMode] = useState<'draw' | 'select' | 'slice'>('draw');
  const draws = mode === 'draw';
  const brush = useSyncExternalStore(toolbox.subscribe, toolbox.get);
  const shapes = useMemo(() => shapesFor(ontology), [ontology]);
  const tool: Tool = draws ? { does: 'draw', shape: session.shape, way: session.way } : { does: mode };
  const gesture = gestureOf(session.shape, session.way);
  usePixels(session, image, size);
  const shown = view ?? UNSEEN;
  const ground = session.ground(size);
  const { on, hands, space, pointer, place, end, band, visible, hovered } = useHands(session, tool, {
    ground,
    view: shown,
    setView,
    ...(onPlay && keysOf('play').includes('Space') ? { onSpace: onPlay } : {}),
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
  const sketchEnd = drawing && !space ? end : null;
  const inHand = drawing ? gestureOf(drawing.shape, drawing.way) : null;
  const stroke_px = inHand?.isStroke ? brush.radius_px : null;
  const isShown = inHand !== null && (inHand.lasts || stroke_px !== null);
  const isOpen = drawing?.shape === 'polyline' || drawing?.way === 'extremes';
  const brush_px = draws && gesture.isStroke ? brush.radius_px : null;
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
        sketch: drawing && isShown ? { ...drawing.sketch, end: sketchEnd, isOpen, stroke_px } : null,
        band,
        brush_px,
      });
    });
    return () => cancelAnimationFrame(frame);
  }, [
    visible,
    ontology,
    image,
    view,
    screen,
    size,
    hover,
    crosshair,
    drawing,
    sketchEnd,
    isShown,
    isOpen,
    stroke_px,
    band,
    brush_px,
  ]);

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
    (type: Shape['type'], way: string | null = null) => {
      session.choose(type, way);
      setMode('draw');
    },
    [session],
  );
  useEffect(() => {
    const zoomBy = (factor: number) =>
      setView((now) => now && plane.zoomed(now, { x: screen.width / 2, y: screen.height / 2 }, factor));
    const acts: Readonly<Record<string, () => void>> = {
      'mode-draw': () => {
        session.perform(repeatLast());
        setMode('draw');
      },
      'mode-select': () => setMode('select'),
      ...(shapes.some((type) => faceOfType(type).cut) ? { slice: () => setMode('slice') } : {}),
      ...Object.fromEntries(shapes.map((type) => [`draw:${type}`, () => drawAs(type)])),
      ...Object.fromEntries(
        shapes.flatMap((type) =>
          (faceOfType(type).ways ?? []).map(({ id }) => [`draw:${type}:${id}`, () => drawAs(type, id)] as const),
        ),
      ),
      fit: fitView,
      'zoom-in': () => zoomBy(BUTTON_ZOOM),
      'zoom-out': () => zoomBy(1 / BUTTON_ZOOM),
      ...(onPlay ? { play: onPlay } : {}),
    };
    const byChord = new Map(Object.entries(acts).flatMap(([command, act]) => keysOf(command).map((key) => [key, act])));
    // Held, it pans: what it does when it is let go the hands know.
    byChord.delete('Space');
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event) || (event.target as HTMLElement).closest?.('[role="dialog"]')) return;
      const act = byChord.get(chordOf(event));
      if (!act) return;
      // A browser's menus open on Alt with a letter.
      if (event.altKey) event.preventDefault();
      act();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [fitView, screen, shapes, drawAs, session, keysOf, onPlay]);

  const hint = drawing
    ? drawing.cuts
      ? msg('Click along the cut, from one side of the outline to the other. Enter or a double click cuts.')
      : (wayOf(drawing.shape, drawing.way)?.hint ?? (inHand?.lasts ? faceOfType(drawing.shape).words.hint : null))
    : mode === 'slice'
      ? msg('Select one outline, then draw the line along which it is cut.')
      : null;
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
        mode={mode}
        onDraw={drawAs}
        onSelect={() => setMode('select')}
        onSlice={() => setMode('slice')}
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
