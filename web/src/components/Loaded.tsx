import { Skeleton, Stack } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ProblemAlert } from "./ProblemAlert";

interface Props<T> {
  query: Pick<UseQueryResult<T>, "data" | "error" | "isPending" | "refetch">;
  /** How many lines wait in its place. */
  lines?: number;
  children: (data: T) => ReactNode;
}

/** What a query gave; lines that wait until then, or why it gave nothing. What is shown may be old once asking again fails: that is said above it. */
export function Loaded<T>({ query, lines = 5, children }: Props<T>) {
  const problem = query.error && <ProblemAlert error={query.error} retry={() => void query.refetch()} />;
  if (query.data !== undefined) {
    return (
      <>
        {problem}
        {children(query.data)}
      </>
    );
  }
  if (problem) return problem;
  const places = Array.from({ length: lines }, (_, line) => `line ${line}`);
  return (
    <Stack gap="xs" role="status" aria-label="Loading" aria-busy="true">
      {places.map((place) => (
        <Skeleton key={place} height={28} />
      ))}
    </Stack>
  );
}
