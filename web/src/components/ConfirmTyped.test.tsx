import { MantineProvider } from "@mantine/core";
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import type { Code } from "./AsCode";
import { ConfirmTyped } from "./ConfirmTyped";

beforeAll(() => {
  // What Mantine asks of a browser, and happy-dom lacks.
  window.matchMedia ??= (query) => ({ matches: false, media: query }) as MediaQueryList;
});
afterEach(cleanup);

function asked(code: Code) {
  const confirmed = vi.fn(async () => undefined);
  render(
    <MantineProvider env="test">
      <ConfirmTyped
        opened
        onClose={() => undefined}
        title="Delete topic"
        word="orders"
        action="Delete"
        code={code}
        onConfirm={confirmed}
      >
        It goes.
      </ConfirmTyped>
    </MantineProvider>,
  );
  return confirmed;
}

it("shows a deletion as the request, and as what Terraform takes in place of the resource", () => {
  asked({
    request: { method: "DELETE", path: "/v1/clusters/c/topics/orders" },
    removed: { type: "firn_topic", name: "orders" },
  });
  fireEvent.click(screen.getByRole("button", { name: "As curl and Terraform" }));
  expect(screen.getByLabelText("curl command").textContent).toContain("curl -X DELETE");
  fireEvent.click(screen.getByRole("tab", { name: "Terraform", hidden: true }));
  expect(screen.getByRole("region", { name: "Terraform", hidden: true }).textContent).toContain(
    "from = firn_topic.orders",
  );
});

it("says why there is nothing to declare", () => {
  asked({ request: { method: "POST", path: "/v1/x" }, undeclared: "It is an action." });
  fireEvent.click(screen.getByRole("button", { name: "As curl and Terraform" }));
  fireEvent.click(screen.getByRole("tab", { name: "Terraform", hidden: true }));
  expect(screen.getByText("It is an action.")).toBeTruthy();
});

it("does it only for who has typed the word", async () => {
  const confirmed = asked({ request: { method: "POST", path: "/v1/x" }, undeclared: "It is an action." });
  const field = screen.getByRole("textbox");
  const go = screen.getByRole<HTMLButtonElement>("button", { name: "Delete" });
  fireEvent.change(field, { target: { value: "order" } });
  expect(go.disabled).toBe(true);
  fireEvent.change(field, { target: { value: "orders" } });
  fireEvent.click(go);
  await waitFor(() => expect(confirmed).toHaveBeenCalledOnce());
});
