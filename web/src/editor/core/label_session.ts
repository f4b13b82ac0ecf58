/** One label being edited: its history, its setting, whether its item is seen, and who wants to know when it changes. */
import type { ItemView, Label, Shape } from '../../api/types';
import { msg } from '../../i18n/msg';
import { isShape, wayOf } from '../shapes';
import type { Ground } from '../shapes/gestures';
import type { Viewport } from '../spaces/plane';
import type { Drawing } from '../tools/tool';
import { type Issue, issue, Validator } from '../validations';
import type { Action, Document, Setting } from './document';
import type { Size } from './geometry';
import { type History, perform, redo, undo } from './history';
import { type Idle, whenIdle } from './idle';
import { classesOf, classNamed } from './ontology';
import { toolbox } from './toolbox';

/** Whether the person has the item before their eyes: nothing may be said of a picture that never came. */
export type Sight = 'waiting' | 'shown' | 'failed';

/** Asks for the item anew: addresses of pictures do not live for ever. */
export type Refetch = () => Promise<ItemView | null>;

/** A video is shown frame by frame, or by a player. */
export const isVideo = (item: ItemView): boolean => item.media_type?.startsWith('video/') ?? false;

/** The addresses of all pictures that an item shows: its own, or those of its parts. */
export function picturesOf(item: ItemView): string[] {
  if (isVideo(item)) return [];
  const parts = (item.parts ?? []).map((part) => part.url);
  return [item.url, ...parts].filter((url) => typeof url === 'string');
}

/** How a text or an item that holds nothing is met; pictures have yet to load. */
function sightOf(item: ItemView): Sight {
  if (picturesOf(item).length > 0 || (isVideo(item) && item.url)) return 'waiting';
  return typeof item.text === 'string' || item.parts?.length ? 'shown' : 'failed';
}

const UNSEEN: Record<Exclude<Sight, 'shown'>, Issue> = {
  waiting: issue('item-shown', 'The picture is still loading.'),
  failed: issue('item-shown', 'The item cannot be shown, so nothing can be said of it.'),
};

const UNFINISHED = issue(
  'drawing-finished',
  msg('What you are drawing is not closed yet: press Enter to close it, or Escape to give it up.'),
);

/** So many objects are looked at between two breaths of the page, where somebody waits for the end of it. */
const PIECE = 500;

export class LabelSession {
  #setting: Setting;
  #history: History;
  #sight: Sight;
  #attempt = 0;
  #wanted: Viewport | null = null;
  #lookedAt = 0;
  #chosenShape: Shape['type'] = 'box';
  #way: string | null = null;
  #drawing: Drawing | null = null;
  #issues: readonly Issue[] = [];
  #issuesOf: { readonly label: Label; readonly setting: Setting } | null = null;
  #looksLater = false;
  readonly #validator = new Validator();
  readonly #refetch: Refetch | undefined;
  readonly #idle: Idle;
  readonly #listeners = new Set<() => void>();
  readonly #issueListeners = new Set<() => void>();

  constructor(setting: Setting, history: History, refetch?: Refetch, idle: Idle = whenIdle) {
    this.#idle = idle;
    this.#setting = setting;
    this.#history = history;
    this.#sight = sightOf(setting.item);
    this.#refetch = refetch;
  }

  get setting(): Setting {
    return this.#setting;
  }
  get history(): History {
    return this.#history;
  }
  get document(): Document {
    return this.#history.present;
  }
  get sight(): Sight {
    return this.#sight;
  }
  /** Goes up with each new try at loading the item. */
  get attempt(): number {
    return this.#attempt;
  }

  /**
   * What the rules found when they last looked; that the item is unseen is the first. Whoever asks brings them to look at
   * what changed since, in the next pause: `subscribeIssues` tells of it.
   */
  get issues(): readonly Issue[] {
    this.#lookLater();
    if (this.#sight !== 'shown') return [UNSEEN[this.#sight], ...this.#issues];
    return this.#drawing ? [UNFINISHED, ...this.#issues] : this.#issues;
  }

  /** Whether `issues` are those of the present label. */
  get isChecked(): boolean {
    return this.#issuesOf?.label === this.document.label && this.#issuesOf.setting === this.setting;
  }

  /** Lets the rules look at no more than `most` objects now; whether they are through with the present label. */
  check(most = Number.POSITIVE_INFINITY): boolean {
    let left = most;
    this.#look(() => {
      left -= 1;
      return left > 0;
    });
    return this.isChecked;
  }

  /** Resolves once the rules are through with the label as it is then; the page goes on meanwhile. */
  async checked(): Promise<void> {
    while (!this.check(PIECE)) await new Promise((resolve) => setTimeout(resolve));
  }

  /** Whether nothing speaks against the present label; looks at what was not looked at yet. */
  isSound(): boolean {
    this.check();
    return this.issues.every(({ severity }) => severity !== 'error');
  }

  /** Does what mends an issue, as it stands now: the label may have gone on since it was shown. */
  mend(id: string): void {
    this.check();
    const fix = this.#issues.find((one) => one.id === id)?.fix;
    if (fix) this.perform(fix.action);
  }

  #lookLater(): void {
    if (this.#looksLater || this.isChecked) return;
    this.#looksLater = true;
    this.#idle((hasTime) => {
      this.#looksLater = false;
      this.#look(hasTime);
      this.#lookLater();
    });
  }

  #look(hasTime: () => boolean): void {
    if (this.isChecked) return;
    const { label } = this.document;
    const { setting } = this;
    this.#validator.take(this.document, setting);
    this.#validator.look(hasTime);
    if (!this.#validator.hasLookedAt(label, setting)) return;
    this.#issues = this.#validator.issues();
    this.#issuesOf = { label, setting };
    for (const listener of this.#issueListeners) listener();
  }

  /** How the item is looked at now; kept by whatever shows it. */
  view: Viewport | null = null;
  /** How it should be looked at since a step was taken back or done again; `lookedAt` goes up each time. */
  get wanted(): Viewport | null {
    return this.#wanted;
  }
  get lookedAt(): number {
    return this.#lookedAt;
  }

  perform = (action: Action, mark: string | null = null): void => {
    const before = this.document.label;
    this.#become(perform(this.#history, (document) => this.#seen(action(document), before), mark));
  };
  undo = (): void => {
    const undone = this.document;
    if (this.#become(undo(this.#history))) this.#want(undone.view);
  };
  redo = (): void => {
    if (this.#become(redo(this.#history))) this.#want(this.document.view);
  };

  /** A document with another label carries how the item was looked at. */
  #seen(document: Document, before: Label): Document {
    return document.label === before || !this.view ? document : { ...document, view: this.view };
  }

  #want(view: Viewport | null | undefined): void {
    if (!view) return;
    this.#wanted = view;
    this.#lookedAt += 1;
    this.#tell();
  }

  /** What the next object is drawn as: what its class asks for, else what was chosen last. */
  get shape(): Shape['type'] {
    const wanted = classNamed(this.setting.ontology, this.document.cls)?.geometry;
    return isShape(wanted) ? wanted : this.#chosenShape;
  }
  /** The way in which it is drawn, where that is not the plain one. */
  get way(): string | null {
    return wayOf(this.shape, this.#way)?.id ?? null;
  }

  /** Draws this shape from now on; a class that asks for another gives way to the first that does not. */
  choose(shape: Shape['type'], way: string | null = null): void {
    this.#chosenShape = shape;
    this.#way = way;
    if (this.shape !== shape) {
      const next = classesOf(this.setting.ontology).find(({ geometry }) => !geometry || geometry === shape);
      if (next) this.perform((document) => ({ ...document, cls: next.name }));
    }
    this.#tell();
  }

  /** What the next object is drawn on: the picture, its class, how painting is set. */
  ground(size: Size): Ground {
    const { radius_px, erases, tolerance } = toolbox.get();
    const spec = classNamed(this.setting.ontology, this.document.cls);
    return { ...size, spec, radius_px, erases, tolerance, pixels: this.pixels };
  }
  /** The picture's pixels where they can be read; given by whatever shows it. */
  pixels: (() => ImageData | null) | undefined;

  /** What is being drawn, where that takes more than a press: it waits here when another item is looked at. */
  get drawing(): Drawing | null {
    return this.#drawing;
  }
  draw(drawing: Drawing | null): void {
    if (drawing === this.#drawing) return;
    this.#drawing = drawing;
    this.#tell();
  }

  /** Said by whatever shows the item. */
  see(sight: Sight): void {
    if (sight === this.#sight) return;
    this.#sight = sight;
    this.#tell();
  }

  /** Tries to load the item again, from a fresh address where one is to be had. */
  async look(): Promise<void> {
    this.see('waiting');
    const item = await this.#refetch?.().catch(() => null);
    if (item) this.#setting = { ...this.#setting, item };
    this.#attempt += 1;
    this.#sight = sightOf(this.#setting.item);
    this.#tell();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  snapshot = (): History => this.#history;
  /** What changes with the item rather than with the label. */
  sightSnapshot = (): string => `${this.#sight}:${this.#attempt}:${this.#lookedAt}`;
  drawingSnapshot = (): Drawing | null => this.#drawing;

  subscribeIssues = (listener: () => void): (() => void) => {
    this.#issueListeners.add(listener);
    return () => this.#issueListeners.delete(listener);
  };
  issuesSnapshot = (): readonly Issue[] => this.#issues;

  #become(next: History): boolean {
    if (next === this.#history) return false;
    this.#history = next;
    this.#tell();
    return true;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
