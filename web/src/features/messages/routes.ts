/** What is in a topic. */
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { clusterRoute } from "@/shell/routes";
import { readSearch } from "./search";

const messages = createRoute({
  getParentRoute: () => clusterRoute,
  path: "/topics/$topic/messages",
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import("./MessagesPage"), "MessagesPage"),
});

export const messageRoutes = [messages] as const;
