import { Checkbox, Group, Radio, SegmentedControl, Select, SimpleGrid, Stack, Text } from "@mantine/core";
import type { Grant, What } from "./grant";
import { produces } from "./grant";
import { operationsOf, resourceTypes, spoken } from "./words";

interface Props {
  grant: Grant;
  onChange: (changed: Partial<Grant>) => void;
}

const choices: { value: What; label: string; about: string }[] = [
  { value: "produce", label: "Produce", about: "Write records to topics" },
  { value: "consume", label: "Consume", about: "Read topics, in a group" },
  { value: "both", label: "Both", about: "Read and write, in a group" },
  { value: "full", label: "Full control", about: "Everything with topics and groups, deleting too" },
  { value: "single", label: "A single ACL", about: "One operation, allowed or denied" },
];

/** What it is about: a job, or one operation. */
export function WhatField({ grant, onChange }: Props) {
  return (
    <Stack gap="sm">
      <Radio.Group
        aria-label="What"
        value={grant.what}
        onChange={(what) => onChange({ what: what as What, permission: "allow" })}
      >
        <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} spacing="xs">
          {choices.map(({ value, label, about }) => (
            <Radio.Card key={value} value={value} p="sm" radius="md" aria-label={label}>
              <Group wrap="nowrap" align="flex-start" gap="sm">
                <Radio.Indicator />
                <div>
                  <Text size="sm" fw={600}>
                    {label}
                  </Text>
                  <Text size="xs" c="dimmed">
                    {about}
                  </Text>
                </div>
              </Group>
            </Radio.Card>
          ))}
        </SimpleGrid>
      </Radio.Group>
      {produces(grant.what) && (
        <Checkbox
          label="It may also create these topics, if they are not there yet"
          checked={grant.create}
          onChange={({ currentTarget }) => onChange({ create: currentTarget.checked })}
        />
      )}
      {grant.what === "single" && <Single grant={grant} onChange={onChange} />}
    </Stack>
  );
}

function Single({ grant, onChange }: Props) {
  const operations = ["all", ...operationsOf(grant.resourceType)];
  return (
    <Group align="flex-end">
      <SegmentedControl<"allow" | "deny">
        aria-label="Allow or deny"
        data={[
          { value: "allow", label: "Allow" },
          { value: "deny", label: "Deny" },
        ]}
        value={grant.permission}
        onChange={(permission) => onChange({ permission })}
      />
      <Select
        label="Kind of resource"
        data={resourceTypes}
        value={grant.resourceType}
        onChange={(chosen) => {
          const resourceType = chosen ?? "topic";
          const known = operationsOf(resourceType).includes(grant.operation);
          onChange({ resourceType, operation: known ? grant.operation : "all" });
        }}
        allowDeselect={false}
        w={180}
      />
      <Select
        label="Operation"
        data={operations.map((value) => ({ value, label: value === "all" ? "everything" : spoken(value) }))}
        value={grant.operation}
        onChange={(operation) => onChange({ operation: operation ?? "all" })}
        allowDeselect={false}
        w={180}
      />
    </Group>
  );
}
