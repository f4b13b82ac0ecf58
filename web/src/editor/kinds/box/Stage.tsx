/** The canvas: pointer and wheel in, pictures out. What they mean is decided in tools/, drawn in renderers/. */
import { type PointerEvent as ReactPointerEvent, useCallback, useEffect, useRef, useState } from 'react';
import { useT } from '../../../i18n';
import { IconButton } from '../../../ui/bits';
import { selectObjects } from '../../actions/select_objects';
import type { Point, Size } from '../../core/geometry';
import { isTyping } from '../../core/keymap';
import type { LabelSession } from '../../core/label_session';
import { fitted, pan, pinched, toImage, type Viewport, zoomAt } from '../../core/viewport';
import { ARM_PX, drawScene, HANDLE_SIZE_PX } from '../../renderers/canvas';
import { beginGesture, type Gesture, gestureAction, type Mode } from '../../tools/gesture';
import { pick } from '../../tools/pick';
import { useDocument } from '../use_label';

const WHEEL_STEP = 1.0015;
const BUTTON_ZOOM = 1.4;
const REACH_PX = HANDLE_SIZE_PX;
/** A fingertip is not a pointer. */
const TOUCH_REACH_PX = 20;
const MIDDLE_BUTTON = 1;
const LEAST_ZOOM = 0.02;

interface Drag {
  gesture: Gesture;
  pointer: number;
  last: Point;
}

function useImage(url: string | null | undefined): { image: HTMLImageElement | null; failed: boolean } {
  const [state, setState] = useState<{ image: HTMLImageElement | null; failed: boolean }>({
    image: null,
    failed: false,
  });
  useEffect(() => {
    setState({ image: null, failed: false });
    if (!url) return;
    const image = new Image();
    image.src = url;
    let alive = true;
    image.decode().then(
      () => alive && setState({ image, failed: false }),
      () => alive && setState({ image: null, failed: true }),
    );
    return () => {
      alive = false;
    };
  }, [url]);
  return state;
}

export function Stage({ session }: { session: LabelSession }) {
  const t = useT();
  const document_ = useDocument(session);
  const { item, ontology } = session.setting;
  const { image, failed } = useImage(item.url);
  const size: Size = {
    width: item.width ?? image?.naturalWidth ?? 1,
    height: item.height ?? image?.naturalHeight ?? 1,
  };
  const canvas = useRef<HTMLCanvasElement>(null);
  const [screen, setScreen] = useState<Size>({ width: 0, height: 0 });
  const [view, setView] = useState<Viewport | null>(null);
  const [mode, setMode] = useState<Mode>('draw');
  const [space, setSpace] = useState(false);
  const [pointer, setPointer] = useState<Point | null>(null);
  const [drag, setDrag] = useState<Drag | null>(null);
  const [snaps, setSnaps] = useState(false);
  /** Fingers on the canvas, by pointer: two of them move and enlarge the picture. */
  const fingers = useRef(new Map<number, Point>());

  useEffect(() => {
    const element = canvas.current?.parentElement;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      setScreen({ width: element.clientWidth, height: element.clientHeight });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const fitView = useCallback(() => {
    if (screen.width > 0) setView(fitted({ width: size.width, height: size.height }, screen));
  }, [screen, size.width, size.height]);
  useEffect(fitView, [fitView]);

  const shown = view ?? { scale: 1, x: 0, y: 0 };
  const imagePoint = pointer ? toImage(shown, pointer) : null;
  const preview = drag && imagePoint ? gestureAction(drag.gesture, imagePoint, size, snaps) : null;
  const visible = preview ? preview(document_) : document_;
  const hovered =
    !drag && imagePoint ? pick(document_, imagePoint, REACH_PX / shown.scale, ARM_PX / shown.scale) : null;

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
        size: { width: size.width, height: size.height },
        view,
        screen,
        hover: hovered?.object.id ?? null,
        crosshair: mode === 'draw' && !space && (!drag || drag.gesture.kind === 'draw') ? pointer : null,
        density,
      });
    });
    return () => cancelAnimationFrame(frame);
  }, [visible, ontology, image, view, screen, size.width, size.height, hovered?.object.id, mode, space, drag, pointer]);

  // React's wheel listener is passive; the page must not scroll or zoom under the canvas.
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const at = { x: event.offsetX, y: event.offsetY };
      setView((now) => (now ? zoomAt(now, at, WHEEL_STEP ** -event.deltaY, LEAST_ZOOM) : now));
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, []);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
      const down = event.type === 'keydown';
      if (event.key === 'Shift') setSnaps(down);
      if (event.key === ' ') {
        // Space on a focused button presses it; anywhere else it pans.
        if ((event.target as HTMLElement).tagName === 'BUTTON') return;
        setSpace(down);
        event.preventDefault();
      } else if (down && !event.shiftKey && event.key.toLowerCase() === 'n') setMode('draw');
      else if (down && event.key.toLowerCase() === 'v') setMode('select');
      else if (down && event.key.toLowerCase() === 'f') fitView();
      else if (down && event.key === 'Escape') setDrag(null);
      else if (down && (event.key === '+' || event.key === '=')) zoomBy(BUTTON_ZOOM);
      else if (down && event.key === '-') zoomBy(1 / BUTTON_ZOOM);
    };
    const zoomBy = (factor: number) =>
      setView((now) => (now ? zoomAt(now, { x: screen.width / 2, y: screen.height / 2 }, factor, LEAST_ZOOM) : now));
    window.addEventListener('keydown', onKey);
    window.addEventListener('keyup', onKey);
    return () => {
      window.removeEventListener('keydown', onKey);
      window.removeEventListener('keyup', onKey);
    };
  }, [fitView, screen]);

  const at = (event: ReactPointerEvent): Point => ({ x: event.nativeEvent.offsetX, y: event.nativeEvent.offsetY });

  const onDown = (event: ReactPointerEvent<HTMLCanvasElement>) => {
    if (event.button > MIDDLE_BUTTON) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const here = at(event);
    if (event.pointerType === 'touch') {
      fingers.current.set(event.pointerId, here);
      if (fingers.current.size > 1) {
        // What the first finger began was the beginning of this.
        setDrag(null);
        setPointer(null);
        return;
      }
    }
    const begun = beginGesture({
      document: session.document,
      mode,
      point: toImage(shown, here),
      reach_px: (event.pointerType === 'touch' ? TOUCH_REACH_PX : REACH_PX) / shown.scale,
      arm_px: ARM_PX / shown.scale,
      wantsPan: event.button === MIDDLE_BUTTON || space,
      newId: () => crypto.randomUUID(),
    });
    if (begun.select) session.perform(selectObjects(begun.select));
    setPointer(here);
    setDrag({ gesture: begun.gesture, pointer: event.pointerId, last: here });
  };
  const onMove = (event: ReactPointerEvent<HTMLCanvasElement>) => {
    const here = at(event);
    if (fingers.current.size === 2 && fingers.current.has(event.pointerId)) {
      const before = [...fingers.current.values()] as [Point, Point];
      fingers.current.set(event.pointerId, here);
      const after = [...fingers.current.values()] as [Point, Point];
      setView((now) => (now ? pinched(now, before, after, LEAST_ZOOM) : now));
      return;
    }
    if (drag?.gesture.kind === 'pan' && drag.pointer === event.pointerId) {
      setView((now) => (now ? pan(now, here.x - drag.last.x, here.y - drag.last.y) : now));
      setDrag({ ...drag, last: here });
    }
    setPointer(here);
    setSnaps(event.shiftKey);
  };
  const onUp = (event: ReactPointerEvent<HTMLCanvasElement>) => {
    fingers.current.delete(event.pointerId);
    if (!drag || drag.pointer !== event.pointerId) return;
    const action = gestureAction(drag.gesture, toImage(shown, at(event)), size, event.shiftKey);
    if (action) session.perform(action);
    else if (drag.gesture.kind === 'draw') {
      // A click while drawing is a wish to select what is there.
      const under = pick(session.document, drag.gesture.from, REACH_PX / shown.scale, ARM_PX / shown.scale);
      session.perform(selectObjects(under ? [under.object.id] : []));
    }
    setDrag(null);
  };

  const cursor =
    space || drag?.gesture.kind === 'pan' || drag?.gesture.kind === 'rotate' || hovered?.handle === 'knob'
      ? 'grab'
      : hovered?.handle
        ? 'pointer'
        : mode === 'draw'
          ? 'none'
          : hovered
            ? 'move'
            : 'default';
  return (
    <div style={{ position: 'relative', minWidth: 0, minHeight: 0, overflow: 'hidden' }}>
      <canvas
        ref={canvas}
        role="img"
        aria-label={t('Picture with {count, plural, one {# box} other {# boxes}}; the list beside it names them', {
          count: document_.label.kind === 'objects' ? document_.label.objects.length : 0,
        })}
        style={{ position: 'absolute', inset: 0, width: '100%', height: '100%', touchAction: 'none', cursor }}
        onPointerDown={onDown}
        onPointerMove={onMove}
        onPointerUp={onUp}
        onPointerCancel={(event) => {
          fingers.current.delete(event.pointerId);
          setDrag(null);
        }}
        onPointerLeave={() => !drag && setPointer(null)}
      />
      {failed && (
        <p style={{ position: 'absolute', inset: 0, display: 'grid', placeItems: 'center' }}>
          {t('The picture did not load. Give the page back as a broken item, or try again.')}
        </p>
      )}
      <div
        className="cup-panel"
        style={{
          position: 'absolute',
          left: 12,
          top: 12,
          padding: 4,
          display: 'grid',
          gap: 2,
          color: 'var(--mantine-color-text)',
        }}
        role="toolbar"
        aria-orientation="vertical"
        aria-label={t('Tools')}
      >
        <IconButton icon="box" label={t('Draw boxes (N)')} pressed={mode === 'draw'} onClick={() => setMode('draw')} />
        <IconButton
          icon="cursor"
          label={t('Select and move (V)')}
          pressed={mode === 'select'}
          onClick={() => setMode('select')}
        />
        <IconButton icon="fit" label={t('Fit the picture (F)')} onClick={fitView} />
      </div>
      {view && (
        <output style={{ position: 'absolute', left: 12, bottom: 8, fontSize: 12, opacity: 0.9 }}>
          {Math.round(view.scale * 100)} % · {size.width} × {size.height}
          {imagePoint ? ` · ${Math.round(imagePoint.x)}, ${Math.round(imagePoint.y)}` : ''}
        </output>
      )}
    </div>
  );
}
