/**
 * Days, first and last included, as the moments between which the server looks: midnight to midnight where the person
 * is. An emptied field asks for the server's own span.
 */
export function spanOf(first: string, last: string): { from?: string; to?: string } {
  const after = midnight(last, 1);
  const from = midnight(first, 0);
  return { ...(from ? { from } : {}), ...(after ? { to: after } : {}) };
}

function midnight(day: string, daysLater: number): string | null {
  const [year, month, date] = day.split('-').map(Number);
  if (!year || !month || !date) return null;
  return new Date(year, month - 1, date + daysLater).toISOString();
}
