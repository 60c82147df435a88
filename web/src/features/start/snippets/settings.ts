/** What every snippet is filled in with. */

export interface Connection {
  bootstrap: string;
  username: string;
  password: string;
  topic: string;
  /** Where the certificate of this service's own authority is; null: its certificates come from one that every system knows. */
  authority: string | null;
}

/** One block of a snippet: what to type, or what to put into a file. */
export interface Block {
  /** What to do with it: "Put this into produce.py". */
  title: string;
  /** The file that it belongs into; absent: it is for a shell. */
  file?: string;
  code: string;
}

export interface Snippet {
  id: string;
  /** As the language and its client call themselves. */
  name: string;
  setup: Block[];
  produce: Block[];
  consume: Block[];
}

/** The file that the certificate is stored in. */
export const caFile = "firn-ca.pem";

/** Fetches the certificate of this service's authority, where it has one of its own. */
export function authorityLines({ authority }: Connection): string[] {
  return authority ? [`curl -fsS -o ${caFile} ${authority}`] : [];
}

/** The first message. */
export const greeting = "Hello, Firn!";
