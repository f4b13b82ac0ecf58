/** Every operation of the server that the app uses, by name. Paths live here and nowhere else. */
import type { DraftHeld, DraftSent } from '../editor/core/page_session';
import { call, del, get, patch, post, put, type Query, upload, withQuery } from './http';
import type * as T from './types';

const id = encodeURIComponent;

export const session = {
  read: () => get<T.Session>('/api/session'),
  signIn: (email: string, password: string) => post<T.Session>('/api/session', { email, password }),
  signOut: () => del<null>('/api/session'),
  firstAdmin: (body: { token: string; name: string; email: string; password: string }) =>
    post<T.Session>('/api/first-admin', body),
  accept: (body: { token: string; name: string; email: string; password: string }) =>
    post<T.Session>('/api/invitations/accept', body),
  invite: (body: { email?: string; role: string }) =>
    post<{ link: string; expires_at: string }>('/api/invitations', body),
  changePassword: (current: string, next: string) => put<T.Session>('/api/session/password', { current, new: next }),
  setLocale: (locale: string) => patch<T.Person>('/api/session/person', { locale }),
};

export const catalogue = {
  datasets: (query?: Query) => get<T.Page<T.Dataset>>('/api/datasets', query),
  dataset: (dataset: string) => get<T.Dataset>(`/api/datasets/${id(dataset)}`),
  createDataset: (body: { name: string; licence?: string }) => post<T.Dataset>('/api/datasets', body),
  items: (dataset: string, query?: Query) => get<T.Page<T.ItemView>>(`/api/datasets/${id(dataset)}/items`, query),
  upload: (dataset: string, file: File, onProgress: (fraction: number) => void) =>
    upload<{ upload: string }>(`/api/datasets/${id(dataset)}/uploads`, file, onProgress),
  survey: (dataset: string, upload: string) => get<T.Survey>(`/api/datasets/${id(dataset)}/survey`, { upload }),
  startImport: (dataset: string, source: Record<string, unknown>) =>
    post<T.ImportRun>(`/api/datasets/${id(dataset)}/imports`, { source }),
  imports: (dataset: string) => get<T.Page<T.ImportRun>>(`/api/datasets/${id(dataset)}/imports`),
  import: (run: string) => get<T.ImportRun>(`/api/imports/${id(run)}`),
  refusals: (run: string, query?: Query) => get<T.Page<T.Refusal>>(`/api/imports/${id(run)}/refusals`, query),
  notes: (run: string, query?: Query) => get<T.Page<T.Refusal>>(`/api/imports/${id(run)}/notes`, query),
  resumeImport: (run: string) => post<T.ImportRun>(`/api/imports/${id(run)}/resume`),
};

export const ontologies = {
  templates: () => get<{ templates: T.Template[] }>('/api/templates'),
  list: () => get<T.Page<T.OntologyVersion>>('/api/ontologies'),
  create: (body: { name: string; spec: T.Ontology; guidelines: T.Localised }) =>
    post<T.OntologyVersion>('/api/ontologies', body),
  newest: (ontology: string) => get<T.OntologyVersion>(`/api/ontologies/${id(ontology)}`),
  version: (version: string) => get<T.OntologyVersion>(`/api/ontology-versions/${id(version)}`),
  addVersion: (ontology: string, body: { spec: T.Ontology; guidelines: T.Localised }) =>
    post<T.OntologyVersion>(`/api/ontologies/${id(ontology)}/versions`, body),
};

/** Files that people hand in as answers: by the task on a page of theirs, or by the item that they decide on. */
const answerFiles = (path: string) => ({
  give: (file: File) => call<T.FileAnswer>('POST', path, { raw: file, query: { name: file.name } }),
  address: async (sha256: string) => (await get<{ url: string }>(`${path}/${id(sha256)}`)).url,
});
export type AnswerFiles = ReturnType<typeof answerFiles>;
export const filesOfWork = (assignment: string, task: string) =>
  answerFiles(`/api/work/assignments/${id(assignment)}/tasks/${id(task)}/files`);
export const filesOfItem = (item: string) => answerFiles(`/api/items/${id(item)}/files`);

export const learning = {
  models: (query?: Query) => get<T.Page<T.LearnedModel>>('/api/models', query),
  model: (model: string) => get<T.LearnedModel>(`/api/models/${id(model)}`),
  create: (name: string) => post<T.LearnedModel>('/api/models', { name }),
  versions: (model: string) => get<T.Page<T.LearnedVersion>>(`/api/models/${id(model)}/versions`),
  bring: (model: string, card: string, file: File) =>
    call<T.LearnedVersion>('POST', `/api/models/${id(model)}/versions`, { raw: file, query: { card } }),
  file: (model: string, version: number) => `/api/models/${id(model)}/versions/${version}/file`,
  runs: (project: string) => get<T.Page<T.LearningRun>>(`/api/projects/${id(project)}/learning-runs`),
  begin: (project: string, body: { verb: 'fit' | 'predict'; model?: string; seed?: number; like?: string }) =>
    post<T.LearningRun>(`/api/projects/${id(project)}/learning-runs`, body),
  accepts: (project: string) => get<T.Page<T.AutoAccept>>(`/api/projects/${id(project)}/auto-accepts`),
  accept: (project: string, body: T.NewAutoAccept) =>
    post<T.AutoAccept>(`/api/projects/${id(project)}/auto-accepts`, body),
  acceptOff: (one: string) => post<T.AutoAccept>(`/api/auto-accepts/${id(one)}/off`),
  acceptReopen: (one: string) => post<{ tasks: number }>(`/api/auto-accepts/${id(one)}/reopen`),
  cancel: (run: string) => post<T.LearningRun>(`/api/learning-runs/${id(run)}/cancel`),
};

export const projects = {
  list: (query?: Query) => get<T.Page<T.Project>>('/api/projects', query),
  read: (project: string) => get<T.Project>(`/api/projects/${id(project)}`),
  create: (body: Record<string, unknown>) => post<T.Project>('/api/projects', body),
  estimate: (body: Record<string, unknown>) => post<T.Estimate>('/api/projects/estimate', body),
  createTasks: (project: string, body: Record<string, unknown> = {}) =>
    post<{ created: number }>(`/api/projects/${id(project)}/tasks`, body),
  allot: (project: string, amount_minor: number) =>
    post<unknown>(`/api/projects/${id(project)}/allot`, { amount_minor }),
  turn: (project: string, verb: 'launch' | 'pause' | 'resume' | 'stop') =>
    post<T.Project>(`/api/projects/${id(project)}/${verb}`),
  takeGuidelines: (project: string, ontology_version: string) =>
    post<T.Project>(`/api/projects/${id(project)}/guidelines`, { ontology_version }),
  newOffer: (project: string, body: Record<string, unknown>) =>
    post<T.Offer>(`/api/projects/${id(project)}/offers`, body),
  tasks: (project: string, query?: Query) => get<T.Page<T.TaskRow>>(`/api/projects/${id(project)}/tasks`, query),
  task: (task: string) => get<T.TaskDetail>(`/api/tasks/${id(task)}`),
  quality: (project: string) => get<T.Quality>(`/api/projects/${id(project)}/quality`),
  whatIf: (project: string, target: number) => get<T.WhatIf>(`/api/projects/${id(project)}/what-if`, { target }),
  guidelineQueue: (project: string, query?: Query) =>
    get<T.Page<T.Unclear>>(`/api/projects/${id(project)}/guideline-queue`, query),
  training: (project: string) => get<T.Training>(`/api/projects/${id(project)}/training`),
  teach: (project: string, body: { labels: { ref: string; label: T.Label }[]; pass_share: number }) =>
    post<T.Training>(`/api/projects/${id(project)}/training`, body),
  openTraining: (project: string) => post<T.Training>(`/api/projects/${id(project)}/training/open`),
  decisions: (task: string) => get<T.Decision[]>(`/api/tasks/${id(task)}/decisions`),
  preLabels: (project: string) => get<T.PreLabels | null>(`/api/projects/${id(project)}/pre-labels`),
  addGold: (project: string, labels: { ref: string; label: T.Label }[]) =>
    post<{ created: number }>(`/api/projects/${id(project)}/gold`, { labels }),
};

export const releases = {
  list: (project: string) => get<T.Page<T.Release>>(`/api/projects/${id(project)}/releases`),
  read: (release: string) => get<T.Release>(`/api/releases/${id(release)}`),
  create: (project: string, body: Record<string, unknown>) =>
    post<T.Release>(`/api/projects/${id(project)}/releases`, body),
  freeze: (release: string) => post<T.Release>(`/api/releases/${id(release)}/freeze`),
  readLabels: (release: string) => post<T.Release>(`/api/releases/${id(release)}/read`),
  certify: (release: string) => post<T.Release>(`/api/releases/${id(release)}/certify`),
  certificateUrl: (release: string, tenant: string | null, lang: string) =>
    withQuery(`/api/releases/${id(release)}/certificate.html`, { tenant, lang }),
  exports: (release: string) => get<T.Page<T.ExportRun>>(`/api/releases/${id(release)}/exports`),
  formats: () => get<{ formats: T.Format[] }>('/api/formats'),
  export: (release: string, format: string) => post<T.ExportRun>(`/api/releases/${id(release)}/exports`, { format }),
  fileUrl: (run: T.ExportRun, tenant: string | null) =>
    run.url ?? withQuery(`/api/exports/${id(run.id)}/file`, { tenant }),
};

export const work = {
  offers: () => get<T.WorkOffer[]>('/api/work/offers'),
  claim: (project: string, stage: number) =>
    post<T.Assignment | null>(`/api/work/projects/${id(project)}/claim`, stage ? { stage } : {}),
  assignments: () => get<T.Assignment[]>('/api/work/assignments'),
  assignment: (assignment: string) => get<T.Assignment>(`/api/work/assignments/${id(assignment)}`),
  heartbeat: (assignment: string, fence: T.Assignment['fence']) =>
    post<{ expires_at: string }>(`/api/work/assignments/${id(assignment)}/heartbeat`, { fence }),
  submit: (assignment: string, fence: T.Assignment['fence'], judgements: T.JudgementInput[], key: string) =>
    post<T.SubmitResult>(`/api/work/assignments/${id(assignment)}/submit`, { fence, judgements }, key),
  giveBack: (assignment: string, fence: T.Assignment['fence'], reason: T.ReturnReason, note?: string) =>
    post<unknown>(`/api/work/assignments/${id(assignment)}/return`, { fence, reason, ...(note ? { note } : {}) }),
  /** The whole of a draft, or what has changed since the one that this writer sent before. */
  saveDraft: (assignment: string, task: string, fence: T.Assignment['fence'], draft: DraftSent) => {
    const path = `/api/work/assignments/${id(assignment)}/drafts/${id(task)}`;
    const send = 'change' in draft ? patch<DraftHeld> : put<DraftHeld>;
    return send(path, { fence, ...draft });
  },
  rejections: (query?: Query) => get<T.Page<T.Rejection>>('/api/work/rejections', query),
  earnings: () => get<T.Earnings>('/api/work/earnings'),
  statementUrl: (query: Query) => withQuery('/api/work/statement', query),
};

export const review = {
  doubtful: (query?: Query) => get<T.Page<T.DoubtfulTask>>('/api/adjudication', query),
  task: (task: string) => get<T.TaskDetail>(`/api/adjudication/${id(task)}`),
  decide: (task: string, body: { label?: T.Label; undecidable?: true; note?: string }) =>
    post<unknown>(`/api/adjudication/${id(task)}`, body),
  audits: () => get<T.AuditRow[]>('/api/audits'),
  nextAudit: (release: string) => get<T.AuditItem | null>(`/api/audits/${id(release)}/next`),
  judgeAudit: (release: string, item: string, body: { label?: T.Label; undecidable?: true; seconds: number }) =>
    post<T.Release>(`/api/audits/${id(release)}/items/${id(item)}`, body),
};

export const tenant = {
  money: () => get<T.Money>('/api/money'),
  fund: (amount_minor: number, currency: string) => post<T.Account>('/api/money/fund', { amount_minor, currency }),
  transfers: (query?: Query) => get<T.Page<T.Transfer>>('/api/transfers', query),
  keys: () => get<T.Page<T.ApiKey>>('/api/keys'),
  createKey: (name: string) => post<T.MadeKey>('/api/keys', { name }),
  deleteKey: (key: string) => del<null>(`/api/keys/${id(key)}`),
  invitations: () => get<T.Page<T.OpenInvitation>>('/api/invitations'),
  confirm: (email: string) => post<null>('/api/invitations/confirm', { email }),
  withdraw: (email: string) => post<null>('/api/invitations/withdraw', { email }),
  members: () => get<T.Page<T.Member>>('/api/members'),
  changeRole: (person: string, role: T.TenantRole) => patch<T.Member>(`/api/members/${id(person)}`, { role }),
  removeMember: (person: string) => del<null>(`/api/members/${id(person)}`),
  webhooks: () => get<T.Page<T.Webhook>>('/api/webhooks'),
  createWebhook: (url: string, events: string[]) => post<T.MadeWebhook>('/api/webhooks', { url, events }),
  turnWebhook: (webhook: string, state: T.Webhook['state']) =>
    patch<T.Webhook>(`/api/webhooks/${id(webhook)}`, { state }),
  deleteWebhook: (webhook: string) => del<null>(`/api/webhooks/${id(webhook)}`),
  deliveries: (webhook: string) => get<T.Page<T.Delivery>>(`/api/webhooks/${id(webhook)}/deliveries`),
  resend: (delivery: string) => post<T.Delivery>(`/api/deliveries/${id(delivery)}/resend`),
};

export const orders = {
  terms: () => get<T.Terms>('/api/orders/terms'),
  setTerms: (terms: T.Terms) => put<T.Terms>('/api/orders/terms', terms),
  auth: () => get<{ header: string; value: string }>('/api/orders/callback-auth'),
  callbacks: (query?: Query) => get<T.Page<T.Callback>>('/api/orders/callbacks', query),
  callback: (callback: string) => get<T.CallbackMessage>(`/api/orders/callbacks/${id(callback)}`),
  resend: (callback: string) => post<T.Callback>(`/api/orders/callbacks/${id(callback)}/resend`),
};

export const operator = {
  tenants: () => get<T.Page<T.Organisation>>('/api/tenants'),
  createTenant: (name: string) => post<T.Organisation>('/api/tenants', { name }),
  contributors: () => get<T.Page<T.ContributorRow>>('/api/contributors'),
  passwordLink: (email: string) => post<{ link: string; expires_at: string }>('/api/password-links', { email }),
  revokeTokens: (person: string) => del<null>(`/api/contributors/${id(person)}/tokens`),
  createContributors: (body: { people: { name: string; email?: string; password?: string }[]; tokens: boolean }) =>
    post<{ items: T.MadeContributor[] }>('/api/contributors', body),
  instance: () => get<T.Instance>('/api/operator/instance'),
  retryAside: ({ tenant, consumer, project }: T.Aside) =>
    post<null>('/api/operator/aside/retry', { tenant, consumer, project }),
};

/** Who somebody is to the work: what they say, what was checked, what they showed. */
export const skills = {
  profile: () => get<T.Profile>('/api/work/profile'),
  setProfile: (profile: T.Profile) => put<T.Profile>('/api/work/profile', profile),
  credentials: () => get<T.Credential[]>('/api/work/credentials'),
  claim: (body: { kind: T.Credential['kind']; subject: string; issuer: string; expires_on: string | null }) =>
    post<T.Credential>('/api/work/credentials', body),
  handIn: (credential: string, file: File) =>
    call<T.Credential>('PUT', `/api/work/credentials/${id(credential)}/document`, {
      raw: file,
      query: { name: file.name },
    }),
  attempts: () => get<T.Attempt[]>('/api/work/exams'),
  result: (attempt: string) => get<T.ExamResult>(`/api/work/exams/${id(attempt)}`),
  openings: () => get<T.Opening[]>('/api/work/openings'),
  waiting: () => get<T.ClaimedCredential[]>('/api/operator/credentials'),
  documentUrl: (credential: string) => `/api/operator/credentials/${id(credential)}/document`,
  decide: (credential: string, body: { state: 'verified' | 'refused'; verifier: string; reason: string }) =>
    post<T.ClaimedCredential>(`/api/operator/credentials/${id(credential)}`, body),
  list: (file: File) => call<{ lines: number }>('POST', '/api/operator/credentials', { raw: file }),
};

/** Whom a requester's work is for, and the exams that show it. */
export const eligibility = {
  look: (expression: string | null) => post<T.EligibilityLook>('/api/eligibility/look', { expression }),
  of: (project: string) => get<T.EligibilityLook>(`/api/projects/${id(project)}/eligibility`),
  ask: (project: string, expression: string | null) =>
    put<T.EligibilityLook>(`/api/projects/${id(project)}/eligibility`, { expression }),
  exams: () => get<T.Exam[]>('/api/exams'),
  makeExam: (project: string, body: { skill: string; items?: number }) =>
    post<T.Exam>(`/api/projects/${id(project)}/exam`, body),
  openExam: (exam: string) => post<T.Exam>(`/api/exams/${id(exam)}/open`),
};

/** A second look: `ours` is the requester's side of work that is reviewed before it is paid, `mine` its maker's. */
export const appeals = {
  ours: (query?: Query) => get<T.Page<T.Submission>>('/api/submissions', query),
  ourOne: (submission: string) => get<T.SubmissionDetail>(`/api/submissions/${id(submission)}`),
  accept: (submissions: string[]) => post<{ accepted: number }>('/api/submissions/accept', { submissions }),
  reject: (submission: string, body: Record<string, unknown>) =>
    post<T.Submission>(`/api/submissions/${id(submission)}/reject`, body),
  answer: (appeal: string, stands: boolean, words: string) =>
    post<T.Submission>(`/api/appeals/${id(appeal)}/answer`, { stands, words }),
  mine: (query?: Query) => get<T.Page<T.Submission>>('/api/work/submissions', query),
  myOne: (submission: string) => get<T.SubmissionDetail>(`/api/work/submissions/${id(submission)}`),
  appeal: (submission: string, words: string) =>
    post<T.SubmissionDetail>(`/api/work/submissions/${id(submission)}/appeal`, { words }),
  cases: () => get<T.Case[]>('/api/work/panel'),
  sit: (hearing: string) => post<T.Hearing>(`/api/work/panel/${id(hearing)}/sit`),
  hearing: (hearing: string) => get<T.Hearing>(`/api/work/panel/${id(hearing)}`),
  vote: (hearing: string, upheld: boolean, words: string) =>
    post<{ paid_minor: number; currency: string }>(`/api/work/panel/${id(hearing)}/vote`, { upheld, words }),
};

export const payouts = {
  mine: () => get<T.PayoutStanding>('/api/work/payouts'),
  setDetails: (rail: string, details: Record<string, string>) =>
    put<unknown>('/api/work/payouts/details', { rail, details }),
  ask: (currency: string) => post<T.Payout>('/api/work/payouts', { currency }),
  operations: () => get<{ waiting: T.PayoutWaiting[]; batches: T.PayoutBatch[] }>('/api/operator/payouts'),
  prepare: (rail: string, currency: string) => post<T.PayoutBatch>('/api/operator/payouts/batches', { rail, currency }),
  approve: (batch: string) => post<T.PayoutBatch>(`/api/operator/payouts/batches/${id(batch)}/approve`),
  fileUrl: (batch: string) => `/api/operator/payouts/batches/${id(batch)}/file`,
  outcomes: (batch: string, file: File) =>
    call<T.Reconciled>('POST', `/api/operator/payouts/batches/${id(batch)}/outcomes`, { raw: file }),
};

/** Some short lists come bare, long ones in an envelope with a cursor. */
export function rows<T>(answer: T.Page<T> | T[] | undefined | null): T[] {
  if (!answer) return [];
  return Array.isArray(answer) ? answer : answer.items;
}
