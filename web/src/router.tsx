/** Every page there is: each feature brings its own, and here they get their place. */
import { createRouter } from "@tanstack/react-router";
import { accessRoutes, clusterAccessRoutes } from "@/features/access/routes";
import { accountRoutes, profileRoutes } from "@/features/account/routes";
import { clusterRoutes, clustersRoutes } from "@/features/clusters/routes";
import { groupRoutes } from "@/features/groups/routes";
import { messageRoutes } from "@/features/messages/routes";
import { clusterOrganizationRoutes, organizationRoutes } from "@/features/organization/routes";
import { startRoutes } from "@/features/start/routes";
import { topicRoutes } from "@/features/topics/routes";
import { appRoute, clusterRoute, indexRoute, publicRoute, rootRoute } from "@/shell/routes";

const tree = rootRoute.addChildren([
  indexRoute,
  publicRoute.addChildren([...accountRoutes]),
  appRoute.addChildren([
    ...startRoutes,
    ...clustersRoutes,
    ...accessRoutes,
    ...organizationRoutes,
    ...profileRoutes,
    clusterRoute.addChildren([
      ...clusterRoutes,
      ...topicRoutes,
      ...messageRoutes,
      ...groupRoutes,
      ...clusterAccessRoutes,
      ...clusterOrganizationRoutes,
    ]),
  ]),
]);

export const router = createRouter({
  routeTree: tree,
  // biome-ignore lint/suspicious/noExplicitAny: the router's own way to say that the context comes with the provider
  context: { queryClient: undefined as any },
  defaultPreload: "intent",
  // Another cluster, topic or group is another page: nothing that was typed or drawn for the one stays for the other.
  defaultRemountDeps: ({ params }) => params,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
