import { Alert, Badge, Button, Group, Stack, Table, Text } from "@mantine/core";
import { IconAlertTriangle, IconClock, IconGauge, IconMoodSmile } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Empty } from "@/components/Empty";
import { bytes, count, duration, moment } from "@/components/format";
import { Listing } from "@/components/Listing";
import { Loaded } from "@/components/Loaded";
import { Page } from "@/components/Page";
import { type ServiceAccount, type Throttle, throttlesQuery, usePrincipals } from "../api";
import { PrincipalName, useClusterId } from "../parts";
import { counted, entityText, quotaText, userName } from "./entity";

/** Which clients wait, by which limit, and since when; it is asked anew every two seconds. */
export function WhyThrottledPage() {
  const cluster = useClusterId();
  const throttles = useQuery(throttlesQuery(cluster));
  const { accounts } = usePrincipals(cluster);
  return (
    <Page
      title="Why throttled?"
      lead="Clients that brokers make wait now, or did in the last ten minutes: those first that have waited longest. This page follows along."
      actions={
        <Button
          variant="default"
          leftSection={<IconGauge size={16} />}
          renderRoot={(props) => <Link {...props} to="/clusters/$cluster/access/quotas" params={{ cluster }} />}
        >
          Quotas
        </Button>
      }
    >
      <Loaded query={throttles}>
        {({ throttles: waiting, incomplete, silent_brokers, storage_full }) => (
          <Stack>
            <Notes incomplete={incomplete} silent={silent_brokers} full={storage_full} />
            {waiting.length === 0 ? (
              <Empty icon={IconMoodSmile} title="Nobody waits">
                <Text size="sm">
                  No client has been made to wait in the last ten minutes. A slow client is slow for another reason.
                </Text>
              </Empty>
            ) : (
              <Listing
                label="Clients that wait"
                headings={["Who", "Limit", "State", "Since", "Told to wait", "Broker"]}
                width={860}
              >
                {waiting.map((each) => (
                  <Waiting
                    key={`${each.broker} ${each.principal} ${each.client_id} ${JSON.stringify(each.limit)}`}
                    throttle={each}
                    accounts={accounts}
                  />
                ))}
              </Listing>
            )}
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

function Notes({ incomplete, silent, full }: { incomplete: boolean; silent: readonly number[]; full: boolean }) {
  return (
    <>
      {full && (
        <Alert color="red" icon={<IconAlertTriangle size={18} />} title="The cluster's storage is full">
          Records are refused, not delayed, until there is room: shorten retention, delete topics, or raise the
          cluster's limit.
        </Alert>
      )}
      {silent.length > 0 && (
        <Alert color="orange" icon={<IconAlertTriangle size={18} />}>
          {silent.length === 1 ? `Broker ${silent[0]}` : `Brokers ${silent.join(", ")}`} did not answer: whom they make
          wait is missing here.
        </Alert>
      )}
      {incomplete && <Alert color="orange">More clients wait than are listed.</Alert>}
    </>
  );
}

function Waiting({ throttle, accounts }: { throttle: Throttle; accounts: readonly ServiceAccount[] }) {
  return (
    <Table.Tr>
      <Table.Td>
        <PrincipalName principal={throttle.principal} accounts={accounts} />
        <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
          client id {throttle.client_id || "none"}
        </Text>
      </Table.Td>
      <Table.Td>
        <Limit throttle={throttle} accounts={accounts} />
      </Table.Td>
      <Table.Td>
        {throttle.active ? (
          <Badge color="orange" variant="outline" leftSection={<IconClock size={12} />} tt="none">
            waits {Math.ceil(throttle.remaining_ms / 1_000)} s more
          </Badge>
        ) : (
          <Badge variant="default" tt="none">
            goes on
          </Badge>
        )}
      </Table.Td>
      <Table.Td>
        <Text size="sm" style={{ whiteSpace: "nowrap" }}>
          {moment(throttle.since)}
        </Text>
      </Table.Td>
      <Table.Td>
        {duration(throttle.total_ms / 1_000)}
        <Text size="xs" c="dimmed">
          in {count(throttle.times)} {throttle.times === 1 ? "answer" : "answers"}
        </Text>
      </Table.Td>
      <Table.Td>{throttle.broker}</Table.Td>
    </Table.Tr>
  );
}

function Limit({ throttle, accounts }: { throttle: Throttle; accounts: readonly ServiceAccount[] }) {
  const { limit } = throttle;
  if (limit.kind !== "quota")
    return (
      <>
        <Text size="sm">The cluster's limit of what clients {limit.kind === "ingress" ? "send" : "fetch"}</Text>
        <Text size="xs" c="dimmed">
          {bytes(limit.value)}/s in all, {bytes(limit.share)}/s at this broker now
        </Text>
      </>
    );
  const what = counted.find(({ key }) => key === limit.key);
  return (
    <Group gap={4}>
      <Text size="sm">{what ? `${what.label}: ${quotaText(limit.value, what)}` : `${limit.key}: ${limit.value}`}</Text>
      <Text size="xs" c="dimmed">
        quota of {entityText(limit.entity, userName(accounts))}
      </Text>
    </Group>
  );
}
