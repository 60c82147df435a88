/** Pages of the organization: people, usage, audit, limits, settings; and the audit log of a cluster. */
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { appRoute, clusterRoute } from "@/shell/routes";
import { readAudit } from "./audit/search";
import { readUsage } from "./usage/span";

const members = createRoute({
  getParentRoute: () => appRoute,
  path: "/organization/members",
  component: lazyRouteComponent(() => import("./members/MembersPage"), "MembersPage"),
});

const invitations = createRoute({
  getParentRoute: () => appRoute,
  path: "/organization/invitations",
  component: lazyRouteComponent(() => import("./invitations/InvitationsPage"), "InvitationsPage"),
});

const usage = createRoute({
  getParentRoute: () => appRoute,
  path: "/organization/usage",
  validateSearch: readUsage,
  component: lazyRouteComponent(() => import("./usage/UsagePage"), "UsagePage"),
});

const audit = createRoute({
  getParentRoute: () => appRoute,
  path: "/organization/audit",
  validateSearch: readAudit,
  component: lazyRouteComponent(() => import("./audit/AuditPage"), "AuditPage"),
});

const limits = createRoute({
  getParentRoute: () => appRoute,
  path: "/organization/limits",
  component: lazyRouteComponent(() => import("./limits/LimitsPage"), "LimitsPage"),
});

const settings = createRoute({
  getParentRoute: () => appRoute,
  path: "/organization/settings",
  component: lazyRouteComponent(() => import("./settings/SettingsPage"), "SettingsPage"),
});

const create = createRoute({
  getParentRoute: () => appRoute,
  path: "/organization/create",
  component: lazyRouteComponent(() => import("./create/CreateOrganizationPage"), "CreateOrganizationPage"),
});

const clusterAudit = createRoute({
  getParentRoute: () => clusterRoute,
  path: "/audit",
  validateSearch: readAudit,
  component: lazyRouteComponent(() => import("./audit/ClusterAuditPage"), "ClusterAuditPage"),
});

export const organizationRoutes = [members, invitations, usage, audit, limits, settings, create] as const;
export const clusterOrganizationRoutes = [clusterAudit] as const;
