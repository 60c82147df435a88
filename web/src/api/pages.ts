/** Lists that go on: one page after the other, by the cursor of the one before. */
import { useInfiniteQuery } from "@tanstack/react-query";

export interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}

interface Options<T, P extends Page<T>> {
  key: readonly unknown[];
  page: (cursor: string | undefined, signal: AbortSignal) => Promise<P>;
  enabled?: boolean;
  refetchInterval?: number | false;
}

/** All pages that were asked for so far, flat, and how to ask for the next. */
export function usePages<T, P extends Page<T> = Page<T>>({
  key,
  page,
  enabled = true,
  refetchInterval = false,
}: Options<T, P>) {
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => page(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    enabled,
    refetchInterval,
  });
  return { ...query, items: query.data?.pages.flatMap((each) => each.items) ?? [] };
}

/** Every item of a list that is known to be short (at most `most` pages of it). */
export async function all<T>(page: (cursor: string | undefined) => Promise<Page<T>>, most = 20): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  for (let turn = 0; turn < most; turn += 1) {
    const { items: more, next_cursor: next } = await page(cursor);
    items.push(...more);
    if (!next) break;
    cursor = next;
  }
  return items;
}
