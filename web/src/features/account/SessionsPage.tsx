import { Badge, Button, Card, Group, Stack, Text } from "@mantine/core";
import { IconDeviceLaptop, IconDeviceMobile, IconTerminal2 } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, got } from "@/api/client";
import { Ago } from "@/components/Ago";
import { AsCode } from "@/components/AsCode";
import { moment } from "@/components/format";
import { Loaded } from "@/components/Loaded";
import { complain, done } from "@/components/notify";
import { Page } from "@/components/Page";
import { type SessionResource, sessionsQuery, undeclared } from "./api";
import { device } from "./device";

/** Where the person is logged in. */
export function SessionsPage() {
  const sessions = useQuery(sessionsQuery);
  const queries = useQueryClient();
  const end = useMutation({
    mutationFn: async (ids: string[]) => {
      for (const session of ids) {
        await got(api.DELETE("/v1/sessions/{session}", { params: { path: { session } } }));
      }
    },
    onSuccess: (_, ids) => done(ids.length === 1 ? "The session has ended." : `${ids.length} sessions have ended.`),
    onError: complain,
    onSettled: () => queries.invalidateQueries({ queryKey: sessionsQuery.queryKey }),
  });
  const others = sessions.data?.filter((session) => !session.current) ?? [];
  return (
    <Page
      title="Sessions"
      lead="Where you are logged in. A session ends after a week without use, and when your password changes."
      trail={[{ label: "Profile", to: "/profile" }]}
      actions={
        others.length > 0 && (
          <Button
            variant="default"
            loading={end.isPending}
            onClick={() => end.mutate(others.map((session) => session.id))}
          >
            End all others
          </Button>
        )
      }
    >
      <Loaded query={sessions}>
        {(all) => (
          <Stack gap="sm" maw={760}>
            {all.map((session) => (
              <Session key={session.id} session={session} busy={end.isPending} end={() => end.mutate([session.id])} />
            ))}
            {others[0] && (
              <AsCode
                request={{ method: "DELETE", path: `/v1/sessions/${others[0].id}`, by: "person" }}
                undeclared={undeclared}
              />
            )}
            {others.length === 0 && <Text c="dimmed">You are logged in nowhere else.</Text>}
          </Stack>
        )}
      </Loaded>
    </Page>
  );
}

const icons = { computer: IconDeviceLaptop, phone: IconDeviceMobile, program: IconTerminal2 };

function Session({ session, busy, end }: { session: SessionResource; busy: boolean; end: () => void }) {
  const { name, kind } = device(session.user_agent);
  const Icon = icons[kind];
  return (
    <Card withBorder padding="md" component="article" aria-label={name}>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Group wrap="nowrap" align="flex-start">
          <Icon size={24} stroke={1.5} />
          <div>
            <Group gap="xs">
              <Text fw={600} title={session.user_agent}>
                {name}
              </Text>
              {session.current && (
                <Badge color="teal" variant="light">
                  This one
                </Badge>
              )}
            </Group>
            <Text size="sm" c="dimmed">
              {session.address ? `From ${session.address}, used` : "Used"} <Ago at={session.last_used_at} />
            </Text>
            <Text size="sm" c="dimmed">
              Begun {moment(session.created_at)}, ends {moment(session.expires_at)} at the latest
            </Text>
          </div>
        </Group>
        {!session.current && (
          <Button
            variant="default"
            size="xs"
            style={{ flexShrink: 0 }}
            onClick={end}
            disabled={busy}
            aria-label={`End the session of ${name}, begun ${moment(session.created_at)}`}
          >
            End
          </Button>
        )}
      </Group>
    </Card>
  );
}
