import { useCallback, useEffect, useLayoutEffect, useRef } from "react";

/** Tells whether somebody has typed into this page since it was opened, or has a dialog open: what leaving would lose. */
export function useTyped(path: string): () => boolean {
  const typed = useRef(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page begins without
  useEffect(() => {
    typed.current = false;
    const note = () => {
      typed.current = true;
    };
    document.addEventListener("input", note);
    return () => document.removeEventListener("input", note);
  }, [path]);
  return useCallback(() => typed.current || document.querySelector('[role="dialog"]') !== null, []);
}

/** While this is on, Escape closes no dialog: not the one that holds what was typed, either. */
export function useNoEscape(on: boolean): void {
  const swallows = useRef(on);
  useLayoutEffect(() => {
    swallows.current = on;
  }, [on]);
  // Before the listeners of any dialog: those are effects.
  useLayoutEffect(() => {
    const swallow = (event: KeyboardEvent) => {
      if (swallows.current && event.key === "Escape") event.stopImmediatePropagation();
    };
    window.addEventListener("keydown", swallow, true);
    return () => window.removeEventListener("keydown", swallow, true);
  }, []);
}
