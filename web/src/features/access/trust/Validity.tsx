import { Badge, Group, Text } from "@mantine/core";
import { IconAlertTriangle, IconClock } from "@tabler/icons-react";
import { moment } from "@/components/format";

interface Props {
  until: string;
  /** What it is called once it is over. */
  late?: string;
}

/** Until when a certificate or a list holds; said in words too in its last month. */
export function Validity({ until, late = "expired" }: Props) {
  const days = (new Date(until).getTime() - Date.now()) / 86_400_000;
  return (
    <Group gap={6} wrap="nowrap">
      <Text size="sm" style={{ whiteSpace: "nowrap" }}>
        {moment(until)}
      </Text>
      {days <= 0 && (
        <Badge color="red" variant="outline" leftSection={<IconAlertTriangle size={12} />}>
          {late}
        </Badge>
      )}
      {days > 0 && days <= 30 && (
        <Badge color="orange" variant="outline" leftSection={<IconClock size={12} />}>
          {Math.ceil(days)} d left
        </Badge>
      )}
    </Group>
  );
}
