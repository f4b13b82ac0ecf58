import type { Answer, AttributeSpec } from '../../../api/types';
import { isEach, isFile, isGroups, isPlain, isRows, isSpans } from '../../core/attributes';
import { rewrittenOf, wordsOfTarget } from '../../core/conversation';
import { AttributeField } from '../attribute_field';
import { EachField } from './each_field';
import { FileField } from './file_field';
import { GroupsField, PreferenceField, ScaleField } from './graded_fields';
import { useSeen } from './named_targets';
import { RankingField } from './ranking_field';
import { RewriteField } from './rewrite_field';
import { RowsField } from './rows_field';
import { SpansField } from './spans_field';

interface Props {
  spec: AttributeSpec;
  value: Answer | undefined;
  /** What it is asked of, where that is not the whole item. */
  target?: string;
  /** `mark`: changes of one mark are one step to undo. */
  onChange: (value: Answer | undefined, mark?: string) => void;
}

/** One question of a form, or one column of a row. */
export function QuestionField({ spec, value, target, onChange }: Props) {
  const { item } = useSeen();
  const number = typeof value === 'number' ? value : undefined;
  if (spec.scope) return <EachField spec={spec} value={isEach(value) ? value : undefined} onChange={onChange} />;
  if (spec.type === 'text' && spec.rewrites)
    return (
      <RewriteField
        spec={spec}
        value={typeof value === 'string' ? value : undefined}
        before={rewrittenOf(item, target)}
        onChange={onChange}
      />
    );
  switch (spec.type) {
    case 'ranking':
      return <RankingField spec={spec} value={Array.isArray(value) ? value : undefined} onChange={onChange} />;
    case 'file':
      return <FileField spec={spec} value={isFile(value) ? value : undefined} onChange={onChange} />;
    case 'rows':
      return <RowsField spec={spec} value={isRows(value) ? value : undefined} onChange={onChange} />;
    case 'scale':
      return <ScaleField spec={spec} value={number} onChange={onChange} />;
    case 'preference':
      return <PreferenceField spec={spec} value={number} onChange={onChange} />;
    case 'groups':
      return <GroupsField spec={spec} value={isGroups(value) ? value : undefined} onChange={onChange} />;
    case 'spans':
      return (
        <SpansField
          spec={spec}
          text={target ? wordsOfTarget(item, target) : (item.text ?? '')}
          value={isSpans(value) ? value : undefined}
          onChange={onChange}
        />
      );
    default:
      return <AttributeField spec={spec} value={isPlain(value) ? value : undefined} inForm onChange={onChange} />;
  }
}
