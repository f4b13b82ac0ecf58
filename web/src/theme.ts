import {
  createTheme,
  defaultVariantColorsResolver,
  type MantineColorsTuple,
  type VariantColorsResolver,
} from '@mantine/core';

/** The one accent. Index 6 is ember itself; 8 is the darkest that still reads as ember and carries white text at AA. */
const ember: MantineColorsTuple = [
  '#fff4ec',
  '#ffe3d1',
  '#ffc6a3',
  '#ffa873',
  '#ff8a4c',
  '#f76707',
  '#e8590c',
  '#d9480f',
  '#c2410c',
  '#9a3412',
];

/** Neutral slate, as the light scheme's greys are: fields and hovered tabs belong to the same ground as the panels. */
const dark: MantineColorsTuple = [
  '#dee2e6',
  '#ced4da',
  '#adb5bd',
  '#868e96',
  '#474e56',
  '#3a4047',
  '#262b31',
  '#1d2126',
  '#16191d',
  '#0f1114',
];

/** What stands on the accent is white in the light scheme and near black in the dark one, where the accent is bright. */
const variantColorResolver: VariantColorsResolver = (input) => {
  const resolved = defaultVariantColorsResolver(input);
  const isAccent = input.color === undefined || input.color === 'ember';
  return input.variant === 'filled' && isAccent ? { ...resolved, color: 'var(--cup-on-accent)' } : resolved;
};

/** People write in scripts of both directions: a field takes its own from what stands in it. */
const EITHER_DIRECTION = { input: { dir: 'auto' } };

export const theme = createTheme({
  variantColorResolver,
  primaryColor: 'ember',
  primaryShade: { light: 8, dark: 4 },
  autoContrast: true,
  colors: { ember, dark },
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace',
  fontSizes: { xs: '12px', sm: '14px', md: '14px', lg: '16px', xl: '20px' },
  defaultRadius: '6px',
  respectReducedMotion: true,
  cursorType: 'pointer',
  headings: {
    fontWeight: '600',
    sizes: {
      h1: { fontSize: '22px', lineHeight: '1.3' },
      h2: { fontSize: '16px', lineHeight: '1.4' },
      h3: { fontSize: '14px', lineHeight: '1.4' },
    },
  },
  components: {
    Button: { defaultProps: { size: 'sm' } },
    Table: { defaultProps: { fz: 'sm', verticalSpacing: 6, horizontalSpacing: 12 } },
    TextInput: { defaultProps: { size: 'sm', attributes: EITHER_DIRECTION } },
    Textarea: { defaultProps: { attributes: EITHER_DIRECTION } },
    Modal: { defaultProps: { transitionProps: { duration: 120 } } },
    Menu: { defaultProps: { transitionProps: { duration: 80 } } },
  },
});
