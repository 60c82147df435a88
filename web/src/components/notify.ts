/** What is said at the edge of the page: that something is done, or why it is not. */
import { notifications } from "@mantine/notifications";
import { asProblem } from "@/api/problem";

export function done(message: string): void {
  notifications.show({ color: "teal", message, autoClose: 4_000 });
}

/** Says what went wrong, with the request's id, and stays until it is read. */
export function complain(error: unknown): void {
  const problem = asProblem(error);
  const id = problem.requestId ? ` (request ${problem.requestId})` : "";
  notifications.show({ color: "red", title: problem.title, message: `${problem.message}${id}`, autoClose: false });
}
