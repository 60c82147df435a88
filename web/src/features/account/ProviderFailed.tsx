import { Alert, Anchor, Code, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";

/** What each code means to somebody who comes back from a provider. The address tells no more than the code: it may be anybody's link. */
const reasons: Record<string, string> = {
  login_provider_failed:
    "The login provider did not log you in, or the login took too long. Try again; if it fails again, ask your administrator.",
  already_exists:
    "Your address has an account here that is not linked to this login provider. Log in with your password, and link it in your profile.",
  protected:
    "The login provider knows you, but your organization has not invited this address, or the account is linked to somebody else.",
  gone: "The login that asked for the link has ended. Log in, and link the provider again.",
  not_found: "The login provider is not there any more. Ask your administrator for the current link.",
  rate_limited: "There were too many attempts from your address. Wait a minute, then try again.",
};

interface Props {
  /** The problem's code, if there was one. */
  failed: string | undefined;
  request: string | undefined;
  provider: string | undefined;
  title?: string;
}

/** Why a login through a provider came to nothing. */
export function ProviderFailed({ failed, request, provider, title = "You are not logged in" }: Props) {
  if (!failed) return null;
  return (
    <Alert color="red" icon={<IconAlertTriangle size={18} />} title={title} role="alert">
      <Text size="sm">{reasons[failed] ?? "The login through the provider failed. Try again."}</Text>
      {failed === "already_exists" && provider && (
        <Anchor
          size="sm"
          renderRoot={(props) => <Link to="/login" search={{ return_to: `/profile?link=${provider}` }} {...props} />}
        >
          Link it after logging in
        </Anchor>
      )}
      {request && (
        <Text size="xs" c="dimmed" mt="xs">
          Request <Code>{request}</Code>
        </Text>
      )}
    </Alert>
  );
}
