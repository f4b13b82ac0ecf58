/** What an import says of single entries: what it refused, and what it took otherwise than it stood there. */
import { Button, Group, Stack, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { catalogue } from '../api/calls';
import type { Refusal } from '../api/types';
import { useProblemWords, useT } from '../i18n';
import { Asked } from '../ui/bits';
import { Dialog } from '../ui/dialog';
import { Rows } from '../ui/table';

/** taken: the entries are there, not as they stood; else they were refused. */
export interface Told {
  readonly run: string;
  readonly taken: boolean;
}

/** Why, in the reader's language, with the server's own sentence, which names the thing itself. */
function Why({ row }: { row: Refusal }) {
  const wordsFor = useProblemWords();
  const words = wordsFor(row.reason);
  return (
    <>
      <code className="cup-code">{row.reason}</code> {words && <span>{words.join('')}</span>}
      <Text
        component="div"
        size={words ? 'xs' : 'sm'}
        dir="auto"
        style={{ overflowWrap: 'anywhere' }}
        {...(words ? { lang: 'en', c: 'dimmed' } : {})}
      >
        {[row.detail, row.remedy].filter(Boolean).join(' ')}
      </Text>
    </>
  );
}

export function ImportTold({ told, onClose }: { told: Told; onClose: () => void }) {
  const t = useT();
  const { run, taken } = told;
  const query = useInfiniteQuery({
    queryKey: [taken ? 'notes' : 'refusals', run],
    queryFn: ({ pageParam }) => (taken ? catalogue.notes : catalogue.refusals)(run, { limit: 100, cursor: pageParam }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
  });
  return (
    <Dialog
      opened={true}
      onClose={onClose}
      size="xl"
      title={taken ? t('What was taken otherwise than it stood there') : t('What was refused, and what to do')}
    >
      <Asked query={query}>
        {({ pages }) => (
          <Stack gap={12}>
            <Rows<Refusal>
              label={taken ? t('Notes') : t('Refusals')}
              rows={pages.flatMap((page) => page.items)}
              keyOf={(row) => String(row.n)}
              columns={[
                {
                  head: t('Place'),
                  cell: (row) => (
                    <code dir="auto" style={{ overflowWrap: 'anywhere' }}>
                      {row.place}
                    </code>
                  ),
                },
                { head: taken ? t('What became of it') : t('Why, and what to do'), cell: (row) => <Why row={row} /> },
              ]}
            />
            {query.hasNextPage && (
              <Group justify="center">
                <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                  {t('Show more')}
                </Button>
              </Group>
            )}
          </Stack>
        )}
      </Asked>
    </Dialog>
  );
}
