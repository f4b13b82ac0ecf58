import { NumberInput } from '@mantine/core';

/** Decimals of a currency, from the browser's own tables. */
export function currencyDigits(currency: string): number {
  try {
    return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  } catch {
    return 2;
  }
}

/** An amount typed in major units, kept in minor units: rounding happens once, here. */
export function MoneyInput({
  label,
  description,
  currency,
  value_minor,
  onChange,
  extraDigits = 0,
}: {
  label: string;
  description?: string;
  currency: string;
  value_minor: number;
  onChange: (value_minor: number) => void;
  extraDigits?: number;
}) {
  const digits = currencyDigits(currency) + extraDigits;
  const scale = 10 ** currencyDigits(currency);
  return (
    <NumberInput
      label={label}
      {...(description ? { description } : {})}
      suffix={` ${currency}`}
      decimalScale={digits}
      fixedDecimalScale
      min={0}
      step={1 / scale}
      value={value_minor / scale}
      onChange={(next) => onChange(Math.round((typeof next === 'number' ? next : Number(next) || 0) * scale))}
    />
  );
}
