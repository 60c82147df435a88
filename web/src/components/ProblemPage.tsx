import { Container } from "@mantine/core";
import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { ProblemAlert } from "./ProblemAlert";

/** A whole page that could not be shown. */
export function ProblemPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const retry = () => {
    reset();
    void router.invalidate();
  };
  return (
    <Container component="main" size="sm" py="xl">
      <h1>This page could not be shown</h1>
      <ProblemAlert error={error} retry={retry} />
    </Container>
  );
}
