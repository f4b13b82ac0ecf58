/** What the server takes of any label, whatever its ontology says; a test holds these to the server's own. */
export const MAX_TEXT_CHARS = 200_000;
export const MAX_OBJECTS = 20_000;
export const MAX_TRACKS = 5_000;
export const MAX_KEYS = 100_000;
export const MAX_EVENTS = 10_000;
export const MAX_ID_CHARS = 64;
export const MAX_POINTS = 2_000;
export const MAX_MASK_TILES = 4_096;
export const MAX_ANSWER_ROWS = 500;
export const MAX_SPANS = 5_000;
export const MAX_ANSWER_FILE_BYTES = 64_000_000;
export const MAX_NAME_CHARS = 200;

/** U+0000 and half a surrogate pair can stand in a text of a browser, and in no database's. */
const UNSTORABLE = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

export const isStorable = (text: string): boolean => text.search(UNSTORABLE) === -1;
export const storable = (text: string): string => text.replace(UNSTORABLE, '');
