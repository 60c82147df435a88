/** A search under way: page after page, until enough was found, until its end, or on and on. */
import { useCallback, useEffect, useReducer, useRef } from "react";
import { asProblem } from "@/api/problem";
import { type At, listMessages, type Message, type MessagesPage } from "./api";
import { firstRequest, nextRequest, pageSize, type Search } from "./search";

/** How many messages are kept; of a live tail the newest. */
const mostKept = 10_000;
/** How long to wait after a page of a live tail, and after a refusal, in ms. */
const pause = 250;
const patience = 1_000;

type Progress = MessagesPage["progress"];

export interface State {
  status: "searching" | "paused" | "ended" | "failed";
  /** The newest of those that were found. */
  found: Message[];
  /** How many were found in all. */
  matched: number;
  scanned: number;
  bytes: number;
  damaged: number;
  began: Progress;
  progress: Progress;
  cursor: string | undefined;
  error: unknown;
  /** How many are wanted before it pauses. */
  wanted: number;
}

type Action =
  | { kind: "begin" }
  | { kind: "page"; page: MessagesPage; live: boolean }
  | { kind: "pause" }
  | { kind: "more" }
  | { kind: "fail"; error: unknown };

const initial: State = {
  status: "searching",
  found: [],
  matched: 0,
  scanned: 0,
  bytes: 0,
  damaged: 0,
  began: [],
  progress: [],
  cursor: undefined,
  error: undefined,
  wanted: pageSize,
};

function withPage(state: State, page: MessagesPage, live: boolean): State {
  const matched = state.matched + page.items.length;
  const all = page.items.length === 0 ? state.found : [...state.found, ...page.items];
  const found = all.length > mostKept ? all.slice(all.length - mostKept) : all;
  const cursor = page.next_cursor ?? undefined;
  const enough = !live && matched >= state.wanted;
  return {
    ...state,
    status: cursor === undefined ? "ended" : enough ? "paused" : "searching",
    found,
    matched,
    scanned: state.scanned + page.scanned_records,
    bytes: state.bytes + page.scanned_bytes,
    damaged: state.damaged + page.damaged_batches,
    began: state.progress.length === 0 ? page.progress : state.began,
    progress: page.progress,
    cursor,
    error: undefined,
  };
}

function reduce(state: State, action: Action): State {
  switch (action.kind) {
    case "begin":
      return initial;
    case "page":
      return withPage(state, action.page, action.live);
    case "pause":
      return state.status === "searching" ? { ...state, status: "paused" } : state;
    case "more":
      return { ...state, status: "searching", error: undefined, wanted: state.matched + pageSize };
    case "fail":
      return { ...state, status: "failed", error: action.error };
  }
}

const sleep = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });

/** Searches as long as the status says so. `run` tells one search from the same, begun again. */
export function useSearch({ cluster, topic }: At, search: Search, run: number) {
  const [state, dispatch] = useReducer(reduce, initial);
  const cursor = useRef<string | undefined>(undefined);
  const key = JSON.stringify([cluster, topic, search, run]);
  const begun = useRef("");

  useEffect(() => {
    if (begun.current === key) return;
    begun.current = key;
    cursor.current = undefined;
    dispatch({ kind: "begin" });
  }, [key]);

  const searching = state.status === "searching";
  useEffect(() => {
    if (!searching) return;
    const asked = JSON.parse(key) as [string, string, Search, number];
    const [path, what] = [{ cluster: asked[0], topic: asked[1] }, asked[2]];
    const aborted = new AbortController();
    const { signal } = aborted;
    const go = async () => {
      while (!signal.aborted) {
        try {
          const request = cursor.current === undefined ? firstRequest(what) : nextRequest(what, cursor.current);
          const page = await listMessages(path, request, signal);
          if (signal.aborted) return;
          cursor.current = page.next_cursor ?? undefined;
          dispatch({ kind: "page", page, live: what.live === true });
          if (cursor.current === undefined) return;
          if (what.live) await sleep(pause, signal);
        } catch (error) {
          if (signal.aborted) return;
          const { status, retryAfter } = asProblem(error);
          if (status !== 429) {
            dispatch({ kind: "fail", error });
            return;
          }
          await sleep((retryAfter ?? 1) * patience, signal);
        }
      }
    };
    void go();
    return () => aborted.abort();
  }, [searching, key]);

  const stop = useCallback(() => dispatch({ kind: "pause" }), []);
  const more = useCallback(() => dispatch({ kind: "more" }), []);
  return { state, stop, more };
}
