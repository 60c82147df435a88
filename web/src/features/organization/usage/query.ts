/** Asks for usage. */
import { queryOptions } from "@tanstack/react-query";
import { api, got } from "@/api/client";
import { all } from "@/api/pages";
import { Problem } from "@/api/problem";
import type { Group, Span } from "./span";
import type { UsageSum } from "./sums";

const page_size = 200;
const pages = 50;
/** As many rows are added up here at most; an export has more. */
export const mostRows = page_size * pages;

/** What the API groups by: it knows the cluster, and we know that one's project. */
function groupBy(group: Group): { group_by?: string } {
  if (group === "principal") return { group_by: "principal" };
  return group === "none" ? {} : { group_by: "cluster" };
}

export const usageQuery = (organization: string, span: Span, group: Group) =>
  queryOptions({
    queryKey: ["usage", organization, span, groupBy(group)],
    queryFn: ({ signal }) =>
      all<UsageSum>(async (cursor) => {
        const query = { ...span, ...groupBy(group), page_size, ...(cursor ? { cursor } : {}) };
        const params = { path: { organization }, query };
        const page = await got(api.GET("/v1/organizations/{organization}/usage", { params, signal }));
        if (typeof page === "string") throw new Problem({ status: 0, detail: "The service answered with CSV." });
        return page;
      }, pages),
  });

/** Where the same is as a file. */
export function usagePath(organization: string, span: Span, group: Group, more: Record<string, string>): string {
  const query = new URLSearchParams({ ...span, ...groupBy(group), ...more });
  return `/v1/organizations/${organization}/usage?${query}`;
}
