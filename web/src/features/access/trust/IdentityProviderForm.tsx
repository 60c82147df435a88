import { Button, Group, NumberInput, Stack, TagsInput, Textarea, TextInput } from "@mantine/core";
import { type UseFormReturnType, useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { api, got, gotWithVersion } from "@/api/client";
import { AsCode } from "@/components/AsCode";
import type { Request } from "@/components/code";
import { Loaded } from "@/components/Loaded";
import { ProblemAlert } from "@/components/ProblemAlert";
import { Dialog } from "../parts";
import { faultAt, useChange } from "../saving";
import { MappingTester } from "./MappingTester";

interface Props {
  cluster: string;
  /** The provider that is edited; null: a new one; undefined: nothing is asked. */
  edited: string | null | undefined;
  onClose: () => void;
}

/** Trusts an issuer, or changes how. */
export function IdentityProviderForm({ cluster, edited, onClose }: Props) {
  return (
    <Dialog
      opened={edited !== undefined}
      onClose={onClose}
      title={edited ? "Edit identity provider" : "Add identity provider"}
    >
      {edited && <Edit cluster={cluster} provider={edited} onClose={onClose} />}
      {edited === null && <Form cluster={cluster} start={empty} onClose={onClose} />}
    </Dialog>
  );
}

interface Values {
  name: string;
  issuer: string;
  jwks_url: string;
  audiences: string[];
  principal_claim: string;
  mapping_rules: string;
  clock_skew_seconds: number;
}

const empty: Values = {
  name: "",
  issuer: "",
  jwks_url: "",
  audiences: [],
  principal_claim: "sub",
  mapping_rules: "DEFAULT",
  clock_skew_seconds: 30,
};

/** Reads the provider with its version, so that nobody else's change is overwritten. */
function Edit({ cluster, provider, onClose }: { cluster: string; provider: string; onClose: () => void }) {
  const query = useQuery({
    queryKey: ["identity-providers", cluster, "one", provider],
    queryFn: () => {
      const params = { path: { cluster, identity_provider: provider } };
      return gotWithVersion(api.GET("/v1/clusters/{cluster}/identity-providers/{identity_provider}", { params }));
    },
    gcTime: 0,
  });
  return (
    <Loaded query={query}>
      {({ value, etag }) => (
        <Form
          cluster={cluster}
          edited={{ id: provider, etag }}
          start={{ ...value, jwks_url: value.jwks_url ?? "" }}
          onClose={onClose}
        />
      )}
    </Loaded>
  );
}

interface FormProps {
  cluster: string;
  start: Values;
  edited?: { id: string; etag: string };
  onClose: () => void;
}

function bodyOf(values: Values) {
  const { name, issuer, jwks_url, audiences, principal_claim, mapping_rules, clock_skew_seconds } = values;
  return {
    name: name.trim(),
    issuer: issuer.trim(),
    ...(jwks_url.trim() ? { jwks_url: jwks_url.trim() } : {}),
    audiences,
    principal_claim,
    mapping_rules: mapping_rules.trim(),
    clock_skew_seconds,
  };
}

function useSave({ cluster, edited, onClose }: FormProps) {
  return useChange({
    send: async (body: ReturnType<typeof bodyOf>) => {
      if (!edited) {
        const params = { path: { cluster } };
        await got(api.POST("/v1/clusters/{cluster}/identity-providers", { params, body }));
        return;
      }
      const params = { path: { cluster, identity_provider: edited.id }, header: { "If-Match": edited.etag } };
      // A change takes null to mean that the metadata says it again.
      const change = { ...body, jwks_url: body.jwks_url ?? null };
      await got(api.PATCH("/v1/clusters/{cluster}/identity-providers/{identity_provider}", { params, body: change }));
    },
    touches: [["identity-providers", cluster]],
    said: edited ? "The identity provider is changed" : "The identity provider is trusted",
    onDone: onClose,
  });
}

function Form(props: FormProps) {
  const { cluster, start, edited } = props;
  const { name, issuer, jwks_url, audiences, principal_claim, mapping_rules, clock_skew_seconds } = start;
  const form = useForm<Values>({
    initialValues: { name, issuer, jwks_url, audiences, principal_claim, mapping_rules, clock_skew_seconds },
  });
  const save = useSave(props);
  const body = bodyOf(form.values);
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(bodyOf(values)))}>
      <Stack>
        <IssuerFields form={form} error={save.error} />
        <ClaimFields form={form} error={save.error} />
        {save.error && <ProblemAlert error={save.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={save.isPending}>
            {edited ? "Save" : "Add identity provider"}
          </Button>
        </Group>
        <AsCode
          request={request(cluster, edited?.id, body)}
          resource={{ type: "firn_identity_provider", name: body.name, attributes: { cluster, ...body } }}
        />
      </Stack>
    </form>
  );
}

function request(cluster: string, id: string | undefined, body: unknown): Request {
  const path = `/v1/clusters/${cluster}/identity-providers`;
  return id ? { method: "PATCH", path: `${path}/${id}`, body } : { method: "POST", path, body };
}

interface FieldsProps {
  form: UseFormReturnType<Values>;
  error: unknown;
}

function IssuerFields({ form, error }: FieldsProps) {
  return (
    <>
      <TextInput
        label="Name"
        required
        maxLength={100}
        data-autofocus
        {...form.getInputProps("name")}
        error={faultAt(error, "/name")}
      />
      <TextInput
        label="Issuer"
        description="The iss of its tokens, exactly. Its keys are read once before it is added"
        placeholder="https://login.example.com/realms/main"
        required
        maxLength={500}
        spellCheck={false}
        {...form.getInputProps("issuer")}
        error={faultAt(error, "/issuer")}
      />
      <TextInput
        label="URL of its keys (JWKS)"
        description="Left empty: where its metadata says"
        maxLength={500}
        spellCheck={false}
        {...form.getInputProps("jwks_url")}
        error={faultAt(error, "/jwks_url")}
      />
      <TagsInput
        label="Audiences"
        description="Of these a token's aud must contain one. Press Enter after each"
        required
        maxTags={10}
        acceptValueOnBlur
        {...form.getInputProps("audiences")}
        error={faultAt(error, "/audiences")}
      />
    </>
  );
}

function ClaimFields({ form, error }: FieldsProps) {
  return (
    <>
      <Group grow align="flex-start" preventGrowOverflow={false}>
        <TextInput
          label="Claim that names the client"
          required
          maxLength={100}
          spellCheck={false}
          {...form.getInputProps("principal_claim")}
          error={faultAt(error, "/principal_claim")}
        />
        <NumberInput
          label="Clock skew"
          suffix=" s"
          min={0}
          max={300}
          {...form.getInputProps("clock_skew_seconds")}
          error={faultAt(error, "/clock_skew_seconds")}
        />
      </Group>
      <Textarea
        label="Mapping rules"
        description="How the claim becomes the name: DEFAULT, or RULE:pattern/replacement/"
        required
        autosize
        minRows={1}
        maxRows={6}
        maxLength={4_096}
        spellCheck={false}
        classNames={{ input: "mono" }}
        {...form.getInputProps("mapping_rules")}
        error={faultAt(error, "/mapping_rules")}
      />
      <MappingTester
        rules={form.values.mapping_rules}
        of={`the claim ${form.values.principal_claim}`}
        example="payments@clients"
      />
    </>
  );
}
