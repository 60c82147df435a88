/** Clusters and projects of the organization, and one of its clusters: overview and settings. */
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { appRoute, clusterRoute } from "@/shell/routes";

const clusters = createRoute({
  getParentRoute: () => appRoute,
  path: "/clusters",
  validateSearch: (search: Record<string, unknown>): { project?: string } =>
    typeof search.project === "string" ? { project: search.project } : {},
  component: lazyRouteComponent(() => import("./ClustersPage"), "ClustersPage"),
});

const create = createRoute({
  getParentRoute: () => appRoute,
  path: "/clusters/create",
  validateSearch: (search: Record<string, unknown>): { project?: string } =>
    typeof search.project === "string" ? { project: search.project } : {},
  component: lazyRouteComponent(() => import("./CreateClusterPage"), "CreateClusterPage"),
});

const projects = createRoute({
  getParentRoute: () => appRoute,
  path: "/projects",
  component: lazyRouteComponent(() => import("./ProjectsPage"), "ProjectsPage"),
});

const overview = createRoute({
  getParentRoute: () => clusterRoute,
  path: "/",
  component: lazyRouteComponent(() => import("./overview/OverviewPage"), "OverviewPage"),
});

const settings = createRoute({
  getParentRoute: () => clusterRoute,
  path: "/settings",
  component: lazyRouteComponent(() => import("./settings/SettingsPage"), "SettingsPage"),
});

export const clustersRoutes = [clusters, create, projects] as const;
export const clusterRoutes = [overview, settings] as const;
