import { Autocomplete } from "@mantine/core";
import type { ServiceAccount } from "../api";

interface Props {
  accounts: readonly ServiceAccount[];
  value: string;
  onChange: (principal: string) => void;
  error?: string | undefined;
}

/** Somebody: a service account that is chosen by its name, or `User:` and any other name. */
export function PrincipalField({ accounts, value, onChange, error }: Props) {
  const account = accounts.find(({ id }) => value === `User:${id}`);
  const byName = new Map(accounts.map(({ id, name }) => [name, `User:${id}`]));
  return (
    <Autocomplete
      label="Who"
      description={account ? value : "A service account by its name, or User: and another name"}
      required
      data={[...byName.keys()]}
      value={account?.name ?? value}
      onChange={(text) => onChange(byName.get(text) ?? text)}
      autoComplete="off"
      spellCheck={false}
      maxLength={1029}
      error={error}
    />
  );
}
