/** A small set of line icons, drawn on a 20 px grid with one stroke. */
import type { CSSProperties } from 'react';

const PATHS = {
  check: 'M4 10.5l4 4 8-9',
  cross: 'M5 5l10 10M15 5L5 15',
  plus: 'M10 4v12M4 10h12',
  undo: 'M7 4L3 8l4 4M3 8h9a5 5 0 0 1 0 10H8',
  redo: 'M13 4l4 4-4 4M17 8H8a5 5 0 0 0 0 10h4',
  left: 'M12 4l-6 6 6 6',
  right: 'M8 4l6 6-6 6',
  down: 'M4 8l6 6 6-6',
  up: 'M4 12l6-6 6 6',
  grip: 'M7 5v.2M13 5v.2M7 10v.2M13 10v.2M7 15v.2M13 15v.2',
  trash: 'M3 5h14M8 5V3h4v2M5 5l1 12h8l1-12M8.5 8.5v5M11.5 8.5v5',
  warning: 'M10 3l8 14H2zM10 8v4M10 14.3v.2',
  info: 'M10 2.5a7.5 7.5 0 1 0 0 15a7.5 7.5 0 0 0 0-15M10 9v5M10 6.3v.2',
  clock: 'M10 2.5a7.5 7.5 0 1 0 0 15a7.5 7.5 0 0 0 0-15M10 6v4.3l3 2',
  keyboard: 'M2 5h16v10H2zM5 8.2h.2M8.3 8.2h.2M11.6 8.2h.2M14.8 8.2h.2M6 12h8',
  search: 'M9 3a6 6 0 1 0 0 12A6 6 0 0 0 9 3M13.5 13.5L18 18',
  sun: 'M10 6.5a3.5 3.5 0 1 0 0 7a3.5 3.5 0 0 0 0-7M10 1.5v2M10 16.5v2M1.5 10h2M16.5 10h2M4 4l1.4 1.4M14.6 14.6L16 16M4 16l1.4-1.4M14.6 5.4L16 4',
  moon: 'M16.5 12.5A7 7 0 0 1 7.5 3.5a7 7 0 1 0 9 9z',
  system: 'M2.5 4h15v10h-15zM7 17.5h6M10 14v3.5',
  user: 'M10 3a3.5 3.5 0 1 0 0 7a3.5 3.5 0 0 0 0-7M3 17.5c1-3.500 3.500-5 7-5s6 1.500 7 5',
  download: 'M10 3v10M6 9.500l4 4 4-4M3 17h14',
  upload: 'M10 14V4M6 7.500l4-4 4 4M3 17h14',
  link: 'M8 12l4-4M9 6l2-2a3.500 3.500 0 0 1 5 5l-2 2M11 14l-2 2a3.500 3.500 0 0 1-5-5l2-2',
  copy: 'M7 7h10v10H7zM13 7V3H3v10h4',
  play: 'M6 4l10 6-10 6z',
  pause: 'M7 4v12M13 4v12',
  stop: 'M5 5h10v10H5z',
  first: 'M15 4l-6 6 6 6M6 4v12',
  last: 'M5 4l6 6-6 6M14 4v12',
  keyBack: 'M9 4l-6 6 6 6M14 6.500l3.500 3.500-3.500 3.500-3.500-3.500z',
  keyOn: 'M11 4l6 6-6 6M6 6.500l3.500 3.500L6 13.500 2.500 10z',
  diamond: 'M10 4l6 6-6 6-6-6z',
  covered: 'M4 4h9v9H4zM7 7h9v9H7z',
  holds: 'M5 10h10M5 7v6M15 7v6',
  minus: 'M4 10h12',
  box: 'M3 5h14v10H3z',
  point: 'M10 2v5M10 13v5M2 10h5M13 10h5M10 9.300a.7.7 0 1 0 0 1.400a.7.7 0 0 0 0-1.400',
  polygon: 'M4 7l7-4 6 5-2 8-8 1zM4 7v.2M11 3v.2M17 8v.2M15 16v.2M7 17v.2',
  polyline: 'M3 15l5-8 4 6 5-9M3 15v.2M8 7v.2M12 13v.2M17 4v.2',
  ellipse: 'M10 5c4.400 0 8 2.200 8 5s-3.600 5-8 5s-8-2.200-8-5s3.600-5 8-5',
  skeleton: 'M10 2.500a2 2 0 1 0 0 4a2 2 0 0 0 0-4M10 6.500v6M10 12.500l-4 5M10 12.500l4 5M4 9h12',
  brush:
    'M16.500 3.500l-8 8M8.500 11.500a3 3 0 0 0-4 3c0 1-.8 2-2 2c3 1.500 7 .8 7.500-2.500a2.500 2.500 0 0 0-1.500-2.500',
  flood:
    'M9 3l7 7-6 6-7-7zM9 3L7 1M3.500 9.500h12M17 13c1 1.500 1.500 2.300 1.500 3a1.500 1.500 0 0 1-3 0c0-.7.5-1.500 1.500-3',
  extremes:
    'M4 6h12v9H4zM9 6a1 1 0 1 0 2 0a1 1 0 0 0-2 0M15 10a1 1 0 1 0 2 0a1 1 0 0 0-2 0M7 15a1 1 0 1 0 2 0a1 1 0 0 0-2 0M3 11a1 1 0 1 0 2 0a1 1 0 0 0-2 0',
  hole: 'M3 3h14v14H3zM10 7a3 3 0 1 0 0 6a3 3 0 0 0 0-6',
  parts: 'M2.500 4h7v9h-7zM12.500 8h5v8h-5zM14 3v4M12 5h4',
  lock: 'M5 9h10v8H5zM7 9V6.500a3 3 0 0 1 6 0V9',
  unlock: 'M5 9h10v8H5zM7 9V6.500a3 3 0 0 1 5.800-1',
  slice: 'M4 16L16 4M3 8h5M12 12h5M4 16h.2M16 4h.2',
  eraser: 'M8 16l-4-4 8-8 5 5-7 7zM8 8l5 5M5 17h12',
  cursor: 'M4 3l5 14 2-6 6-2z',
  fit: 'M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4',
  eye: 'M1.500 10C4 5.500 7 4 10 4s6 1.500 8.500 6C16 14.500 13 16 10 16s-6-1.500-8.500-6M10 7.500a2.500 2.500 0 1 0 0 5a2.500 2.500 0 0 0 0-5',
  eyeOff:
    'M3 3l14 14M8 4.300A8 8 0 0 1 10 4c3 0 6 1.500 8.500 6a14 14 0 0 1-2.500 3.300M5.500 6A13 13 0 0 0 1.500 10C4 14.500 7 16 10 16a8 8 0 0 0 3.500-.8',
  menu: 'M3 5h14M3 10h14M3 15h14',
  refresh: 'M16 8a6.500 6.500 0 1 0 .3 4M16.500 4v4h-4',
  flag: 'M4 18V3h11l-2.500 4L15 11H4',
  book: 'M3 4c3-1 5-.5 7 1c2-1.500 4-2 7-1v12c-3-1-5-.5-7 1c-2-1.500-4-2-7-1zM10 5v12',
  cloud: 'M6 15.500a4 4 0 0 1 .3-8A5 5 0 0 1 15.500 9a3.300 3.300 0 0 1-.5 6.500z',
  cloudOff: 'M6 15.500a4 4 0 0 1 .3-8M9 5a5 5 0 0 1 6.500 4a3.300 3.300 0 0 1 .8 6M3 3l14 14',
} as const;

export type IconName = keyof typeof PATHS;

/** Decorative by default: the word beside it, or the button's label, says what it means. */
export function Icon({ name, size = 16, style }: { name: IconName; size?: number; style?: CSSProperties }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth={1.7}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
      style={{ flex: 'none', ...style }}
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark: a dome over a warm furnace. */
export function Mark({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false" style={{ flex: 'none' }}>
      <path d="M5 26V17a11 11 0 0 1 22 0v9z" fill="var(--cup-mark)" />
      <path d="M10 26v-8a6 6 0 0 1 12 0v8z" fill="#e8590c" />
      <rect x="3" y="26" width="26" height="3" rx="1" fill="var(--cup-mark)" />
    </svg>
  );
}
