import { createTheme, type MantineColorsTuple } from "@mantine/core";

/** Ice: the deep shades have a contrast of more than 4.5 with white, and the light ones with the dark body. */
const ice: MantineColorsTuple = [
  "#e8f6fc",
  "#d3e9f4",
  "#a5d2e8",
  "#74badc",
  "#4ea5d1",
  "#3798cb",
  "#2788bd",
  "#0b6e99",
  "#075d83",
  "#04506f",
];

export const theme = createTheme({
  primaryColor: "ice",
  primaryShade: { light: 7, dark: 8 },
  colors: { ice },
  autoContrast: true,
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  fontFamily: 'Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Noto Sans Mono", monospace',
  headings: { fontWeight: "650" },
  components: {
    Badge: { defaultProps: { tt: "none", miw: "max-content" } },
    Anchor: { defaultProps: { underline: "hover" } },
    Tooltip: { defaultProps: { openDelay: 250 } },
    // A dialog's header is no banner of the page.
    Modal: { defaultProps: { attributes: { header: { role: "presentation" } } } },
    Drawer: { defaultProps: { attributes: { header: { role: "presentation" } } } },
    Notification: { defaultProps: { closeButtonProps: { "aria-label": "Dismiss" } } },
  },
});
