import { Text, Textarea } from '@mantine/core';
import { useT } from '../../../i18n';
import { setText } from '../../actions/set_text';
import type { LabelSession } from '../../core/label_session';
import { ItemStage, ItemThumb } from '../item_stage';
import type { KindFace } from '../kind';
import { useDocument } from '../use_label';

function Stage({ session }: { session: LabelSession }) {
  return <ItemStage session={session} />;
}

/** A run of typing is one step to undo; a new word begins a new step. */
function markOf(text: string): string {
  return `typing:${text.split(/\s+/).length}`;
}

function Panel({ session }: { session: LabelSession }) {
  const t = useT();
  const { label } = useDocument(session);
  const text = label.kind === 'text' ? label.text : '';
  const most = session.setting.ontology.text?.max_chars ?? null;
  const count = [...text.trim()].length;
  return (
    <>
      <Textarea
        label={t('Your text')}
        description={t('Ctrl+Enter submits; Enter makes a new line.')}
        autosize
        minRows={6}
        maxRows={18}
        autoFocus
        value={text}
        onChange={(event) => session.perform(setText(event.currentTarget.value), markOf(event.currentTarget.value))}
      />
      <Text size="xs" c="dimmed" ta="right" mt={4}>
        {most === null ? t('{count} characters', { count }) : t('{count} of {most} characters', { count, most })}
      </Text>
    </>
  );
}

const View: KindFace['View'] = ({ label, item, bare }) => (
  <div style={{ display: 'flex', gap: 12 }}>
    {!bare && <ItemThumb item={item} size={72} />}
    <Text size="sm" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }} dir="auto">
      {label.kind === 'text' ? label.text : ''}
    </Text>
  </div>
);

export const text: KindFace = { Stage, Panel, View, operations: () => [] };
