import { useEffect } from "react";
import { api, got } from "@/api/client";
import { usePages } from "@/api/pages";
import { type Acl, paged } from "../api";

export interface AclFilter {
  principal?: string;
  resource_type?: string;
  resource_name?: string;
  operation?: string;
  permission?: string;
}

/** All ACLs that a filter lets through, page after page as they come. A name finds all that stand for it: prefixes and stars, too. */
export function useAcls(cluster: string, filter: AclFilter) {
  const pages = usePages<Acl>({
    key: ["acls", cluster, "filtered", filter],
    page: (cursor, signal) => {
      const query = { ...paged(cursor), ...filter, ...(filter.resource_name ? { pattern_type: "match" } : {}) };
      return got(api.GET("/v1/clusters/{cluster}/acls", { params: { path: { cluster }, query }, signal }));
    },
  });
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = pages;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);
  return pages;
}
