/** Where one can go: for the navigation and for the command palette. */
import {
  IconActivity,
  IconAddressBook,
  IconBuilding,
  IconBuildingPlus,
  IconCertificate,
  IconChartBar,
  IconFolder,
  IconGauge,
  IconHistory,
  IconHourglass,
  IconId,
  IconKey,
  IconListDetails,
  IconMailForward,
  IconNetwork,
  IconPlayerPlay,
  IconPlus,
  IconQuestionMark,
  IconRobot,
  IconServer,
  IconSettings,
  IconShieldLock,
  IconUser,
  IconUsers,
  IconUsersGroup,
} from "@tabler/icons-react";
import type { ComponentType } from "react";

export interface Place {
  label: string;
  to: string;
  icon: ComponentType<{ size?: number | string; stroke?: number | string }>;
  /** What else people call it. */
  keywords?: string[];
}

export interface Section {
  title: string;
  places: Place[];
}

/** Of the organization. */
export const organizationSections: Section[] = [
  {
    title: "Streaming",
    places: [
      { label: "First five minutes", to: "/start", icon: IconPlayerPlay, keywords: ["getting started", "snippet"] },
      { label: "Clusters", to: "/clusters", icon: IconServer },
      { label: "Projects", to: "/projects", icon: IconFolder },
      { label: "Service accounts", to: "/service-accounts", icon: IconRobot, keywords: ["API keys", "programs"] },
    ],
  },
  {
    title: "Organization",
    places: [
      { label: "Members", to: "/organization/members", icon: IconUsers, keywords: ["roles", "people"] },
      { label: "Invitations", to: "/organization/invitations", icon: IconMailForward },
      { label: "Usage and cost", to: "/organization/usage", icon: IconChartBar, keywords: ["billing", "metering"] },
      { label: "Audit log", to: "/organization/audit", icon: IconHistory },
      { label: "Limits", to: "/organization/limits", icon: IconGauge },
      {
        label: "Settings",
        to: "/organization/settings",
        icon: IconBuilding,
        keywords: ["networks", "login providers", "OIDC"],
      },
    ],
  },
];

export const newOrganization: Place = {
  label: "New organization",
  to: "/organization/create",
  icon: IconBuildingPlus,
  keywords: ["make an organization"],
};

/** Of one person. */
export const personalPlaces: Place[] = [
  { label: "Profile", to: "/profile", icon: IconUser },
  { label: "Sessions", to: "/profile/sessions", icon: IconId },
  newOrganization,
];

/** Of a cluster; `$cluster` stands for its id. */
export const clusterSections: Section[] = [
  {
    title: "Data",
    places: [
      { label: "Overview", to: "/clusters/$cluster", icon: IconActivity },
      { label: "Topics", to: "/clusters/$cluster/topics", icon: IconListDetails },
      { label: "Groups", to: "/clusters/$cluster/groups", icon: IconUsersGroup, keywords: ["consumers", "lag"] },
    ],
  },
  {
    title: "Access",
    places: [
      { label: "ACLs", to: "/clusters/$cluster/access/acls", icon: IconShieldLock, keywords: ["permissions"] },
      {
        label: "SCRAM credentials",
        to: "/clusters/$cluster/access/scram",
        icon: IconKey,
        keywords: ["passwords", "SASL"],
      },
      {
        label: "CA pools",
        to: "/clusters/$cluster/access/ca-pools",
        icon: IconCertificate,
        keywords: ["mTLS", "certificates"],
      },
      {
        label: "Identity providers",
        to: "/clusters/$cluster/access/identity-providers",
        icon: IconAddressBook,
        keywords: ["OAUTHBEARER", "OIDC"],
      },
      {
        label: "Why denied?",
        to: "/clusters/$cluster/access/why-denied",
        icon: IconQuestionMark,
        keywords: ["explain"],
      },
      { label: "Quotas", to: "/clusters/$cluster/access/quotas", icon: IconGauge },
      { label: "Why throttled?", to: "/clusters/$cluster/access/why-throttled", icon: IconHourglass },
      { label: "Networks", to: "/clusters/$cluster/access/networks", icon: IconNetwork, keywords: ["allowlist", "IP"] },
    ],
  },
  {
    title: "Operation",
    places: [
      { label: "Audit log", to: "/clusters/$cluster/audit", icon: IconHistory },
      { label: "Settings", to: "/clusters/$cluster/settings", icon: IconSettings, keywords: ["delete", "suspend"] },
    ],
  },
];

/** What one can do from anywhere in the organization: for the palette. */
export const organizationCommands: Place[] = [
  { label: "Create cluster", to: "/clusters/create", icon: IconPlus, keywords: ["new cluster"] },
  { label: "Invite somebody", to: "/organization/invitations", icon: IconMailForward, keywords: ["new member"] },
];

/** What one can do in a cluster. */
export const clusterCommands: Place[] = [
  { label: "Create topic", to: "/clusters/$cluster/topics?create=true", icon: IconPlus, keywords: ["new topic"] },
  {
    label: "Allow or deny",
    to: "/clusters/$cluster/access/acls/new",
    icon: IconShieldLock,
    keywords: ["new ACL", "wizard", "grant"],
  },
];

/** The place of a cluster, by its id. */
export function inCluster(to: string, cluster: string): string {
  return to.replace("$cluster", cluster);
}
