/** The two fields of whoever comes in, wherever they are asked for: known to password managers by the same names. */
import { PasswordInput, TextInput } from '@mantine/core';
import { useT } from '../i18n';

/** As the server asks for it. */
const LEAST_CHARS = 10;

interface Field {
  value: string;
  onChange: (value: string) => void;
  autoFocus?: boolean;
}

export function EmailField({ value, onChange, autoFocus = false }: Field) {
  const t = useT();
  return (
    <TextInput
      label={t('Email')}
      name="email"
      type="email"
      autoComplete="username"
      required
      autoFocus={autoFocus}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

/** fresh: one that is chosen now, rather than proven. */
export function PasswordField({
  value,
  onChange,
  autoFocus = false,
  fresh = false,
  label,
}: Field & { fresh?: boolean; label?: string }) {
  const t = useT();
  return (
    <PasswordInput
      label={label ?? t('Password')}
      name="password"
      autoComplete={fresh ? 'new-password' : 'current-password'}
      required
      {...(fresh
        ? { minLength: LEAST_CHARS, description: t('At least {count} characters.', { count: LEAST_CHARS }) }
        : {})}
      autoFocus={autoFocus}
      data-autofocus={autoFocus || undefined}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      visibilityToggleButtonProps={{ 'aria-label': t('Show or hide the password') }}
    />
  );
}
