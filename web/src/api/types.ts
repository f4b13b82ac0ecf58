/**
 * What the server speaks, as its OpenAPI document says it (`schema.d.ts`, made by `npm run types`). A member that the
 * document does not require may be absent, in answers too: ontologies and labels leave out what is at its default.
 * Money is integer minor units, times are RFC 3339 UTC, lengths are pixels of the source image.
 */
import type { components, paths } from './schema';

type S = components['schemas'];
/** The same, with some fields said more exactly. */
type Refined<Base, More> = Omit<Base, keyof More> & More;

/** A row of a list, named by its address where two schemas have the same name. */
type RowOf<Path extends keyof paths> = paths[Path] extends {
  get: { responses: { 200: { content: { 'application/json': { items: (infer Row)[] } } } } };
}
  ? Row
  : never;

type RowOfArray<Rows> = Rows extends readonly (infer Row)[] ? Row : never;

export interface Page<T> {
  items: T[];
  next: string | null;
}

export type Tenant = S['TenantOfPerson'];
export type TenantRole = Tenant['role'];
export type Person = S['Person'];
export type Session = S['Session'];

export interface Localised {
  en?: string | null;
  zh?: string | null;
}

// Labels and ontologies ----------------------------------------------------------------------------------------------

export type Kind = S['Label']['kind'];
export type Ontology = Refined<S['Ontology'], { kind: Kind }>;
export type ClassSpec = S['ClassSpec'];
export type AttributeSpec = S['AttributeSpec'];
export type AttributeType = AttributeSpec['type'];
export type LabelObject = S['Object'];
export type Shape = LabelObject['shape'];
export type Track = S['Track'];
export type Keyframe = S['Keyframe'];
export type VideoEvent = S['VideoEvent'];
export type BoxShape = S['Box'];
export type PointShape = S['Point'];
export type PolygonShape = S['Polygon'];
export type PolylineShape = S['Polyline'];
export type EllipseShape = S['Ellipse'];
export type SkeletonShape = S['Skeleton'];
export type MaskShape = S['Mask'];
export type AttributeValue = NonNullable<LabelObject['attributes']>[string];
export type FileAnswer = S['FileAnswer'];
export type RowsAnswer = S['Rows'];
export type GroupsAnswer = S['Groups'];
export type SpansAnswer = S['Spans'];
export type EachAnswer = S['Each'];
/** Of a cell of a row; of a question of a form. */
export type Cell = RowsAnswer['rows'][number][string];
export type Answer = S['FormLabel']['answers'][string];
export type ObjectSource = NonNullable<LabelObject['source']>;
export type ChoiceLabel = S['ChoiceLabel'];
export type TextLabel = S['TextLabel'];
export type ObjectsLabel = S['ObjectsLabel'];
export type Label = S['Label'];

// Catalogue ----------------------------------------------------------------------------------------------------------

export type Dataset = S['Dataset'];
/** One item; `id` and `ref` are absent in the editor's own tests only. */
export type ItemView = Partial<Omit<S['ItemView'], 'metadata'>> & {
  metadata?: Record<string, unknown> | null;
  bytes?: number;
  created_at?: string;
};
export type ImportRun = S['Import'];
export type Survey = Required<S['Survey']>;
export type Refusal = S['Refusal'];
export type OntologyVersion = Refined<S['OntologyVersion'], { spec: Ontology; guidelines: Localised }>;

// Projects -----------------------------------------------------------------------------------------------------------

export type Plan = Required<S['Plan']>;
export type Offer = S['Offer'];
export type OfferIn = S['OfferIn'];
export type Review = S['ReviewIn'];
export interface Range {
  low: number;
  likely: number;
  high: number;
}
export type Estimate = Refined<S['Estimate'], { judgements: Range; experts: Range; cost_minor: Range }>;
export type Counts = S['Counts'];
export type Project = Refined<S['Project'], { kind: Kind; plan: Plan }>;
export type TaskRow = Refined<S['TaskView'], { settled_label: Label | null }>;
export type JudgementView = Refined<S['JudgementView'], { label: Label }>;
export type SettlementView = Refined<
  S['SettlementView'],
  { label: Label | null; how: 'crowd' | 'adjudicated' | 'undecidable' | 'reviewed' | 'model' }
>;
export type TaskDetail = Refined<
  S['TaskDetail'],
  {
    kind: Kind;
    ontology: Ontology;
    guidelines: Localised;
    item: ItemView;
    judgements: JudgementView[];
    settlements: SettlementView[];
  }
>;
export type ContributorQuality = S['ContributorQuality'];
export type Quality = Refined<S['ProjectQuality'], { forecast: Refined<S['Forecast'], { cost_to_go_minor: Range }> }>;
export type PreLabels = S['PreLabels'];
export type Training = S['Training'];
export type WhatIf = Refined<S['WhatIf'], { judgements: Range; experts: Range; cost_minor: Range }>;
export type Decision = S['Replayed'];

// Releases -----------------------------------------------------------------------------------------------------------

export type Certificate = S['CertificateView'];
export type Release = S['Release'];
export type Format = S['FormatView'];
export type Template = Refined<
  S['TemplateView'],
  { spec: Ontology; guidelines: Localised; title: Localised; about: Localised; needs: Localised; plan: Partial<Plan> }
>;
export type ExportRun = S['Export'];

// Contributors -------------------------------------------------------------------------------------------------------

export type WorkOffer = Refined<S['OfferedTo'], { kind: Kind; guidelines: Localised; because?: Because | null }>;
export interface AssignmentTask {
  task: string;
  position: number;
  state: 'open' | 'paid' | 'released';
  item: ItemView;
  pre_label?: Label | null;
  draft?: Label | null;
  draft_rev: number;
  rejected?: Rejected | null;
}
export type Assignment = Refined<
  S['Assignment'],
  {
    state: 'claimed' | 'submitted' | 'returned' | 'expired';
    kind: Kind;
    ontology: Ontology;
    guidelines: Localised;
    tasks: AssignmentTask[];
  }
>;
export type Rejected = S['Rejected'];
export type RejectReason = Rejected['reason'];
export type Rejection = S['Rejection'];
/** A label, or of a review why the one under review is not right. */
export type JudgementInput = { task: string; seconds: number } & ({ label: Label } | { reject: Rejected });
export type Feedback = Refined<S['Feedback'], { expected: Label }>;
export type TrainingProgress = NonNullable<S['Submitted']['training']>;
export type SubmitResult = Refined<
  S['Submitted'],
  {
    judgements: Refined<S['Submitted']['judgements'][number], { feedback?: Feedback | null }>[];
    training?: TrainingProgress | null;
    exam?: S['Attempt'] | null;
  }
>;
/** How an attempt at an exam stands, and how it went. */
export type Attempt = S['Attempt'];
export type ExamAnswer = Refined<S['Answered'], { item: ItemView; label: Label; expected: Label | null }>;
export type ExamResult = Refined<S['Result'], { kind: Kind; ontology: Ontology; answers: ExamAnswer[] }>;
export type Exam = Refined<S['Exam'], { rule: Required<S['Rule']> }>;
export type Because = Refined<Required<S['Because']>, { at_least: number | null; parts: Because[] }>;
export type Opening = Refined<S['Opening'], { reason: Because }>;
export type EligibilityLook = Required<S['Look']>;
export type Profile = S['Profile'];
export type Credential = S['Credential'];
export type ClaimedCredential = S['Claimed'];
export type ReturnReason = S['ReturnIn']['reason'];
export type Earnings = S['Earnings'];

// Work that is reviewed before it is paid, and payouts ---------------------------------------------------------------

export type Step = S['Step'];
export type RejectedWork = S['WhyRejected'];
export type LabelPart = S['LabelPart'];
export type Submission = Refined<S['Submission'], { label: Label }>;
export type SubmissionDetail = Refined<
  S['SubmissionDetail'],
  { submission: Submission; kind: Kind; ontology: Ontology; guidelines: Localised; item: ItemView }
>;
export type Case = S['Case'];
export type Hearing = Refined<
  S['Hearing'],
  { kind: Kind; ontology: Ontology; guidelines: Localised; item: ItemView; label: Label }
>;
export type PayoutStanding = S['Standing'];
export type Payout = S['Payout'];
export type PayoutWaiting = RowOfArray<S['Operations']['waiting']>;
export type Reconciled = S['Reconciled'];
export type PayoutBatch = RowOfArray<S['Operations']['batches']>;

// Adjudication and audits --------------------------------------------------------------------------------------------

export type DoubtfulTask = S['Doubtful'];
export type Unclear = Refined<S['Unclear'], { labels: Label[] }>;
export type AuditRow = S['AuditQueue'];
export type AuditItem = Refined<
  S['BlindItem'],
  { item: ItemView; kind: Kind; ontology: Ontology; guidelines: Localised }
>;

// Models that learn --------------------------------------------------------------------------------------------------

export type LearnedModel = S['LearnedModel'];
export type LearnedVersion = S['LearnedVersion'];
export type LearningRun = S['LearningRun'];
export type AutoAccept = S['AutoAccept'];
export type OfSlice = S['OfSlice'];
export type NewAutoAccept = Pick<S['NewAutoAccept'], 'model' | 'limit'> & Partial<S['NewAutoAccept']>;

// Money, keys, webhooks, operator ------------------------------------------------------------------------------------

export type OpenInvitation = S['OpenInvitation'];
export type Account = S['Account'];
export type Money = S['Money'];
export type Transfer = S['Transfer'];
export type ApiKey = S['Key'];
export type MadeKey = S['MadeKey'];
export type Member = S['MemberRow'];
export type Webhook = S['Webhook'];
export type MadeWebhook = S['MadeWebhook'];
export type Delivery = RowOf<'/api/webhooks/{webhook}/deliveries'>;
export type Callback = RowOf<'/api/orders/callbacks'>;
export type CallbackState = Callback['state'];
export type CallbackMessage = Callback & { body: string };
export type Terms = Required<S['Terms']>;
export type Organisation = S['Organisation'];
export type ContributorRow = S['ContributorRow'];
export type MadeContributor = S['MadeContributor'];
export type Instance = S['Instance'];
export type Aside = S['Aside'];
export type JobCount = S['JobCount'];
export type Lag = S['Lag'];
export type Process = S['Process'];
