import { releases } from '../api/calls';
import { currentTenant } from '../api/http';
import type { Certificate } from '../api/types';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';

/** The stamp on certified figures: the bound and its confidence; it opens the certificate. A bound below its target has no stamp. */
export function Hallmark({ release, certificate }: { release: string; certificate: Certificate }) {
  const t = useT();
  const { percent, locale } = useFormat();
  const bound = percent(certificate.accuracy_lower_bound, 2);
  const confidence = percent(certificate.confidence, 0);
  return (
    <a
      className={certificate.reached ? 'cup-hallmark' : undefined}
      href={releases.certificateUrl(release, currentTenant(), locale)}
      target="_blank"
      rel="noopener"
      aria-label={`≥ ${bound} · ${confidence}: ${t('accuracy at least {bound} at {confidence} confidence; opens the certificate', { bound, confidence })}`}
    >
      {certificate.reached && (
        <svg width={16} height={16} viewBox="0 0 20 20" aria-hidden="true">
          <path
            d="M10 1l7.5 3v6c0 5-3.5 8-7.500 9C6 18 2.500 15 2.500 10V4z"
            fill="none"
            stroke="var(--cup-ember)"
            strokeWidth={1.8}
          />
          <path d="M6.500 10l2.500 2.500 4.500-5" fill="none" stroke="var(--cup-ember)" strokeWidth={1.8} />
        </svg>
      )}
      <span>
        ≥ {bound} · {confidence}
      </span>
    </a>
  );
}
