/** What was seen of a contributor, in the reader's language: written from the figures that come beside the server's
 * own sentence, which is what is shown where they do not. */
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import type { Flag } from './flags';

const NEEDED: Record<string, readonly string[]> = {
  inverted: [],
  spammer: ['follows', 'error'],
  'copied-answers': ['followed', 'met', 'pool'],
  drift: ['first', 'last', 'after', 'of'],
  collusion: ['others', 'agreed', 'shared', 'due'],
};

export function useFlagWords(): (flag: Flag) => string | null {
  const t = useT();
  const { number, percent } = useFormat();
  const seen = ({ kind, figures: of, judgements }: Flag): string | null => {
    if (!NEEDED[kind]?.every((name) => name in of) || judgements === null) return null;
    const whole = (name: string) => number(Math.round(of[name] as number));
    const share = (name: string) => percent(of[name] as number, 0);
    const made = number(judgements);
    switch (kind) {
      case 'inverted':
        return t('Over {made} judgements the answers go against the golds and the other votes.', { made });
      case 'spammer':
        return t(
          'Over {made} judgements the answers follow the item {follows} as much as is usual here (give or take {error}).',
          { made, follows: share('follows'), error: share('error') },
        );
      case 'copied-answers':
        return t(
          'Follows the model on {followed} of {met} tasks where the crowd says it errs; the pool does on {pool}.',
          {
            followed: whole('followed'),
            met: whole('met'),
            pool: share('pool'),
          },
        );
      case 'drift':
        return t(
          'Agreement with golds and the other votes fell from {first} to {last} after judgement {after} of {of}.',
          {
            first: share('first'),
            last: share('last'),
            after: whole('after'),
            of: whole('of'),
          },
        );
      default:
        return t(
          'Agrees with {others, plural, one {# other} other {# others}} on {agreed} of {shared} shared judgements, where {due} would be expected.',
          { others: of.others as number, agreed: whole('agreed'), shared: whole('shared'), due: whole('due') },
        );
    }
  };
  return (flag) => {
    const said = seen(flag);
    if (said === null) return flag.evidence;
    return flag.others.length > 0 ? `${said} ${t('With {names}.', { names: flag.others.join(', ') })}` : said;
  };
}
