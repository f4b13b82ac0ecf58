/**
 * What the server speaks, as its OpenAPI document says it (`schema.d.ts`, made by `npm run types`), with the label
 * language written out: there the document says only "object". Money is integer minor units, times are RFC 3339 UTC, lengths are pixels of the source
 * image.
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

export interface ClassSpec {
  name: string;
  title?: Localised | null;
  colour?: string | null;
  geometry?: 'box' | null;
}
export type AttributeType = 'choice' | 'multi' | 'text' | 'number' | 'bool';
export interface AttributeSpec {
  name: string;
  title?: Localised | null;
  type: AttributeType;
  options?: string[] | null;
  required?: boolean;
  classes?: string[] | null;
  when?: { attribute: string; equals: AttributeValue } | null;
}
export type AttributeValue = string | number | boolean | string[];
export type Kind = 'choice' | 'text' | 'objects';
export interface Ontology {
  kind: Kind;
  multiple?: boolean;
  classes: ClassSpec[];
  attributes?: AttributeSpec[] | null;
  text?: { max_chars?: number | null; min_chars?: number | null; pattern?: string | null } | null;
}

export interface ChoiceLabel {
  kind: 'choice';
  values: string[];
}
export interface TextLabel {
  kind: 'text';
  text: string;
}
export interface BoxShape {
  type: 'box';
  x: number;
  y: number;
  w: number;
  h: number;
  rotation_rad?: number;
}
export type ObjectSource = 'person' | 'model' | 'corrected';
export interface LabelObject {
  id: string;
  cls: string;
  shape: BoxShape;
  attributes?: Record<string, AttributeValue>;
  source?: ObjectSource;
}
export interface ObjectsLabel {
  kind: 'objects';
  objects: LabelObject[];
}
export type Label = ChoiceLabel | TextLabel | ObjectsLabel;

// Catalogue ----------------------------------------------------------------------------------------------------------

export type Dataset = S['Dataset'];
/** One item; `id` and `ref` are absent in the editor's own tests only. */
export type ItemView = Partial<Omit<S['ItemView'], 'metadata'>> & {
  metadata?: Record<string, unknown> | null;
  bytes?: number;
  created_at?: string;
};
export type ImportRun = S['Import'];
export type Refusal = S['Refusal'];
export type OntologyVersion = Refined<S['OntologyVersion'], { spec: Ontology; guidelines: Localised }>;

// Projects -----------------------------------------------------------------------------------------------------------

export type Plan = Required<S['Plan']>;
export type Offer = S['Offer'];
export type OfferIn = S['OfferIn'];
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
  { label: Label | null; how: 'crowd' | 'adjudicated' | 'audit' }
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
export type Training = S['Training'];
export type WhatIf = Refined<S['WhatIf'], { judgements: Range; experts: Range; cost_minor: Range }>;
export type Decision = S['Replayed'];

// Releases -----------------------------------------------------------------------------------------------------------

export type Certificate = S['CertificateView'];
export type Release = S['Release'];
export type ExportFormat = S['NewExport']['format'];
export type ExportRun = S['Export'];

// Contributors -------------------------------------------------------------------------------------------------------

export type WorkOffer = Refined<S['Offered'], { kind: Kind; guidelines: Localised }>;
export interface AssignmentTask {
  task: string;
  position: number;
  state: 'open' | 'paid' | 'released';
  item: ItemView;
  pre_label?: Label | null;
  draft?: Label | null;
  draft_rev: number;
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
export interface JudgementInput {
  task: string;
  label: Label;
  seconds: number;
}
export type Feedback = Refined<S['Feedback'], { expected: Label }>;
export type TrainingProgress = NonNullable<S['Submitted']['training']>;
export type SubmitResult = Refined<
  S['Submitted'],
  {
    judgements: Refined<S['Submitted']['judgements'][number], { feedback?: Feedback | null }>[];
    training?: TrainingProgress | null;
  }
>;
export type ReturnReason = S['ReturnIn']['reason'];
export type Earnings = S['Earnings'];

// Adjudication and audits --------------------------------------------------------------------------------------------

export type DoubtfulTask = S['Doubtful'];
export type Unclear = Refined<S['Unclear'], { labels: Label[] }>;
export type AuditRow = S['AuditQueue'];
export type AuditItem = Refined<
  S['BlindItem'],
  { item: ItemView; kind: Kind; ontology: Ontology; guidelines: Localised }
>;

// Money, keys, webhooks, operator ------------------------------------------------------------------------------------

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
