/**
 * A held key is one press. Enter repeats some thirty times a second while it is held, and each repeat presses the
 * focused button or submits the form again: pages of work, money, invitations.
 */

/** Where a repeated Enter writes, it may go on: a new line is taken back as easily as it came. */
function writes(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.tagName === 'TEXTAREA');
}

export function guardHeldKeys(page: Pick<Window, 'addEventListener'>): void {
  page.addEventListener(
    'keydown',
    (event) => {
      if (!event.repeat || event.key !== 'Enter') return;
      if (writes(event.target) && !event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
    },
    true,
  );
}
