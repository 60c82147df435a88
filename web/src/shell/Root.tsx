import { Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect, useRef } from "react";

/** Every page. A change of page puts the focus on its heading, so that a screen reader says where one is. */
export function Root() {
  const path = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  const first = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the path is what it is about
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    // Who has opened the palette or a dialog meanwhile is in there.
    if (document.activeElement?.closest('[role="dialog"]')) return;
    const heading = document.querySelector<HTMLElement>("main h1");
    heading?.setAttribute("tabindex", "-1");
    heading?.focus({ preventScroll: true });
  }, [path]);
  return <Outlet />;
}
