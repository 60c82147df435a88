import { ago, moment } from "./format";

/** How long ago something was; when exactly is its title. */
export function Ago({ at }: { at: string | null | undefined }) {
  return at ? (
    <time dateTime={at} title={moment(at)}>
      {ago(at)}
    </time>
  ) : (
    ago(at)
  );
}
