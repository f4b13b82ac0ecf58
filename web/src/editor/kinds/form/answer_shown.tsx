import type { Answer, AttributeSpec, SpansAnswer } from '../../../api/types';
import { useT } from '../../../i18n';
import { useFormat } from '../../../i18n/format';
import { isEach, isFile, isGroups, isRows, isSpans } from '../../core/attributes';
import { rewrittenOf, unitsBefore, wordsOfTarget } from '../../core/conversation';
import { FileShown } from './file_shown';
import { useNameOf, useSeen } from './named_targets';
import { Difference } from './rewrite_field';

function SpansShown({ value, text }: { value: SpansAnswer; text: string }) {
  return (
    <ul className="cup-marks">
      {value.spans.map(({ start, end, label }) => (
        <li key={`${start} ${end} ${label}`}>
          <b>{label}</b> <bdi>{text.slice(unitsBefore(text, start), unitsBefore(text, end)) || `${start}–${end}`}</bdi>
        </li>
      ))}
    </ul>
  );
}

/** An answer to look at. `spec`: its question, where that is known. */
export function AnswerShown({ value, spec, target }: { value: Answer; spec: AttributeSpec | null; target?: string }) {
  const t = useT();
  const { localised } = useFormat();
  const nameOf = useNameOf();
  const { item } = useSeen();
  if (typeof value === 'boolean') return value ? t('Yes') : t('No');
  if (typeof value === 'number') {
    if (spec?.type !== 'preference') return String(value);
    if (value === 0) return t('Neither is better');
    return t('{name} is better ({strength})', { name: nameOf(value < 0 ? 'c1' : 'c2'), strength: Math.abs(value) });
  }
  if (isFile(value)) return <FileShown file={value} />;
  if (isGroups(value))
    return value.groups.map((group, at) => (
      <span key={group.join(' ')}>
        {at > 0 && ' › '}
        <bdi>{group.map(nameOf).join(' = ')}</bdi>
      </span>
    ));
  if (isSpans(value))
    return <SpansShown value={value} text={target ? wordsOfTarget(item, target) : (item.text ?? '')} />;
  if (isEach(value))
    return (
      <ul className="cup-marks">
        {Object.entries(value.values).map(([target, one]) => (
          <li key={target}>
            {nameOf(target)}: <AnswerShown value={one} spec={spec && { ...spec, scope: null }} target={target} />
          </li>
        ))}
      </ul>
    );
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
  if (spec?.rewrites && typeof value === 'string')
    return <Difference before={rewrittenOf(item, target)} after={value} />;
  return Array.isArray(value) ? value.join(', ') : value;
}
