/** The rooms that all pages are in: before the login, behind it, and inside of a cluster. */

import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { ProblemPage } from "@/components/ProblemPage";
import { NotFound } from "./NotFound";
import { Root } from "./Root";
import { sessionQuery } from "./session";

export const rootRoute = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  component: Root,
  notFoundComponent: NotFound,
  errorComponent: ProblemPage,
});

/** Pages of a person who is not logged in (or need not be). */
export const publicRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "public",
  component: lazyRouteComponent(() => import("./PublicLayout"), "PublicLayout"),
});

/** Pages behind the login, with header and navigation. */
export const appRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "app",
  beforeLoad: async ({ context, location }) => {
    const session = await context.queryClient.ensureQueryData(sessionQuery);
    if (!session) throw redirect({ to: "/login", search: { return_to: location.href } });
  },
  component: lazyRouteComponent(() => import("./AppLayout"), "AppLayout"),
});

/** Pages of one cluster. */
export const clusterRoute = createRoute({
  getParentRoute: () => appRoute,
  path: "/clusters/$cluster",
});

/** `/` leads to where one was going: the clusters or, before a login, that. */
export const indexRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/clusters", replace: true });
  },
});
