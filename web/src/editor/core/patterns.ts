/** Patterns that an ontology asks texts to match, read as far as this browser reads them. */

function compiled(pattern: string): RegExp | null {
  try {
    return new RegExp(`^(?:${pattern})$`, 'u');
  } catch {
    // Written in a dialect this browser does not read; the server, which checks again, has the last word.
    return null;
  }
}

/** Whether the whole text matches; true where that cannot be told here. */
export function matchesWhole(pattern: string, text: string): boolean {
  return compiled(pattern)?.test(text) ?? true;
}
