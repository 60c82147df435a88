/** Topics of a cluster, and one of them. Its records are the feature `messages`. */
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { clusterRoute } from "@/shell/routes";

type Search = Record<string, unknown>;

export const sorts = [
  "name",
  "-name",
  "partitions",
  "-partitions",
  "size",
  "-size",
  "created_at",
  "-created_at",
] as const;
export type Sort = (typeof sorts)[number];

export const tabs = ["overview", "partitions", "configuration", "consumers"] as const;
export type Tab = (typeof tabs)[number];

const topics = createRoute({
  getParentRoute: () => clusterRoute,
  path: "/topics",
  validateSearch: (search: Search): { contains?: string; sort?: Sort; create?: boolean } => {
    const sort = sorts.find((each) => each === search.sort);
    return {
      ...(search.contains !== undefined && search.contains !== "" ? { contains: String(search.contains) } : {}),
      ...(sort && sort !== "name" ? { sort } : {}),
      ...(search.create === true ? { create: true } : {}),
    };
  },
  component: lazyRouteComponent(() => import("./list/TopicsPage"), "TopicsPage"),
});

const topic = createRoute({
  getParentRoute: () => clusterRoute,
  path: "/topics/$topic",
  validateSearch: (search: Search): { tab?: Tab } => {
    const tab = tabs.find((each) => each === search.tab);
    return tab && tab !== "overview" ? { tab } : {};
  },
  component: lazyRouteComponent(() => import("./detail/TopicPage"), "TopicPage"),
});

export const topicRoutes = [topics, topic] as const;
