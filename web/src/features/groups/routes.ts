/** Consumer groups of a cluster: all of them, one, and its offsets set anew. */
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { clusterRoute } from "@/shell/routes";
import type { GroupFilter } from "./api";

const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);

const groups = createRoute({
  getParentRoute: () => clusterRoute,
  path: "/groups",
  validateSearch: (search: Record<string, unknown>): GroupFilter => {
    const contains = text(search.contains);
    const state = text(search.state);
    return { ...(contains ? { contains } : {}), ...(state ? { state } : {}) };
  },
  component: lazyRouteComponent(() => import("./GroupsPage"), "GroupsPage"),
});

const group = createRoute({
  getParentRoute: () => clusterRoute,
  path: "/groups/$group",
  component: lazyRouteComponent(() => import("./detail/GroupPage"), "GroupPage"),
});

const reset = createRoute({
  getParentRoute: () => clusterRoute,
  path: "/groups/$group/reset",
  component: lazyRouteComponent(() => import("./reset/ResetPage"), "ResetPage"),
});

export const groupRoutes = [groups, group, reset] as const;
