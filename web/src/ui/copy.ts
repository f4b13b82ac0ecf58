/** Takes text to the clipboard, also where the page came over plain http and has no clipboard of its own. */

/** True when it is there. The older way works without a secure context, but only inside a press of a button. */
export async function copyText(text: string): Promise<boolean> {
  // The types promise a clipboard; a page over plain http has none.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (clipboard) {
    try {
      await clipboard.writeText(text);
      return true;
    } catch {
      // Forbidden by the browser's settings: the older way may still be allowed.
    }
  }
  const held = document.activeElement;
  const field = document.createElement('textarea');
  field.value = text;
  field.setAttribute('aria-hidden', 'true');
  Object.assign(field.style, { position: 'fixed', opacity: '0' });
  // Inside the dialog that shows the text: outside of it focus would be taken back before the copy.
  (held?.closest('[role="dialog"]') ?? document.body).append(field);
  field.select();
  const copied = document.execCommand('copy');
  field.remove();
  if (held instanceof HTMLElement) held.focus();
  return copied;
}
