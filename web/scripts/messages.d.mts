export function allMessages(folder: string): Map<string, string[]>;
export function messagesIn(path: string, text: string): string[];
export function untranslated(folder: string): string[];
