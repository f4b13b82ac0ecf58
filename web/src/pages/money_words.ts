/** The ledger's own words as people say them. */
import { msg } from '../i18n';

export const ACCOUNTS: Record<string, string> = {
  external: msg('Put in from outside'),
  budget: msg('Free for projects'),
  project_budget: msg('Budget of a project'),
  escrow: msg('Held for work in hand'),
  worker: msg('Earned by a contributor'),
  platform_fee: msg('Fee of the platform'),
  quality_reserve: msg('Quality insurance'),
  topup_reserve: msg('Reserve for top-ups'),
  payout_clearing: msg('Payouts on their way'),
};

export const TRANSFERS: Record<string, string> = {
  fund: msg('money put in'),
  allot: msg('given to a project'),
  unallot: msg('taken back from a project'),
  hold: msg('held for a page of work'),
  pay: msg('paid to a contributor'),
  fee: msg('fee of the platform'),
  insure: msg('quality insurance'),
  release: msg('back from work not done'),
  reject: msg('back from work refused'),
  refund_quality: msg('refund of the insurance'),
  topup: msg('top-up for a contributor'),
  bonus: msg('bonus for a contributor'),
  payout: msg('payout begun'),
  settle: msg('payout done'),
  payout_return: msg('payout came back'),
};
