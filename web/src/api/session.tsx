/** Who is signed in and for which tenant they act. */

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';
import { activate, preferredLocale } from '../i18n';
import { session as calls } from './calls';
import { door } from './door';
import { Problem, setIdentity } from './http';
import { lasting } from './keep';
import type { Session, Tenant } from './types';

const STORED_TENANT = 'cupola.tenant';
export const SESSION_KEY = ['session'] as const;

interface SessionState {
  session: Session | null;
  tenant: Tenant | null;
  isLoading: boolean;
  problem: Problem | null;
  chooseTenant: (id: string) => void;
  /** Takes the session that a sign-in answered with. */
  enter: (session: Session) => void;
  /** The session ended elsewhere, and the person goes to the door instead of signing in here. */
  forget: () => void;
  leave: () => Promise<void>;
}

const Context = createContext<SessionState | null>(null);

async function readSession(): Promise<Session | null> {
  try {
    return await calls.read();
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return null;
    throw error;
  }
}

function pickTenant(session: Session | null, wanted: string | null): Tenant | null {
  if (!session) return null;
  return session.tenants.find((tenant) => tenant.id === wanted) ?? session.tenants[0] ?? null;
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const query = useQuery({
    queryKey: SESSION_KEY,
    queryFn: readSession,
    staleTime: Number.POSITIVE_INFINITY,
    retry: 1,
  });
  const [wanted, setWanted] = useState<string | null>(() => lasting.read(STORED_TENANT));
  const session = query.data ?? null;
  const tenant = pickTenant(session, wanted);
  // Before any child asks the server: its queries run in effects, after this render.
  setIdentity({ person: session?.person.id ?? null, csrf: session?.csrf ?? null, tenant: tenant?.id ?? null });

  const locale = session?.person.locale;
  useEffect(() => {
    const stored = lasting.read('cupola.locale');
    // English is what a person has who never chose: there the browser's own language says more.
    void activate(!stored && locale === 'zh' ? 'zh' : preferredLocale());
  }, [locale]);

  const value = useMemo<SessionState>(
    () => ({
      session,
      tenant,
      isLoading: query.isLoading,
      problem: query.error instanceof Problem ? query.error : null,
      chooseTenant: (id) => {
        lasting.write(STORED_TENANT, id);
        setIdentity({ tenant: id });
        setWanted(id);
        // What was shown belongs to another tenant.
        client.removeQueries({ predicate: (other) => other.queryKey[0] !== SESSION_KEY[0] });
      },
      enter: (next) => {
        setIdentity({ person: next.person.id, csrf: next.csrf, tenant: pickTenant(next, wanted)?.id ?? null });
        client.setQueryData(SESSION_KEY, next);
        door.signedIn();
      },
      forget: () => {
        client.setQueryData(SESSION_KEY, null);
        door.signedIn();
      },
      leave: async () => {
        await calls.signOut();
        setIdentity({ person: null, csrf: null, tenant: null });
        client.clear();
        client.setQueryData(SESSION_KEY, null);
      },
    }),
    [session, tenant, query.isLoading, query.error, client, wanted],
  );
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

export function useSession(): SessionState {
  const state = useContext(Context);
  if (!state) throw new Error('useSession outside SessionProvider');
  return state;
}

/** The page a person begins on. */
export function homeOf(session: Session): '/projects' | '/work' | '/operator' {
  if (session.tenants.length > 0) return '/projects';
  if (session.contributor) return '/work';
  return session.operator ? '/operator' : '/work';
}
