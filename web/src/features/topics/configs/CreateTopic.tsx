import { Alert, Button, Fieldset, Group, Modal, NumberInput, Stack, Text, TextInput } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { asProblem, type Problem } from "@/api/problem";
import { AsCode } from "@/components/AsCode";
import { Loaded } from "@/components/Loaded";
import { done } from "@/components/notify";
import { ProblemAlert } from "@/components/ProblemAlert";
import { type ConfigKey, catalogueQuery, createTopic, type NewTopic, rehearseTopic } from "../api";
import { ConfigFields, type Values } from "./ConfigFields";
import { useRehearsal } from "./useRehearsal";
import { wrong, wrongName, wrongPartitions } from "./value";

interface Props {
  cluster: string;
  opened: boolean;
  onClose: () => void;
}

/** Makes a topic. What the service would refuse is said while one types. */
export function CreateTopic({ cluster, opened, onClose }: Props) {
  const catalogue = useQuery(catalogueQuery);
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Create topic"
      size="xl"
      closeButtonProps={{ "aria-label": "Close" }}
      closeOnClickOutside={false}
    >
      <Loaded query={catalogue}>{(keys) => <Form cluster={cluster} catalogue={keys} onClose={onClose} />}</Loaded>
    </Modal>
  );
}

/** The configs that a topic most often has of its own: they stand in the form from the start. */
const usual = ["cleanup.policy", "retention.ms"];

function begin(catalogue: readonly ConfigKey[]): Values {
  const found = catalogue.filter(({ name }) => usual.includes(name));
  return Object.fromEntries(found.map((config) => [config.name, config.default ?? ""]));
}

/** Only what differs from what is usual is sent: the rest goes on following the cluster. */
function body(name: string, partitions: number | string, values: Values, catalogue: readonly ConfigKey[]): NewTopic {
  const own = catalogue.filter(
    ({ name, default: usually }) => values[name] !== undefined && !(usual.includes(name) && values[name] === usually),
  );
  const configs = Object.fromEntries(own.map((config) => [config.name, (values[config.name] ?? "").trim()]));
  return {
    name,
    ...(typeof partitions === "number" ? { partitions } : {}),
    ...(own.length > 0 ? { configs } : {}),
  };
}

function useForm(cluster: string, catalogue: readonly ConfigKey[]) {
  const [name, setName] = useState("");
  const [partitions, setPartitions] = useState<number | string>(1);
  const [values, setValues] = useState<Values>(() => begin(catalogue));
  const [refused, setRefused] = useState<Problem>();
  const wrongConfig = catalogue.some((key) => values[key.name] !== undefined && wrong(key, values[key.name] ?? ""));
  const sound = !wrongName(name) && !wrongPartitions(partitions) && !wrongConfig;
  const request = body(name, partitions, values, catalogue);
  const rehearsal = useRehearsal({
    key: ["topic", cluster],
    body: sound ? request : undefined,
    send: (signal) => rehearseTopic(cluster, request, signal),
  });
  const problem = rehearsal.problem ?? refused;
  return {
    ...{ name, setName, partitions, setPartitions, values, setValues, setRefused },
    ...{ sound, request, problem, accepted: rehearsal.accepted },
  };
}

function Form({
  cluster,
  catalogue,
  onClose,
}: {
  cluster: string;
  catalogue: readonly ConfigKey[];
  onClose: () => void;
}) {
  const form = useForm(cluster, catalogue);
  const { name, partitions, request, problem, setRefused } = form;
  const [busy, setBusy] = useState(false);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!form.sound) return;
    setBusy(true);
    setRefused(undefined);
    try {
      await createTopic(cluster, request);
      await queries.invalidateQueries({ queryKey: ["topics", cluster] });
      done(`Topic ${name} is there.`);
      await navigate({ to: "/clusters/$cluster/topics/$topic", params: { cluster, topic: name } });
    } catch (thrown) {
      setRefused(asProblem(thrown));
      setBusy(false);
    }
  };
  const nameFault = problem?.fault("/name");
  const elsewhere = problem && problem.faults.length === 0;
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <TextInput
          label="Name"
          description="Letters, digits, . _ and -. It cannot be changed later."
          value={name}
          onChange={(event) => form.setName(event.currentTarget.value)}
          error={name === "" ? undefined : (wrongName(name) ?? nameFault)}
          required
          spellCheck={false}
          autoComplete="off"
          data-autofocus
        />
        <NumberInput
          label="Partitions"
          description="In how many parts it is read at the same time. More can be added later, never fewer."
          value={partitions}
          onChange={form.setPartitions}
          min={1}
          max={100_000}
          clampBehavior="none"
          allowDecimal={false}
          error={wrongPartitions(partitions) ?? problem?.fault("/partitions")}
          required
        />
        <Fieldset legend="Configuration">
          <ConfigFields
            catalogue={catalogue}
            values={form.values}
            onChange={form.setValues}
            initial={(config) => config.default ?? ""}
            fault={(config) => problem?.fault(`/configs/${config}`)}
          />
        </Fieldset>
        <Verdict accepted={form.accepted} problem={elsewhere ? problem : undefined} />
        <AsCode
          request={{ method: "POST", path: `/v1/clusters/${cluster}/topics`, body: request }}
          resource={{ type: "firn_topic", name: name || "topic", attributes: { cluster, ...request } }}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={!form.sound} loading={busy}>
            Create topic
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** What the service would say. */
export function Verdict({ accepted, problem }: { accepted: boolean; problem: Problem | undefined }) {
  if (problem) return <ProblemAlert error={problem} />;
  return (
    <div aria-live="polite">
      {accepted && (
        <Alert color="teal" variant="light" icon={<IconCheck size={16} />} py="xs">
          <Text size="sm">Checked: the service would take this.</Text>
        </Alert>
      )}
    </div>
  );
}
