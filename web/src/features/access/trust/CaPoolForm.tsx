import { Alert, Button, Group, Select, Stack, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { api, got, gotWithVersion } from "@/api/client";
import { AsCode } from "@/components/AsCode";
import { expression, type Request } from "@/components/code";
import { Loaded } from "@/components/Loaded";
import { ProblemAlert } from "@/components/ProblemAlert";
import { Dialog } from "../parts";
import { faultAt, useChange } from "../saving";
import { MappingTester } from "./MappingTester";
import { PemField } from "./PemField";
import { blocks, hasPrivateKey } from "./pem";

interface Props {
  cluster: string;
  /** The pool that is edited; null: a new one; undefined: nothing is asked. */
  edited: string | null | undefined;
  onClose: () => void;
}

/** Adds authorities, or changes those there are. */
export function CaPoolForm({ cluster, edited, onClose }: Props) {
  return (
    <Dialog opened={edited !== undefined} onClose={onClose} title={edited ? "Edit CA pool" : "Add CA pool"} size="xl">
      {edited && <Edit cluster={cluster} pool={edited} onClose={onClose} />}
      {edited === null && <Form cluster={cluster} start={empty} onClose={onClose} />}
    </Dialog>
  );
}

interface Values {
  name: string;
  certificates: string;
  revocation_lists: string;
  source: string;
  rules: string;
}

const empty: Values = { name: "", certificates: "", revocation_lists: "", source: "subject", rules: "DEFAULT" };

/** Reads the pool with its version, so that nobody else's change is overwritten. */
function Edit({ cluster, pool, onClose }: { cluster: string; pool: string; onClose: () => void }) {
  const query = useQuery({
    queryKey: ["ca-pools", cluster, "one", pool],
    queryFn: () =>
      gotWithVersion(
        api.GET("/v1/clusters/{cluster}/ca-pools/{ca_pool}", { params: { path: { cluster, ca_pool: pool } } }),
      ),
    gcTime: 0,
  });
  return (
    <Loaded query={query}>
      {({ value, etag }) => (
        <Form
          cluster={cluster}
          edited={{ id: pool, etag }}
          start={{
            name: value.name,
            certificates: value.certificates.map(({ pem }) => pem.trim()).join("\n"),
            revocation_lists: value.revocation_lists.map(({ pem }) => pem.trim()).join("\n"),
            source: value.mapping.source,
            rules: value.mapping.rules,
          }}
          onClose={onClose}
        />
      )}
    </Loaded>
  );
}

const sources = [
  { value: "subject", label: "Subject, as RFC 2253 writes it", example: "CN=payments,OU=Teams,O=Example" },
  { value: "san_dns", label: "First DNS name", example: "payments.example.com" },
  { value: "san_email", label: "First email address", example: "payments@example.com" },
  { value: "san_uri", label: "First URI (SPIFFE)", example: "spiffe://example.com/payments" },
];

function bodyOf({ name, certificates, revocation_lists, source, rules }: Values) {
  return {
    name: name.trim(),
    certificates: blocks(certificates, "CERTIFICATE"),
    revocation_lists: blocks(revocation_lists, "X509 CRL"),
    mapping: { source, rules: rules.trim() },
  };
}

interface FormProps {
  cluster: string;
  start: Values;
  edited?: { id: string; etag: string };
  onClose: () => void;
}

function useSave({ cluster, edited, onClose }: FormProps) {
  return useChange({
    send: async (body: ReturnType<typeof bodyOf>) => {
      if (!edited)
        return void (await got(api.POST("/v1/clusters/{cluster}/ca-pools", { params: { path: { cluster } }, body })));
      const params = { path: { cluster, ca_pool: edited.id }, header: { "If-Match": edited.etag } };
      await got(api.PATCH("/v1/clusters/{cluster}/ca-pools/{ca_pool}", { params, body }));
    },
    touches: [["ca-pools", cluster]],
    said: edited ? "The CA pool is changed" : "The CA pool is in force",
    onDone: onClose,
  });
}

function Form(props: FormProps) {
  const { cluster, start, edited } = props;
  const form = useForm<Values>({ initialValues: start });
  const body = bodyOf(form.values);
  const save = useSave(props);
  const found = { certificates: body.certificates.length, lists: body.revocation_lists.length };
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(bodyOf(values)))}>
      <Stack>
        <TextInput
          label="Name"
          required
          maxLength={100}
          data-autofocus
          {...form.getInputProps("name")}
          error={faultAt(save.error, "/name")}
        />
        <PemField
          label="Authorities"
          description="Certificates of authorities in PEM, up to 10. Old and new ones stand side by side"
          required
          found={found.certificates === 1 ? "1 certificate" : `${found.certificates} certificates`}
          value={form.values.certificates}
          onChange={(text) => form.setFieldValue("certificates", text)}
          error={faultAt(save.error, "/certificates")}
        />
        {hasPrivateKey(form.values.certificates) && (
          <Alert color="red" title="There is a private key in it">
            It is not sent: only certificates are. Keep the key where it belongs, and make another one if it was shown
            to anybody.
          </Alert>
        )}
        <PemField
          label="Revocation lists"
          description="CRLs in PEM, signed by these authorities; none: nothing is revoked"
          found={found.lists === 1 ? "1 list" : `${found.lists} lists`}
          value={form.values.revocation_lists}
          onChange={(text) => form.setFieldValue("revocation_lists", text)}
          error={faultAt(save.error, "/revocation_lists")}
        />
        <Mapping form={form} error={save.error} />
        {save.error && <ProblemAlert error={save.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={save.isPending} disabled={found.certificates === 0}>
            {edited ? "Save" : "Add CA pool"}
          </Button>
        </Group>
        <AsCode
          request={request(cluster, edited?.id, body)}
          resource={{
            type: "firn_ca_pool",
            name: body.name,
            attributes: {
              cluster,
              name: body.name,
              certificates: body.certificates.map((_, at) => expression(`file("ca-${at + 1}.pem")`)),
              revocation_lists:
                found.lists > 0
                  ? body.revocation_lists.map((_, at) => expression(`file("revoked-${at + 1}.pem")`))
                  : undefined,
              mapping: body.mapping,
            },
          }}
        />
      </Stack>
    </form>
  );
}

function request(cluster: string, id: string | undefined, body: unknown): Request {
  const path = `/v1/clusters/${cluster}/ca-pools`;
  return id ? { method: "PATCH", path: `${path}/${id}`, body } : { method: "POST", path, body };
}

interface MappingProps {
  form: ReturnType<typeof useForm<Values>>;
  error: unknown;
}

function Mapping({ form, error }: MappingProps) {
  const source = sources.find(({ value }) => value === form.values.source);
  return (
    <>
      <Select
        label="The name comes from"
        data={sources}
        allowDeselect={false}
        {...form.getInputProps("source")}
        error={faultAt(error, "/mapping/source")}
      />
      <Textarea
        label="Mapping rules"
        description="DEFAULT, or RULE:pattern/replacement/ with L or U for lower or upper case; the first that matches counts"
        required
        autosize
        minRows={1}
        maxRows={6}
        maxLength={4_096}
        spellCheck={false}
        classNames={{ input: "mono" }}
        {...form.getInputProps("rules")}
        error={faultAt(error, "/mapping/rules")}
      />
      <MappingTester
        key={source?.value}
        rules={form.values.rules}
        of={source?.label ?? ""}
        example={source?.example ?? ""}
      />
    </>
  );
}
