/** What several pages of groups show. */
import { Text } from "@mantine/core";
import { count, duration } from "@/components/format";

interface LagProps {
  records: number | null | undefined;
  seconds: number | null | undefined;
}

/** How far somebody is behind: records, and below how old the oldest is. */
export function Lag({ records, seconds }: LagProps) {
  const behind = (records ?? 0) > 0;
  return (
    <>
      <Text size="sm" fw={behind ? 600 : 400} span>
        {count(records)}
      </Text>
      {behind && (
        <Text size="xs" c="dimmed">
          {seconds === null || seconds === undefined ? "age not known" : `oldest ${duration(Math.round(seconds))}`}
        </Text>
      )}
    </>
  );
}
