/** The first five minutes. */
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { appRoute } from "@/shell/routes";

const start = createRoute({
  getParentRoute: () => appRoute,
  path: "/start",
  component: lazyRouteComponent(() => import("./StartPage"), "StartPage"),
});

export const startRoutes = [start] as const;
