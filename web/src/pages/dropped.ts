/** What somebody drops or chooses: a file, several, or folders with all that is below them. */

export interface Dropped {
  /** Where it lies below what was dropped, with slashes. */
  path: string;
  file: File;
}

/** The files behind a drop, folders opened. Must be called while the event is handled: the entries are gone after it. */
export async function filesOf(transfer: DataTransfer): Promise<Dropped[]> {
  const entries = [...transfer.items]
    .filter((item) => item.kind === 'file')
    .map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile())
    .filter((entry) => entry !== null);
  if (entries.length === 0) return namedFiles([...transfer.files]);
  // One folder by itself stands for what is in it, as a folder that is imported does.
  const alone = entries.length === 1;
  const found: Dropped[] = [];
  for (const entry of entries) {
    if (entry instanceof File) found.push({ path: entry.name, file: entry });
    else await open(entry, alone && entry.isDirectory ? '' : entry.name, found);
  }
  return found;
}

/** Files that were chosen: of a folder the browser tells the way to each. */
export function namedFiles(files: readonly File[]): Dropped[] {
  return files.map((file) => ({ path: file.webkitRelativePath.split('/').slice(1).join('/') || file.name, file }));
}

async function open(entry: FileSystemEntry, path: string, found: Dropped[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((good, bad) => (entry as FileSystemFileEntry).file(good, bad));
    found.push({ path, file });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A folder is told a hundred entries at a time, until there are none.
    const some = await new Promise<FileSystemEntry[]>((good, bad) => reader.readEntries(good, bad));
    if (some.length === 0) return;
    for (const inner of some) await open(inner, path ? `${path}/${inner.name}` : inner.name, found);
  }
}
