import type { UseFormReturnType } from "@mantine/form";
import { useState } from "react";
import { asProblem } from "@/api/problem";

/** A JSON pointer as the form's own path: `/networks/0` as `networks.0`. */
function field(pointer: string): string {
  return pointer.replace(/^\//, "").replaceAll("/", ".");
}

/**
 * Sends a form. What the API finds wrong stands at its field; the whole problem, with its request id, is `error`, for a `<ProblemAlert>`.
 */
export function useSubmit<Values extends Record<string, unknown>>(
  form: UseFormReturnType<Values>,
  send: (values: Values) => Promise<unknown>,
) {
  const [error, setError] = useState<unknown>();
  const submit = form.onSubmit(async (values) => {
    setError(undefined);
    try {
      await send(values);
    } catch (thrown) {
      const { faults } = asProblem(thrown);
      form.setErrors(Object.fromEntries(faults.map(({ pointer, detail }) => [field(pointer), detail])));
      setError(thrown);
    }
  });
  return { submit, error };
}
