/** Where files that answer a question go and come from; whoever opens an editor says so. */
import { createContext, useContext, useMemo } from 'react';
import { type AnswerFiles, filesOfItem } from '../../../api/calls';
import type { ItemView } from '../../../api/types';

const Files = createContext<AnswerFiles | null>(null);

/** Set by whoever works, for a task of theirs; members name the item. */
export const FilesHome = Files.Provider;
export const useFiles = (): AnswerFiles | null => useContext(Files);

export function useFilesOf({ id }: ItemView): AnswerFiles | null {
  const ofWork = useFiles();
  return useMemo(() => ofWork ?? (id ? filesOfItem(id) : null), [ofWork, id]);
}
