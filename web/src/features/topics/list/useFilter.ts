import { useDebouncedCallback } from "@mantine/hooks";
import { useEffect, useRef, useState } from "react";

/** How long after the last key the service is asked, in ms. */
const pause = 150;

/**
 * A text that is typed, and told once typing has paused: so a key never waits for a list. When what applies changes from elsewhere (one
 * goes back a page), the text follows.
 */
export function useFilter(applied: string, apply: (text: string) => void): [string, (text: string) => void] {
  const [text, setText] = useState(applied);
  const told = useRef(applied);
  const tell = useDebouncedCallback((next: string) => {
    told.current = next;
    apply(next);
  }, pause);
  useEffect(() => {
    if (applied === told.current) return;
    told.current = applied;
    setText(applied);
  }, [applied]);
  const type = (next: string) => {
    setText(next);
    tell(next.trim());
  };
  return [text, type];
}
