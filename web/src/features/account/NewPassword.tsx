import { PasswordInput, type PasswordInputProps } from "@mantine/core";

/** Where somebody chooses a password. What makes one good is the service's to judge. */
export function NewPassword(props: Omit<PasswordInputProps, "type">) {
  return (
    <PasswordInput
      label="Password"
      description="At least 10 characters, and not one that others would guess."
      autoComplete="new-password"
      minLength={10}
      maxLength={200}
      required
      aria-invalid={props.error ? true : undefined}
      visibilityToggleButtonProps={{ "aria-label": "Show or hide what is typed" }}
      {...props}
    />
  );
}
