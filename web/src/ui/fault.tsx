/** A page that failed to show: what happened, what was kept, what to do. The shell around it stays. */
import { Button, Code, Group, Stack, Text } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { useT } from '../i18n';
import { Heading } from './bits';
import { Icon } from './icons';

/** Said by browsers when a part of the app is no longer on the server: another version was put there meanwhile. */
const PART_IS_GONE = /dynamically imported module|Importing a module script failed|error loading dynamically/i;

export function Fault({ error, reset }: { error: unknown; reset?: () => void }) {
  const t = useT();
  const words = error instanceof Error ? error.message : String(error);
  const isOld = PART_IS_GONE.test(words);
  return (
    <main className="cup-fault" role="alert">
      <Stack gap={12} maw={560}>
        <Group gap={8} wrap="nowrap">
          <Icon name={isOld ? 'refresh' : 'warning'} size={24} />
          <Heading>{isOld ? t('There is a newer version of this page') : t('This page cannot be shown')}</Heading>
        </Group>
        <Text>
          {isOld
            ? t('The server was updated while the app was open. Load the page anew.')
            : t('It ran into a fault of its own. Everything else goes on working, and work already done is kept.')}
        </Text>
        {!isOld && (
          <Text size="sm" c="dimmed" component="div">
            {t('If it comes back, send this to whoever runs this server:')}
            <Code block mt={4}>
              {words}
            </Code>
          </Text>
        )}
        <Group gap={8}>
          {!isOld && reset && <Button onClick={reset}>{t('Try again')}</Button>}
          <Button variant={isOld ? 'filled' : 'default'} onClick={() => window.location.reload()}>
            {t('Load anew')}
          </Button>
          <Button component="a" variant="subtle" href="/">
            {t('To the start')}
          </Button>
        </Group>
      </Stack>
    </main>
  );
}

/** Around what stands outside every page. Only a class can catch what its children throw. */
export class FaultBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: null as unknown };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return <Fault error={this.state.error} reset={() => this.setState({ error: null })} />;
  }
}
