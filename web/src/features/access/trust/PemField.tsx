import { Button, FileButton, Group, Text, Textarea } from "@mantine/core";
import { IconUpload } from "@tabler/icons-react";

interface Props {
  label: string;
  description: string;
  value: string;
  onChange: (text: string) => void;
  /** How many there are in the text, as people say it. */
  found: string;
  required?: boolean;
  error?: string | undefined;
}

/** PEM, pasted or from files. */
export function PemField({ label, description, value, onChange, found, required = false, error }: Props) {
  const add = async (files: File[]) => {
    const texts = await Promise.all(files.map((file) => file.text()));
    onChange([value.trim(), ...texts.map((text) => text.trim())].filter(Boolean).join("\n"));
  };
  return (
    <div>
      <Textarea
        label={label}
        description={description}
        placeholder="-----BEGIN …"
        autosize
        minRows={4}
        maxRows={10}
        required={required}
        value={value}
        onChange={({ currentTarget }) => onChange(currentTarget.value)}
        spellCheck={false}
        classNames={{ input: "mono" }}
        error={error}
      />
      <Group gap="sm" mt={6}>
        <FileButton onChange={add} accept=".pem,.crt,.cer,.crl,application/x-pem-file" multiple>
          {(props) => (
            <Button {...props} size="compact-sm" variant="default" leftSection={<IconUpload size={14} />}>
              From files
            </Button>
          )}
        </FileButton>
        <Text size="sm" c="dimmed" role="status">
          {found}
        </Text>
      </Group>
    </div>
  );
}
