/** What clients of other APIs order: the callbacks that tell them, and what their orders pay. */
import { Tabs } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { CallbackState } from '../api/types';
import { useT } from '../i18n';
import { Page } from '../ui/bits';
import { CallbackAuth, CallbackLog } from './orders_callbacks';
import { OrderTerms } from './orders_terms';

export function Orders() {
  const t = useT();
  const navigate = useNavigate();
  const { tab, state } = useSearch({ strict: false }) as { tab?: 'terms'; state?: CallbackState };
  return (
    <Page
      title={t('Orders')}
      lead={t('Tasks that come through a client’s own code. Each answer is sent to the address the client gave.')}
    >
      <Tabs
        value={tab ?? 'callbacks'}
        onChange={(next) => void navigate({ to: '/orders', search: next === 'terms' ? { tab: 'terms' } : {} })}
        keepMounted={false}
      >
        <Tabs.List mb={16}>
          <Tabs.Tab value="callbacks">{t('Callbacks')}</Tabs.Tab>
          <Tabs.Tab value="terms">{t('What orders pay')}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="callbacks">
          <CallbackAuth />
          <CallbackLog
            state={state ?? null}
            onState={(next) => void navigate({ to: '/orders', search: next ? { state: next } : {} })}
          />
        </Tabs.Panel>
        <Tabs.Panel value="terms">
          <OrderTerms />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
