/** Known answers as people keep them: lines of `ref,label`, read into labels, each fault with its line. */

import type { Label, Ontology } from '../api/types';
import { readCell } from '../editor/kinds/models';
import { msg } from '../i18n';

export interface GoldRow {
  ref: string;
  label: Label;
}
export interface GoldFault {
  line: number;
  message: string;
  found: string;
}
export interface Gold {
  rows: GoldRow[];
  faults: GoldFault[];
}

/** The server takes this many in one request. */
export const GOLD_IN_ONE_REQUEST = 10_000;

/** Records of two fields: quotes hold commas, line breaks and doubled quotes, as in RFC 4180. */
function records(text: string): { line: number; fields: string[] }[] {
  const found: { line: number; fields: string[] }[] = [];
  let fields: string[] = [];
  let field = '';
  let isQuoted = false;
  let line = 1;
  let begun = 1;
  const close = () => {
    fields.push(field);
    if (fields.some((one) => one.trim() !== '')) found.push({ line: begun, fields: fields.map((one) => one.trim()) });
    fields = [];
    field = '';
  };
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (sign === '\n') line += 1;
    if (isQuoted) {
      if (sign !== '"') field += sign;
      else if (text[at + 1] === '"') {
        field += '"';
        at += 1;
      } else isQuoted = false;
    } else if (sign === '"' && field.trim() === '') {
      isQuoted = true;
      field = '';
    } else if ((sign === ',' || sign === '\t') && fields.length === 0) {
      fields.push(field);
      field = '';
    } else if (sign === '\n') {
      close();
      begun = line;
    } else if (sign !== '\r') field += sign;
  }
  close();
  return found;
}

/** Reads `ref,label` lines; a first line that says just that is a head. Nothing of what is faulty is kept. */
export function readGold(text: string, ontology: Ontology): Gold {
  const rows: GoldRow[] = [];
  const faults: GoldFault[] = [];
  const seen = new Set<string>();
  for (const [at, { line, fields }] of records(text.replace(/^\ufeff/, '')).entries()) {
    const [ref = '', said = ''] = fields;
    if (at === 0 && ref.toLowerCase() === 'ref' && said.toLowerCase() === 'label') continue;
    const fault = (message: string, found: string) => faults.push({ line, message, found });
    if (ref === '' || said === '') fault(msg('A line is a reference, a comma, and the label.'), ref || said);
    else if (seen.has(ref)) fault(msg('This reference was given before.'), ref);
    else {
      seen.add(ref);
      const label = readCell(said, ontology);
      if ('fault' in label) fault(label.fault, said);
      else rows.push({ ref, label });
    }
  }
  return { rows, faults };
}
