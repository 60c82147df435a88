import { MantineProvider } from "@mantine/core";
import { ModalsProvider } from "@mantine/modals";
import { Notifications } from "@mantine/notifications";
import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { asProblem } from "./api/problem";
import { router } from "./router";
import { nonce } from "./shell/nonce";
import { sessionQuery } from "./shell/session";
import { theme } from "./shell/theme";

/** What cannot get better by asking again is not asked again. */
function worthAnotherTry(failures: number, error: unknown): boolean {
  const { status } = asProblem(error);
  return failures < 2 && (status === 0 || status >= 500);
}

/** A session can end in the middle of a page. An answer that says so has it asked for anew, and the shell leads to the login and back. */
const queryCache = new QueryCache({
  onError: (error) => {
    if (asProblem(error).status === 401) void queryClient.invalidateQueries({ queryKey: sessionQuery.queryKey });
  },
});

const queryClient = new QueryClient({
  queryCache,
  defaultOptions: { queries: { retry: worthAnotherTry, staleTime: 5_000, refetchOnWindowFocus: true } },
});

export function App() {
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={nonce}>
      <QueryClientProvider client={queryClient}>
        <ModalsProvider>
          <Notifications position="bottom-right" containerWidth={400} />
          <RouterProvider router={router} context={{ queryClient }} />
        </ModalsProvider>
      </QueryClientProvider>
    </MantineProvider>
  );
}
