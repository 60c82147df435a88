/** What every form of access does with what it sends. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { asProblem } from "@/api/problem";
import { done } from "@/components/notify";

interface Options<I, O> {
  /** Sends it. */
  send: (input: I) => Promise<O>;
  /** The lists and resources that are other ones then: beginnings of their keys. */
  touches: readonly (readonly unknown[])[];
  /** What is said then. */
  said?: string | ((output: O) => string);
  onDone?: (output: O) => void;
}

/** A change: sent, told, and what it touches is asked for anew. */
export function useChange<I, O>({ send, touches, said, onDone }: Options<I, O>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: send,
    onSuccess: async (output) => {
      await Promise.all(touches.map((queryKey) => queries.invalidateQueries({ queryKey })));
      if (said !== undefined) done(typeof said === "string" ? said : said(output));
      onDone?.(output);
    },
  });
}

/** What the API found wrong with the field at this JSON pointer, or with what is inside of it. */
export function faultAt(error: unknown, pointer: string): string | undefined {
  if (!error) return undefined;
  const { faults } = asProblem(error);
  return faults.find((fault) => fault.pointer === pointer || fault.pointer.startsWith(`${pointer}/`))?.detail;
}
