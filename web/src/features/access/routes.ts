/** Service accounts, and who may do what in a cluster. */
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { appRoute, clusterRoute } from "@/shell/routes";

type Search = Record<string, unknown>;

/** Of a page's query those parameters that it knows, as text. */
function texts<K extends string>(search: Search, keys: readonly K[]): { [key in K]?: string } {
  const read: { [key in K]?: string } = {};
  for (const key of keys) {
    const given = search[key];
    if (typeof given === "string" || typeof given === "number" || typeof given === "boolean") read[key] = `${given}`;
  }
  return read;
}

const serviceAccounts = createRoute({
  getParentRoute: () => appRoute,
  path: "/service-accounts",
  validateSearch: (search: Search) => texts(search, ["project"]),
  component: lazyRouteComponent(() => import("./accounts/ServiceAccountsPage"), "ServiceAccountsPage"),
});

const serviceAccount = createRoute({
  getParentRoute: () => appRoute,
  path: "/service-accounts/$account",
  component: lazyRouteComponent(() => import("./accounts/ServiceAccountPage"), "ServiceAccountPage"),
});

const acls = createRoute({
  getParentRoute: () => clusterRoute,
  path: "/access/acls",
  validateSearch: (search: Search) =>
    texts(search, ["view", "principal", "resource_type", "resource_name", "operation", "permission"]),
  component: lazyRouteComponent(() => import("./acls/AclsPage"), "AclsPage"),
});

const aclWizard = createRoute({
  getParentRoute: () => clusterRoute,
  path: "/access/acls/new",
  validateSearch: (search: Search) => texts(search, ["principal", "topic"]),
  component: lazyRouteComponent(() => import("./acls/AclWizardPage"), "AclWizardPage"),
});

const scram = createRoute({
  getParentRoute: () => clusterRoute,
  path: "/access/scram",
  component: lazyRouteComponent(() => import("./scram/ScramPage"), "ScramPage"),
});

const caPools = createRoute({
  getParentRoute: () => clusterRoute,
  path: "/access/ca-pools",
  component: lazyRouteComponent(() => import("./trust/CaPoolsPage"), "CaPoolsPage"),
});

const identityProviders = createRoute({
  getParentRoute: () => clusterRoute,
  path: "/access/identity-providers",
  component: lazyRouteComponent(() => import("./trust/IdentityProvidersPage"), "IdentityProvidersPage"),
});

const networks = createRoute({
  getParentRoute: () => clusterRoute,
  path: "/access/networks",
  component: lazyRouteComponent(() => import("./trust/NetworksPage"), "NetworksPage"),
});

const whyDenied = createRoute({
  getParentRoute: () => clusterRoute,
  path: "/access/why-denied",
  validateSearch: (search: Search) =>
    texts(search, ["entry", "principal", "operation", "resource_type", "resource_name", "host"]),
  component: lazyRouteComponent(() => import("./acls/WhyDeniedPage"), "WhyDeniedPage"),
});

const quotas = createRoute({
  getParentRoute: () => clusterRoute,
  path: "/access/quotas",
  component: lazyRouteComponent(() => import("./quotas/QuotasPage"), "QuotasPage"),
});

const whyThrottled = createRoute({
  getParentRoute: () => clusterRoute,
  path: "/access/why-throttled",
  component: lazyRouteComponent(() => import("./quotas/WhyThrottledPage"), "WhyThrottledPage"),
});

export const accessRoutes = [serviceAccounts, serviceAccount] as const;
export const clusterAccessRoutes = [
  acls,
  aclWizard,
  scram,
  caPools,
  identityProviders,
  networks,
  whyDenied,
  quotas,
  whyThrottled,
] as const;
