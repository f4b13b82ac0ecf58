import type { ItemView, Localised } from '../../api/types';

/** What somebody reads before they judge an item: its own instruction where it brings one, else the project's
 * guidelines. Orders carry one in each task, and what it says would contradict that of another task. */
export function readFirst(item: ItemView, guidelines: Localised): Localised {
  const said: unknown = item.metadata?.instruction;
  return typeof said === 'string' && said.trim() ? { en: said } : guidelines;
}
