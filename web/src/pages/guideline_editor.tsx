/** The guideline of a project's ontology, edited into a further version. */
import { Alert, Button, Group, Stack, Tabs, Text, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { ontologies, projects } from '../api/calls';
import type { OntologyVersion, Project } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Asked, ProblemNote } from '../ui/bits';
import { Dialog } from '../ui/dialog';
import { Markdown } from '../ui/markdown';
import { withRule } from './guideline_pairs';

type Language = 'en' | 'zh';

function Form({
  project,
  current,
  newest,
  rule,
  onClose,
}: {
  project: Project;
  current: OntologyVersion;
  newest: OntologyVersion;
  rule: string | null;
  onClose: () => void;
}) {
  const t = useT();
  const { locale } = useFormat();
  const client = useQueryClient();
  const [language, setLanguage] = useState<Language>(() => (newest.guidelines[locale] ? locale : 'en'));
  const [words, setWords] = useState(() => {
    const begun: Record<Language, string> = { en: newest.guidelines.en ?? '', zh: newest.guidelines.zh ?? '' };
    return rule === null ? begun : { ...begun, [language]: withRule(begun[language], rule) };
  });
  const changed = words.en !== (newest.guidelines.en ?? '') || words.zh !== (newest.guidelines.zh ?? '');
  const save = useMutation({
    mutationFn: () =>
      ontologies.addVersion(newest.id, {
        spec: newest.spec,
        guidelines: { ...(words.en.trim() ? { en: words.en } : {}), ...(words.zh.trim() ? { zh: words.zh } : {}) },
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['ontology', newest.id] }),
  });
  const take = useMutation({
    mutationFn: (version: string) => projects.takeGuidelines(project.id, version),
    onSuccess: () =>
      client.invalidateQueries({ predicate: ({ queryKey }) => ['project', 'projects'].includes(String(queryKey[0])) }),
  });
  if (save.data) {
    const { version, version_id } = save.data;
    return (
      <Stack gap={16}>
        <Alert color="green" variant="outline" title={t('Version {version} is kept', { version })}>
          {take.isSuccess
            ? t('Contributors read version {version} on every page they claim from now on.', { version })
            : t('This project still shows version {version}. What was judged by it stays as it is.', {
                version: current.version,
              })}
        </Alert>
        <ProblemNote error={take.error} />
        <Group gap={8}>
          {!take.isSuccess && (
            <Button onClick={() => take.mutate(version_id)} loading={take.isPending}>
              {t('Use it in this project')}
            </Button>
          )}
          <Button variant="default" component={Link} to={`/projects/new?like=${version_id}`}>
            {t('New project with version {version}', { version })}
          </Button>
          <Button variant="default" onClick={onClose}>
            {t('Back to the queue')}
          </Button>
        </Group>
      </Stack>
    );
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Stack gap={12}>
        {newest.version !== current.version && (
          <Text size="sm">
            {t('This project works by version {current}; you edit the newest, {newest}.', {
              current: current.version,
              newest: newest.version,
            })}
          </Text>
        )}
        <div className="cup-two">
          <div>
            <Tabs value={language} onChange={(next) => next && setLanguage(next as Language)} mb={8}>
              <Tabs.List>
                <Tabs.Tab value="en">English</Tabs.Tab>
                <Tabs.Tab value="zh">中文</Tabs.Tab>
              </Tabs.List>
            </Tabs>
            <Textarea
              label={t('Guidelines')}
              description={t('Markdown: headings, lists, bold, links. Say how to decide the hard cases.')}
              autosize
              minRows={12}
              maxRows={18}
              data-autofocus
              value={words[language]}
              onChange={(event) => setWords({ ...words, [language]: event.currentTarget.value })}
            />
          </div>
          <div>
            <Text size="sm" fw={600} mb={8}>
              {t('As contributors see it')}
            </Text>
            <Markdown source={words[language]} />
          </div>
        </div>
        <ProblemNote error={save.error} />
        <Group gap={8} justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('Cancel')}
          </Button>
          <Button type="submit" loading={save.isPending} disabled={!changed}>
            {t('Keep as version {version}', { version: newest.version + 1 })}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** `rule`: the subject of a rule to begin with, from the case that asks for it. */
export function GuidelineEditor({
  project,
  rule,
  onClose,
}: {
  project: Project;
  rule: string | null;
  onClose: () => void;
}) {
  const t = useT();
  // the version it began with: taking another one must not begin the dialog anew
  const [began] = useState(project.ontology_version);
  const current = useQuery({ queryKey: ['ontology-version', began], queryFn: () => ontologies.version(began) });
  const newest = useQuery({
    queryKey: ['ontology', current.data?.id],
    queryFn: () => ontologies.newest(current.data?.id ?? ''),
    enabled: current.data !== undefined,
  });
  return (
    <Dialog opened onClose={onClose} size="xl" title={t('Edit the guideline')}>
      <Asked query={current}>
        {(version) => (
          <Asked query={newest}>
            {(latest) => <Form project={project} current={version} newest={latest} rule={rule} onClose={onClose} />}
          </Asked>
        )}
      </Asked>
    </Dialog>
  );
}
