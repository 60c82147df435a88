// biome-ignore-all lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled by keys too
// biome-ignore-all lint/a11y/useSemanticElements: only rows that are seen exist, so they are laid out by hand and told as a table
// biome-ignore-all lint/a11y/useFocusableInteractive: what is in cells and headers is focused, not they themselves
import "./topics.css";
import { UnstyledButton } from "@mantine/core";
import { IconArrowDown, IconArrowsSort, IconArrowUp } from "@tabler/icons-react";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type MouseEvent, memo, useCallback, useEffect, useMemo, useRef } from "react";
import type { ListedTopic } from "../api";
import type { Sort } from "../routes";
import { TopicRow, WaitingRow } from "./TopicRow";

const rowHeight = 44;

interface Listing {
  items: ListedTopic[];
  total: number;
}

interface Props {
  cluster: string;
  topics: UseInfiniteQueryResult<InfiniteData<Listing>>;
  total: number;
  sort: Sort;
  onSort: (sort: Sort) => void;
  chosen: ReadonlySet<string>;
  onChoose: (chosen: ReadonlySet<string>) => void;
}

/** Rows as far as the eye reaches, out of as many as there are: what is not fetched yet waits in grey until it is. */
export function TopicTable({ cluster, topics, total, sort, onSort, chosen, onChoose }: Props) {
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage, error, isPlaceholderData } = topics;
  const items = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);
  const body = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: total,
    getScrollElement: () => body.current,
    estimateSize: () => rowHeight,
    overscan: 6,
  });
  const rows = virtual.getVirtualItems();
  const last = rows[rows.length - 1]?.index ?? 0;
  useEffect(() => {
    const needed = last >= items.length && hasNextPage && !isFetchingNextPage && !isPlaceholderData && !error;
    if (needed) void fetchNextPage();
  }, [last, items.length, hasNextPage, isFetchingNextPage, isPlaceholderData, error, fetchNextPage]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another order begins at its top
  useEffect(() => virtual.scrollToOffset(0), [sort]);
  const latest = useRef(chosen);
  latest.current = chosen;
  const choose = useCallback(
    (name: string, on: boolean) => {
      const next = new Set(latest.current);
      if (on) next.add(name);
      else next.delete(name);
      onChoose(next);
    },
    [onChoose],
  );
  const navigate = useNavigate();
  const open = (event: MouseEvent<HTMLDivElement>) => {
    const topic = named(event);
    if (topic === undefined) return;
    event.preventDefault();
    void navigate({ to: "/clusters/$cluster/topics/$topic", params: { cluster, topic } });
  };
  return (
    <div className="topics" role="table" aria-label="Topics" aria-rowcount={total + 1} aria-busy={isPlaceholderData}>
      <Head sort={sort} onSort={onSort} items={items} chosen={chosen} onChoose={onChoose} />
      <div
        className="topics-body"
        ref={body}
        role="rowgroup"
        tabIndex={0}
        aria-label="Topics"
        onKeyDown={steps}
        onClick={open}
      >
        {total === 0 && <NoRow />}
        <div className="topics-room" style={{ height: virtual.getTotalSize() }} role="presentation">
          {rows.map(({ index, start }) => {
            const topic = items[index];
            return topic ? (
              <TopicRow
                key={topic.name}
                cluster={cluster}
                topic={topic}
                index={index}
                start={start}
                chosen={chosen.has(topic.name)}
                onChoose={choose}
              />
            ) : (
              <WaitingRow key={`waiting ${index}`} index={index} start={start} />
            );
          })}
        </div>
      </div>
    </div>
  );
}

/** The topic whose name was clicked, unless it is to be opened elsewhere: in another tab, or saved. */
function named(event: MouseEvent<HTMLDivElement>): string | undefined {
  const elsewhere = event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  if (elsewhere || !(event.target instanceof HTMLElement)) return undefined;
  return event.target.closest<HTMLElement>("[data-topic]")?.dataset.topic;
}

/** Up and down go from name to name. */
function steps(event: KeyboardEvent<HTMLDivElement>) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const link = document.activeElement;
  if (step === undefined || !(link instanceof HTMLElement) || link.dataset.index === undefined) return;
  const next = event.currentTarget.querySelector<HTMLElement>(`[data-index="${Number(link.dataset.index) + step}"]`);
  if (!next) return;
  event.preventDefault();
  next.focus();
}

function NoRow() {
  return (
    <div role="row">
      <div role="cell" className="topics-none">
        No topic has that in its name.
      </div>
    </div>
  );
}

interface HeadProps {
  sort: Sort;
  onSort: (sort: Sort) => void;
  items: readonly ListedTopic[];
  chosen: ReadonlySet<string>;
  onChoose: (chosen: ReadonlySet<string>) => void;
}

const Head = memo(function Head({ sort, onSort, items, chosen, onChoose }: HeadProps) {
  const every = items.length > 0 && chosen.size >= items.length && items.every(({ name }) => chosen.has(name));
  const column = (label: string, key: string, className: string) => (
    <Column label={label} name={key} className={className} sort={sort} onSort={onSort} />
  );
  return (
    <div role="rowgroup">
      <div className="topics-row topics-head" role="row" aria-rowindex={1}>
        <div role="columnheader" className="topics-check">
          <input
            type="checkbox"
            aria-label={`Choose all ${items.length} that are loaded`}
            checked={every}
            ref={(box) => {
              if (box) box.indeterminate = !every && chosen.size > 0;
            }}
            onChange={() => onChoose(new Set(every ? [] : items.map(({ name }) => name)))}
          />
        </div>
        {column("Name", "name", "topics-name")}
        {column("Partitions", "partitions", "topics-number topics-wide")}
        <div role="columnheader" className="topics-number topics-wide">
          Records
        </div>
        {column("Size", "size", "topics-number")}
        {column("Created", "created_at", "topics-wide")}
      </div>
    </div>
  );
});

interface ColumnProps {
  label: string;
  name: string;
  className: string;
  sort: Sort;
  onSort: (sort: Sort) => void;
}

function Column({ label, name, className, sort, onSort }: ColumnProps) {
  const by = sort.replace("-", "") === name;
  const down = sort.startsWith("-");
  const Icon = by ? (down ? IconArrowDown : IconArrowUp) : IconArrowsSort;
  // Numbers and times are sought from the large end first.
  const next = (by ? (down ? name : `-${name}`) : name === "name" ? name : `-${name}`) as Sort;
  return (
    <div role="columnheader" className={className} aria-sort={by ? (down ? "descending" : "ascending") : "none"}>
      <UnstyledButton onClick={() => onSort(next)} fw={600} fz="sm">
        {label} <Icon size={14} style={{ verticalAlign: "-2px", opacity: by ? 1 : 0.6 }} aria-hidden />
      </UnstyledButton>
    </div>
  );
}
