/** What the server speaks. Money is integer minor units, times are RFC 3339 UTC, lengths are pixels of the source image. */

export interface Page<T> {
  items: T[];
  next: string | null;
}

export type TenantRole = 'owner' | 'manager' | 'reviewer';
export interface Tenant {
  id: string;
  name: string;
  world: 'live' | 'test';
  role: TenantRole;
}
export interface Person {
  id: string;
  name: string;
  email: string;
  locale: string | null;
}
export interface Session {
  person: Person;
  csrf: string;
  operator: boolean;
  contributor: boolean;
  tenants: Tenant[];
}

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

export interface Dataset {
  id: string;
  name: string;
  licence?: string | null;
  items: number;
  created_at: string;
}
export interface ItemView {
  id?: string;
  ref?: string;
  url?: string | null;
  thumb_url?: string | null;
  text?: string | null;
  width?: number | null;
  height?: number | null;
  media_type?: string | null;
  bytes?: number | null;
  metadata?: Record<string, unknown> | null;
  created_at?: string;
}
export interface ImportRun {
  id: string;
  state: 'waiting' | 'running' | 'done' | 'failed';
  found: number;
  accepted: number;
  unchanged: number;
  refused: number;
  bytes: number;
  error?: string | null;
  started_at?: string | null;
  finished_at?: string | null;
}
export interface Refusal {
  place: string;
  ref?: string | null;
  reason: string;
  detail: string;
  remedy: string;
}

export interface OntologyVersion {
  id: string;
  name: string;
  version: number;
  version_id: string;
  spec: Ontology;
  guidelines: Localised;
}

// Projects -----------------------------------------------------------------------------------------------------------

export interface Plan {
  target_accuracy: number;
  confidence: number;
  max_judgements: number;
  min_judgements: number;
  gold_rate: number;
  audit_items?: number | null;
}
export interface Offer {
  price_minor: number;
  currency: string;
  estimate_median_s?: number | null;
  estimate_p75_s?: number | null;
  fee_bp?: number;
  insurance_bp?: number;
  version?: number;
}
export interface Range {
  low: number;
  likely: number;
  high: number;
}
export interface Estimate {
  judgements: Range;
  experts: Range;
  cost_minor: Range;
  currency: string;
  audit_items: number;
  basis: string;
}
export type ProjectState = 'draft' | 'live' | 'paused' | 'stopped';
export interface Counts {
  open: number;
  collecting: number;
  escalated: number;
  settled: number;
  cancelled: number;
  total: number;
  gold: number;
}
export interface Project {
  id: string;
  name: string;
  kind: Kind;
  state: ProjectState;
  dataset: string;
  ontology_version: string;
  plan: Plan;
  offer: Offer;
  page_size: number;
  routing: 'open' | 'directed';
  counts: Counts;
  judgements: number;
  spent_minor: number;
  reserved_minor: number;
  budget_minor: number;
  created_at: string;
}
export type TaskState = 'open' | 'collecting' | 'escalated' | 'settled' | 'cancelled';
export interface TaskRow {
  id: string;
  ref: string;
  state: TaskState;
  judgements: number;
  confidence?: number | null;
  settled_label?: Label | null;
  gold: boolean;
  created_at: string;
}
export interface JudgementView {
  id: string;
  worker: string;
  label: Label;
  seconds: number;
  at: string;
  weight?: number | null;
}
export interface SettlementView {
  version: number;
  label: Label | null;
  confidence: number | null;
  how: 'crowd' | 'adjudicated' | 'audit';
  method: string;
  at: string;
}
export interface TaskDetail extends Omit<TaskRow, 'judgements'> {
  project?: string;
  reason?: string | null;
  item: ItemView;
  ontology?: Ontology;
  guidelines?: Localised;
  judgements: JudgementView[];
  settlements: SettlementView[];
}
export interface ContributorQuality {
  pseudonym: string;
  judgements: number;
  gold_seen: number;
  gold_right: number;
  skill: number;
  low: number;
  high: number;
  flags: string[];
}
export interface Quality {
  posterior_histogram: { from: number; to: number; tasks: number }[];
  agreement: { alpha: number | null; low: number | null; high: number | null };
  repeat_rate: number | null;
  judgements_per_task: number | null;
  contributors: ContributorQuality[];
  confusion: { classes: string[]; matrix: number[][] };
  progress: { at: string; judgements: number; settled: number; cost_minor: number }[];
  forecast: { judgements_to_go: number | Range; cost_to_go_minor: Range } | null;
  calibration: { claimed: number; observed: number; n: number }[];
}

// Releases -----------------------------------------------------------------------------------------------------------

export interface Certificate {
  accuracy_lower_bound: number;
  confidence: number;
  n: number;
  errors: number;
  target: number;
  reached: boolean;
  statement: string;
}
export interface Release {
  id: string;
  project?: string;
  name: string;
  state: 'frozen' | 'auditing' | 'certified' | 'failed';
  items: number;
  manifest_sha256: string;
  seed?: number | string | null;
  audit: { drawn: number; judged: number; errors: number | null; undecidable: number | null };
  certificate?: Certificate | null;
  created_at: string;
}
export type ExportFormat = 'jsonl' | 'coco' | 'yolo' | 'parquet';
export interface ExportRun {
  id: string;
  format: ExportFormat;
  state: string;
  bytes?: number | null;
  sha256?: string | null;
  url?: string | null;
}

// Contributors -------------------------------------------------------------------------------------------------------

export interface WorkOffer {
  project: string;
  title: string;
  kind: Kind;
  price_minor: number;
  currency: string;
  median_s: number | null;
  p75_s: number | null;
  hourly_minor: number | null;
  available: number;
  page_size: number;
  guidelines: Localised;
  offer_version: number;
  paid: string;
  conditions?: unknown;
}
export interface AssignmentTask {
  task: string;
  position: number;
  state: 'open' | 'paid' | 'released';
  item: ItemView;
  pre_label?: Label | null;
  draft?: Label | null;
  draft_rev: number;
}
export interface Assignment {
  id: string;
  project: string;
  fence: number | string;
  state: 'claimed' | 'submitted' | 'returned' | 'expired';
  offer_version: number;
  price_minor: number;
  currency: string;
  expires_at: string;
  kind: Kind;
  ontology: Ontology;
  guidelines: Localised;
  tasks: AssignmentTask[];
}
export interface JudgementInput {
  task: string;
  label: Label;
  seconds: number;
}
export interface SubmitResult {
  paid_minor: number;
  currency: string;
  judgements: { task: string; judgement: string; paid_minor: number }[];
  state: string;
  remaining: number;
}
export type ReturnReason = 'unclear' | 'too-hard' | 'broken-item' | 'sensitive' | 'no-time' | 'other';
export interface Earnings {
  currency: string;
  balance_minor: number;
  today_minor: number;
  week_minor: number;
  total_minor: number;
  judgements: number;
  seconds: number;
  hourly_minor: number | null;
  by_project: {
    project: string;
    title?: string;
    name?: string;
    judgements: number;
    amount_minor: number;
    seconds?: number;
  }[];
  recent: { at: string; project: string | null; amount_minor: number; kind: string; title?: string }[];
}

// Adjudication and audits --------------------------------------------------------------------------------------------

export interface DoubtfulTask {
  task: string;
  project: string;
  project_name?: string;
  ref: string;
  reason: string | null;
  confidence: number | null;
  judgements: number;
  thumb_url?: string | null;
}
export interface AuditRow {
  release: string;
  project: string;
  name: string;
  drawn: number;
  judged: number;
}
export interface AuditItem {
  audit_item: string;
  item: ItemView;
  kind: Kind;
  ontology: Ontology;
  guidelines: Localised;
  position: number;
  total: number;
}

// Money, keys, webhooks, operator ------------------------------------------------------------------------------------

export interface Account {
  id: string;
  type: string;
  project?: string | null;
  balance_minor: number;
  currency: string;
}
export interface Money {
  currency: string;
  budget_minor: number;
  accounts: Account[];
}
export interface Transfer {
  id: string;
  kind: string;
  amount_minor: number;
  currency: string;
  at?: string;
  created_at?: string;
  project?: string | null;
}
export interface ApiKey {
  id: string;
  name: string;
  prefix: string;
  key?: string | null;
  created_at: string;
}
export interface Member {
  id: string;
  name: string;
  email: string | null;
  role: string;
}
export interface Webhook {
  id: string;
  url: string;
  events: string[];
  secret?: string | null;
  state: string;
}
export interface Delivery {
  id: string;
  event: string;
  state: 'waiting' | 'delivered' | 'failed';
  tries: number;
  last_status: number | null;
  last_error: string | null;
  next_at: string | null;
  created_at: string;
}
export interface TenantRow {
  id: string;
  name: string;
  live?: { id: string };
  test?: { id: string };
}
export interface ContributorRow {
  id: string;
  name: string;
  email?: string | null;
  token?: string | null;
}
