import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Navigate,
  Outlet,
  useLocation,
} from '@tanstack/react-router';
import { useEffect } from 'react';
import { homeOf, useSession } from './api/session';
import type { CallbackState } from './api/types';
import { useT } from './i18n';
import { FirstAdmin, Join, SignIn } from './pages/signin';
import { Empty, Heading, Loading, ProblemNote } from './ui/bits';
import { Fault } from './ui/fault';
import { Shell } from './ui/shell';
import { SignInAgain } from './ui/signin_again';

/** Everything behind the door: without a session, to the door, and back here afterwards. */
function Inside() {
  const { session, isLoading, problem } = useSession();
  const location = useLocation();
  if (isLoading) return null;
  if (problem) {
    return (
      <main id="main" style={{ maxWidth: 560, margin: '20vh auto', padding: 16 }}>
        <ProblemNote error={problem} onRetry={() => window.location.reload()} />
      </main>
    );
  }
  if (!session) {
    // On the way to the door already: asking again would wrap the address in itself, for ever.
    if (location.pathname === '/signin') return null;
    return <Navigate to="/signin" search={location.pathname === '/' ? {} : { next: location.href }} replace />;
  }
  return (
    <>
      <Outlet />
      <SignInAgain />
    </>
  );
}

function Home() {
  const { session } = useSession();
  return session ? <Navigate to={homeOf(session)} replace /> : null;
}

function NotFound() {
  const t = useT();
  return (
    <main id="main" style={{ maxWidth: 640, margin: '20vh auto', padding: 16 }}>
      <Heading unseen>{t('There is no such page')}</Heading>
      <Empty title={t('There is no such page')} action={<a href="/">{t('To the start')}</a>}>
        {t('It may have moved, or belong to another tenant: choose the tenant at the top, then try again.')}
      </Empty>
    </main>
  );
}

function Root() {
  const { pathname } = useLocation();
  useEffect(() => {
    if (pathname) window.scrollTo(0, 0);
  }, [pathname]);
  return <Outlet />;
}

const CALLBACK_STATES: readonly CallbackState[] = ['waiting', 'delivered', 'failed'];

const root = createRootRoute({ component: Root, notFoundComponent: NotFound });
const inside = createRoute({ getParentRoute: () => root, id: 'inside', component: Inside });
const shell = createRoute({ getParentRoute: () => inside, id: 'shell', component: Shell });

const signin = createRoute({
  getParentRoute: () => root,
  path: '/signin',
  component: SignIn,
  validateSearch: (search): { next?: string } => (typeof search.next === 'string' ? { next: search.next } : {}),
});
const firstAdmin = createRoute({ getParentRoute: () => root, path: '/first-admin', component: FirstAdmin });
const join = createRoute({ getParentRoute: () => root, path: '/join', component: Join });

const work = createRoute({
  getParentRoute: () => inside,
  path: '/work/$project',
  validateSearch: (search): { stage?: number } => (Number(search.stage) > 0 ? { stage: Number(search.stage) } : {}),
  component: lazyRouteComponent(() => import('./pages/work_desk'), 'WorkDesk'),
});

const home = createRoute({ getParentRoute: () => shell, path: '/', component: Home });

const offers = createRoute({
  getParentRoute: () => shell,
  path: '/work',
  component: lazyRouteComponent(() => import('./pages/work_offers'), 'WorkOffers'),
});
const earnings = createRoute({
  getParentRoute: () => shell,
  path: '/earnings',
  component: lazyRouteComponent(() => import('./pages/earnings'), 'EarningsPage'),
});

const skills = createRoute({
  getParentRoute: () => shell,
  path: '/skills',
  component: lazyRouteComponent(() => import('./pages/skills'), 'Skills'),
});
const examResult = createRoute({
  getParentRoute: () => shell,
  path: '/exams/$attempt',
  component: lazyRouteComponent(() => import('./pages/exam_result'), 'ExamResultPage'),
});
const submitted = createRoute({
  getParentRoute: () => shell,
  path: '/submitted',
  component: lazyRouteComponent(() => import('./pages/submitted'), 'Submitted'),
});
const submittedOne = createRoute({
  getParentRoute: () => shell,
  path: '/submitted/$submission',
  component: lazyRouteComponent(() => import('./pages/submitted'), 'SubmittedOne'),
});
const panelCases = createRoute({
  getParentRoute: () => shell,
  path: '/panel',
  component: lazyRouteComponent(() => import('./pages/panel'), 'PanelCases'),
});
const panelCase = createRoute({
  getParentRoute: () => shell,
  path: '/panel/$hearing',
  component: lazyRouteComponent(() => import('./pages/panel'), 'PanelCase'),
});
const submissions = createRoute({
  getParentRoute: () => shell,
  path: '/submissions',
  component: lazyRouteComponent(() => import('./pages/submissions'), 'Submissions'),
});
const submission = createRoute({
  getParentRoute: () => shell,
  path: '/submissions/$submission',
  component: lazyRouteComponent(() => import('./pages/submissions'), 'SubmissionPage'),
});

const projects = createRoute({
  getParentRoute: () => shell,
  path: '/projects',
  component: lazyRouteComponent(() => import('./pages/projects'), 'Projects'),
});
const newProject = createRoute({
  getParentRoute: () => shell,
  path: '/projects/new',
  validateSearch: (search): { like?: string } => (typeof search.like === 'string' ? { like: search.like } : {}),
  component: lazyRouteComponent(() => import('./pages/wizard'), 'Wizard'),
});
const project = createRoute({
  getParentRoute: () => shell,
  path: '/projects/$project',
  component: lazyRouteComponent(() => import('./pages/project'), 'ProjectPage'),
});
const tasks = createRoute({
  getParentRoute: () => shell,
  path: '/projects/$project/tasks',
  validateSearch: (search): { state?: string; label?: string } => ({
    ...(typeof search.state === 'string' ? { state: search.state } : {}),
    // A class may be named "3": the address bar reads that as a number.
    ...(search.label === undefined || search.label === '' ? {} : { label: String(search.label) }),
  }),
  component: lazyRouteComponent(() => import('./pages/tasks'), 'Tasks'),
});
const guideline = createRoute({
  getParentRoute: () => shell,
  path: '/projects/$project/guideline',
  component: lazyRouteComponent(() => import('./pages/guideline_queue'), 'GuidelineQueue'),
});
const task = createRoute({
  getParentRoute: () => shell,
  path: '/tasks/$task',
  component: lazyRouteComponent(() => import('./pages/task'), 'TaskPage'),
});
const release = createRoute({
  getParentRoute: () => shell,
  path: '/releases/$release',
  component: lazyRouteComponent(() => import('./pages/release'), 'ReleasePage'),
});

const datasets = createRoute({
  getParentRoute: () => shell,
  path: '/datasets',
  component: lazyRouteComponent(() => import('./pages/datasets'), 'Datasets'),
});
const dataset = createRoute({
  getParentRoute: () => shell,
  path: '/datasets/$dataset',
  component: lazyRouteComponent(() => import('./pages/dataset'), 'DatasetPage'),
});

const adjudication = createRoute({
  getParentRoute: () => shell,
  path: '/adjudication',
  validateSearch: (search): { project?: string } =>
    typeof search.project === 'string' ? { project: search.project } : {},
  component: lazyRouteComponent(() => import('./pages/adjudication'), 'Adjudication'),
});
const adjudicate = createRoute({
  getParentRoute: () => inside,
  path: '/adjudication/$task',
  validateSearch: (search): { queue?: 'guideline' } => (search.queue === 'guideline' ? { queue: 'guideline' } : {}),
  component: lazyRouteComponent(() => import('./pages/adjudicate'), 'Adjudicate'),
});
const audits = createRoute({
  getParentRoute: () => shell,
  path: '/audits',
  component: lazyRouteComponent(() => import('./pages/audits'), 'Audits'),
});
const audit = createRoute({
  getParentRoute: () => inside,
  path: '/audits/$release',
  component: lazyRouteComponent(() => import('./pages/audit'), 'AuditDesk'),
});

const money = createRoute({
  getParentRoute: () => shell,
  path: '/money',
  component: lazyRouteComponent(() => import('./pages/money'), 'MoneyPage'),
});
const members = createRoute({
  getParentRoute: () => shell,
  path: '/members',
  component: lazyRouteComponent(() => import('./pages/members'), 'Members'),
});
const keys = createRoute({
  getParentRoute: () => shell,
  path: '/keys',
  component: lazyRouteComponent(() => import('./pages/api_keys'), 'ApiKeys'),
});
const webhooks = createRoute({
  getParentRoute: () => shell,
  path: '/webhooks',
  component: lazyRouteComponent(() => import('./pages/webhooks'), 'Webhooks'),
});
const models = createRoute({
  getParentRoute: () => shell,
  path: '/models',
  component: lazyRouteComponent(() => import('./pages/models'), 'Models'),
});
const model = createRoute({
  getParentRoute: () => shell,
  path: '/models/$model',
  component: lazyRouteComponent(() => import('./pages/models'), 'ModelPage'),
});
const orders = createRoute({
  getParentRoute: () => shell,
  path: '/orders',
  validateSearch: (search): { tab?: 'terms'; state?: CallbackState } => {
    const state = CALLBACK_STATES.find((one) => one === search.state);
    return { ...(search.tab === 'terms' ? { tab: 'terms' } : {}), ...(state ? { state } : {}) };
  },
  component: lazyRouteComponent(() => import('./pages/orders'), 'Orders'),
});
const operator = createRoute({
  getParentRoute: () => shell,
  path: '/operator',
  component: lazyRouteComponent(() => import('./pages/operator'), 'OperatorPage'),
});

const pages = shell.addChildren([
  home,
  offers,
  earnings,
  skills,
  examResult,
  submitted,
  submittedOne,
  panelCases,
  panelCase,
  submissions,
  submission,
  projects,
  newProject,
  project,
  tasks,
  guideline,
  task,
  release,
  datasets,
  dataset,
  models,
  model,
  adjudication,
  audits,
  money,
  members,
  keys,
  webhooks,
  orders,
  operator,
]);

export const router = createRouter({
  routeTree: root.addChildren([signin, firstAdmin, join, inside.addChildren([work, adjudicate, audit, pages])]),
  defaultPreload: 'intent',
  defaultErrorComponent: Fault,
  defaultPendingComponent: Loading,
  defaultPendingMs: 300,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
