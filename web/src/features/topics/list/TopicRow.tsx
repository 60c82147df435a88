// biome-ignore-all lint/a11y/useSemanticElements: only rows that are seen exist, so they are laid out by hand and told as a table
// biome-ignore-all lint/a11y/useFocusableInteractive: what is in cells and headers is focused, not they themselves
import { memo } from "react";
import { bytes, count, moment } from "@/components/format";
import type { ListedTopic } from "../api";

interface Props {
  cluster: string;
  topic: ListedTopic;
  index: number;
  /** Where it begins, in pixels. */
  start: number;
  chosen: boolean;
  onChoose: (name: string, on: boolean) => void;
}

/**
 * A topic in the list. Dozens of them come and go in each frame while one scrolls, so they are made of the browser's own elements; what a
 * click on a name does is the table's to know.
 */
export const TopicRow = memo(function TopicRow({ cluster, topic, index, start, chosen, onChoose }: Props) {
  return (
    <div
      className="topics-row"
      role="row"
      aria-rowindex={index + 2}
      data-chosen={chosen || undefined}
      style={{ transform: `translateY(${start}px)` }}
    >
      <div role="cell" className="topics-check">
        <input
          type="checkbox"
          aria-label={`Choose ${topic.name}`}
          checked={chosen}
          onChange={(event) => onChoose(topic.name, event.currentTarget.checked)}
        />
      </div>
      <div role="cell" className="topics-name" title={topic.name}>
        <a data-topic={topic.name} data-index={index} href={`/clusters/${cluster}/topics/${topic.name}`}>
          {topic.name}
        </a>
      </div>
      <div role="cell" className="topics-number topics-wide">
        {count(topic.partitions)}
      </div>
      <div role="cell" className="topics-number topics-wide">
        {count(topic.records)}
      </div>
      <div role="cell" className="topics-number">
        {bytes(topic.size_bytes)}
      </div>
      <div role="cell" className="topics-wide">
        {moment(topic.created_at)}
      </div>
    </div>
  );
});

/** Where a topic will be once its page is there. */
export function WaitingRow({ index, start }: { index: number; start: number }) {
  return (
    <div className="topics-row" role="row" aria-rowindex={index + 2} style={{ transform: `translateY(${start}px)` }}>
      <div role="cell" />
      <div role="cell" aria-label="Loading">
        <div className="topics-waiting" />
      </div>
    </div>
  );
}
