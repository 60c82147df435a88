/** What the service would say to a form, while it is being filled in. */
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { asProblem } from "@/api/problem";

/** How long after the last change the service is asked, in ms. */
const pause = 400;

interface Options {
  /** Names what is rehearsed: forms of other things do not share answers. */
  key: readonly unknown[];
  /** What would be sent; `undefined` while the form itself finds something wrong. */
  body: unknown;
  /** Sends it with `dry_run`. */
  send: (signal: AbortSignal) => Promise<unknown>;
}

/** The problem that sending it would have; what is `undefined` would do, or is not known yet. */
export function useRehearsal({ key, body, send }: Options) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const [settled] = useDebouncedValue(text, pause);
  const asked = settled !== undefined && settled === text;
  const query = useQuery({
    queryKey: ["rehearsal", ...key, settled],
    queryFn: async ({ signal }) => {
      await send(signal);
      return true;
    },
    enabled: asked,
    retry: false,
    gcTime: 0,
    placeholderData: keepPreviousData,
  });
  const error = asked && query.error ? asProblem(query.error) : undefined;
  return { problem: error, accepted: asked && query.isSuccess && !query.isPlaceholderData };
}
