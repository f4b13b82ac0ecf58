/** New identifiers, also where the page came over plain http: `crypto.randomUUID` exists in secure contexts only. */

const HEX = 16;
const BYTES = 16;
const VERSION_AT = 6;
const VARIANT_AT = 8;

/** A random UUID, version 4 (RFC 9562). */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(BYTES));
  bytes[VERSION_AT] = ((bytes[VERSION_AT] ?? 0) & 0x0f) | 0x40;
  bytes[VARIANT_AT] = ((bytes[VARIANT_AT] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(HEX).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
