import { NativeSelect, NumberInput } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type PointerEvent, useEffect, useRef, useState } from 'react';
import type { Track, VideoEvent } from '../../../api/types';
import { useT } from '../../../i18n';
import { IconButton } from '../../../ui/bits';
import { useKeysOf } from '../../../ui/bound_keys';
import { selectObjects } from '../../actions/select_objects';
import { tracksOf } from '../../core/document';
import type { Frames } from '../../core/frames';
import type { LabelSession } from '../../core/label_session';
import { SPEEDS } from '../../core/playing';
import { spansOf } from '../../core/tracks';
import { goTo, trackOperations } from '../../operations/track_operations';
import { classColour } from '../../renderers/palette';
import { useDocument } from '../use_label';

const ROW_PX = 24;
const LABEL_PX = 132;
/** A key within so many pixels of a click is meant. */
const REACH_PX = 5;
const MOST_MARKS = 400;
const ZOOM = 2;
const LEAST_FRAMES = 20;

interface Span {
  readonly from: number;
  readonly to: number;
}

const clock = (time_s: number) => {
  const whole = Math.floor(time_s);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}.${String(Math.floor((time_s - whole) * 1000)).padStart(3, '0')}`;
};

/** What of the time is shown: all, until somebody looks closer. */
function useSpan(count: number, frame: number) {
  const [span, setSpan] = useState<Span | null>(null);
  const shown = span ?? { from: 0, to: Math.max(1, count - 1) };
  const length = shown.to - shown.from;
  const around = (at: number, wanted: number): Span | null => {
    const size = Math.max(LEAST_FRAMES, Math.round(wanted));
    if (size >= count - 1) return null;
    const from = Math.min(count - 1 - size, Math.max(0, Math.round(at - size / 2)));
    return { from, to: from + size };
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: only another frame moves what is shown.
  useEffect(() => {
    if (span && (frame < span.from || frame > span.to)) setSpan(around(frame, length));
  }, [frame]);
  return { shown, zoom: (factor: number) => setSpan(around(frame, length / factor)), isWhole: span === null };
}

function Marks({ track, shown, colour, count }: { track: Track; shown: Span; colour: string; count: number }) {
  const share = (frame: number) => (100 * (frame - shown.from)) / (shown.to - shown.from);
  const keys = track.keys.filter(({ frame }) => frame >= shown.from && frame <= shown.to);
  const every = Math.ceil(keys.length / MOST_MARKS);
  return (
    <>
      {spansOf(track, count).map(([from, to]) =>
        to <= shown.from || from > shown.to ? null : (
          <i
            key={from}
            className="cup-timerow-span"
            style={{
              left: `${Math.max(0, share(from))}%`,
              width: `${Math.max(0.2, Math.min(100, share(to - 1)) - Math.max(0, share(from)))}%`,
              background: colour,
            }}
          />
        ),
      )}
      {keys
        .filter((_, at) => at % every === 0)
        .map(({ frame, outside, occluded, holds }) => (
          <i
            key={frame}
            className="cup-timerow-key"
            data-outside={outside || undefined}
            data-occluded={occluded || undefined}
            data-holds={holds || undefined}
            style={{ left: `${share(frame)}%`, borderColor: colour }}
          />
        ))}
    </>
  );
}

function EventBar({ event, shown, colour }: { event: VideoEvent; shown: Span; colour: string }) {
  const share = (frame: number) => (100 * (frame - shown.from)) / (shown.to - shown.from);
  if (event.end < shown.from || event.start > shown.to) return null;
  const left = Math.max(0, share(event.start));
  return (
    <i
      className="cup-timerow-event"
      style={{
        left: `${left}%`,
        width: `${Math.max(0.5, Math.min(100, share(event.end)) - left)}%`,
        background: colour,
      }}
    />
  );
}

/** All of a video's time: a row for each thing and each event, the frame that is looked at, and the way through it. */
export function Timeline({
  session,
  frames,
  playing,
  onPlay,
  speed,
  onSpeed,
}: {
  session: LabelSession;
  frames: Frames | null;
  playing: boolean;
  onPlay: () => void;
  speed: number;
  onSpeed: (speed: number) => void;
}) {
  const t = useT();
  const keysOf = useKeysOf();
  const document_ = useDocument(session);
  const { frame = 0, label, selected } = document_;
  const { ontology } = session.setting;
  const count = frames?.times.frames ?? 1;
  const tracks = tracksOf(document_);
  const events = label.kind === 'tracks' ? (label.events ?? []) : [];
  const { shown, zoom, isWhole } = useSpan(count, frame);
  const rows: readonly (Track | VideoEvent)[] = [...events, ...tracks];
  const lanes = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => lanes.current,
    estimateSize: () => ROW_PX,
    overscan: 6,
  });
  const at = rows.findIndex(({ id }) => id === selected[0]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another selection alone brings its row into sight.
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at);
  }, [at]);
  const time_s = frames?.times.timeOf_s(frame) ?? null;
  const share = (100 * (frame - shown.from)) / (shown.to - shown.from);

  const frameUnder = (event: PointerEvent<HTMLElement>, track?: Track) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const per = width / (shown.to - shown.from);
    const found = shown.from + (event.clientX - left) / per;
    const near = track?.keys
      .map((key) => key.frame)
      .filter((key) => Math.abs(key - found) * per <= REACH_PX)
      .sort((a, b) => Math.abs(a - found) - Math.abs(b - found))[0];
    return near ?? Math.round(found);
  };
  const drag = (track?: Track, id?: string) => ({
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      event.currentTarget.setPointerCapture(event.pointerId);
      if (id) session.perform(selectObjects([id]));
      goTo(session, frameUnder(event, track));
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      if (event.currentTarget.hasPointerCapture(event.pointerId)) goTo(session, frameUnder(event));
    },
  });
  const named = (title: string, command: string) => {
    const [key] = keysOf(command);
    return key ? `${title} (${key})` : title;
  };
  const operations = new Map(trackOperations(() => '').map((one) => [one.id, one]));
  const act = (id: string, icon: Parameters<typeof IconButton>[0]['icon']) => {
    const operation = operations.get(id);
    if (!operation) return null;
    const why = operation.disabledBecause(session);
    return (
      <IconButton
        icon={icon}
        label={named(t(operation.title, operation.values), id)}
        disabledBecause={why ? t(why) : null}
        onClick={() => operation.run(session)}
      />
    );
  };

  return (
    <section className="cup-timeline" aria-label={t('Timeline')}>
      <div className="cup-transport" role="toolbar" aria-label={t('Through the video')}>
        {act('first-frame', 'first')}
        {act('previous-key', 'keyBack')}
        {act('previous-frame', 'left')}
        <IconButton
          icon={playing ? 'pause' : 'play'}
          label={named(playing ? t('Pause') : t('Play'), 'play')}
          pressed={playing}
          onClick={onPlay}
        />
        {act('next-frame', 'right')}
        {act('next-key', 'keyOn')}
        {act('last-frame', 'last')}
        <NumberInput
          aria-label={t('Frame')}
          size="xs"
          w={84}
          min={0}
          max={count - 1}
          allowDecimal={false}
          value={frame}
          onChange={(next) => typeof next === 'number' && goTo(session, next)}
        />
        <output className="cup-transport-time" aria-live="off">
          {t('of {count}', { count: count - 1 })}
          {time_s === null ? '' : ` · ${clock(time_s)}`}
        </output>
        <NativeSelect
          aria-label={t('Speed')}
          size="xs"
          w={76}
          value={String(speed)}
          data={SPEEDS.map((one) => ({ value: String(one), label: `${one} ×` }))}
          onChange={(event) => onSpeed(Number(event.currentTarget.value))}
        />
        <span className="cup-spacer" />
        {act('toggle-key', 'diamond')}
        {act('toggle-outside', 'eyeOff')}
        {act('toggle-occluded', 'covered')}
        {act('toggle-holds', 'holds')}
        {act('split-track', 'slice')}
        {act('merge-tracks', 'link')}
        <IconButton
          icon="minus"
          label={t('More of the time')}
          disabledBecause={isWhole ? t('All of it is shown.') : null}
          onClick={() => zoom(1 / ZOOM)}
        />
        <IconButton icon="plus" label={t('Closer to this frame')} onClick={() => zoom(ZOOM)} />
      </div>
      <div
        className="cup-ruler"
        role="slider"
        tabIndex={0}
        aria-label={t('Frame')}
        aria-valuemin={0}
        aria-valuemax={count - 1}
        aria-valuenow={frame}
      >
        <span style={{ width: LABEL_PX }} />
        <div className="cup-timerow-strip" {...drag()}>
          <i className="cup-now" style={{ left: `${share}%` }} />
          <small style={{ left: 2 }}>{shown.from}</small>
          <small style={{ right: 2 }}>{shown.to}</small>
        </div>
      </div>
      <div className="cup-timerows" ref={lanes} role="list" aria-label={t('Tracks and events')} tabIndex={0}>
        {rows.length === 0 && (
          <p className="cup-timerows-empty">{t('Draw a thing in any frame: its track begins there.')}</p>
        )}
        <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const row = rows[index];
            if (!row) return null;
            const colour = classColour(ontology, row.cls);
            const isTrack = 'keys' in row;
            return (
              <div
                key={row.id}
                role="listitem"
                className="cup-timerow"
                data-selected={selected.includes(row.id)}
                style={{ transform: `translateY(${start}px)`, height: ROW_PX }}
              >
                <button
                  type="button"
                  style={{ width: LABEL_PX }}
                  aria-pressed={selected.includes(row.id)}
                  onClick={(event) =>
                    session.perform(
                      selectObjects(event.ctrlKey || event.metaKey ? [...new Set([...selected, row.id])] : [row.id]),
                    )
                  }
                >
                  <span className="cup-choice-swatch" style={{ background: colour }} />
                  <span className="cup-ellipsis" dir="auto">
                    {index + 1 - (isTrack ? events.length : 0)}. {row.cls}
                  </span>
                </button>
                <div className="cup-timerow-strip" {...drag(isTrack ? row : undefined, row.id)}>
                  {isTrack ? (
                    <Marks track={row} shown={shown} colour={colour} count={count} />
                  ) : (
                    <EventBar event={row} shown={shown} colour={colour} />
                  )}
                  <i className="cup-now" style={{ left: `${share}%` }} />
                </div>
              </div>
            );
          })}
        </div>
      </div>
    </section>
  );
}
