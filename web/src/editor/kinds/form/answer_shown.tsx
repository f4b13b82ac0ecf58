import type { Answer, AttributeSpec } from '../../../api/types';
import { useT } from '../../../i18n';
import { useFormat } from '../../../i18n/format';
import { isFile, isRows } from '../../core/attributes';
import { FileShown } from './file_shown';

/** An answer to look at. `spec`: its question, where that is known. */
export function AnswerShown({ value, spec }: { value: Answer; spec: AttributeSpec | null }) {
  const t = useT();
  const { localised } = useFormat();
  if (typeof value === 'boolean') return value ? t('Yes') : t('No');
  if (typeof value === 'number') return String(value);
  if (isFile(value)) return <FileShown file={value} />;
  if (isRows(value)) {
    const columns = spec?.columns ?? [];
    const names = columns.length ? columns.map(({ name }) => name) : [...new Set(value.rows.flatMap(Object.keys))];
    return (
      <div className="cup-rows-shown" tabIndex={0} role="group" aria-label={t('Entries')}>
        <table>
          <thead>
            <tr>
              {names.map((name, at) => (
                <th key={name} scope="col" dir="auto">
                  {localised(columns[at]?.title) || name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {value.rows.map((row, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: entries have nothing but their order
              <tr key={at}>
                {names.map((name, column) => {
                  const cell = row[name];
                  return (
                    <td key={name} dir="auto">
                      {cell !== undefined && <AnswerShown value={cell} spec={columns[column] ?? null} />}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    );
  }
  if (Array.isArray(value) && spec?.type === 'ranking')
    return value.map((option, at) => (
      <span key={option}>
        {at > 0 && ' › '}
        <bdi>{option}</bdi>
      </span>
    ));
  return Array.isArray(value) ? value.join(', ') : value;
}
