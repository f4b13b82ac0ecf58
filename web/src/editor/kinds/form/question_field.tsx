import type { Answer, AttributeSpec } from '../../../api/types';
import { isFile, isRows } from '../../core/attributes';
import { AttributeField } from '../attribute_field';
import { FileField } from './file_field';
import { RankingField } from './ranking_field';
import { RowsField } from './rows_field';

interface Props {
  spec: AttributeSpec;
  value: Answer | undefined;
  /** `mark`: changes of one mark are one step to undo. */
  onChange: (value: Answer | undefined, mark?: string) => void;
}

/** One question of a form, or one column of a row. */
export function QuestionField({ spec, value, onChange }: Props) {
  switch (spec.type) {
    case 'ranking':
      return <RankingField spec={spec} value={Array.isArray(value) ? value : undefined} onChange={onChange} />;
    case 'file':
      return <FileField spec={spec} value={isFile(value) ? value : undefined} onChange={onChange} />;
    case 'rows':
      return <RowsField spec={spec} value={isRows(value) ? value : undefined} onChange={onChange} />;
    default:
      return (
        <AttributeField
          spec={spec}
          value={isFile(value) || isRows(value) ? undefined : value}
          inForm
          onChange={onChange}
        />
      );
  }
}
