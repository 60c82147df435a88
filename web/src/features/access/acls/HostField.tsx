import { TextInput } from "@mantine/core";

interface Props {
  value: string;
  onChange: (host: string) => void;
}

/** From where an ACL holds. */
export function HostField({ value, onChange }: Props) {
  return (
    <TextInput
      label="From where"
      description="One IP address, IPv4 or IPv6. Left empty: from anywhere"
      placeholder="anywhere"
      value={value}
      onChange={({ currentTarget }) => onChange(currentTarget.value)}
      maxLength={45}
      autoComplete="off"
      spellCheck={false}
    />
  );
}
