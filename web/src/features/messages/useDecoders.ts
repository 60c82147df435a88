/** How keys and values of a topic are read: chosen by whoever looks, kept in the browser for each topic. */
import { useLocalStorage } from "@mantine/hooks";
import { useEffect, useState } from "react";
import type { At } from "./api";
import {
  type Decoded,
  type Decoder,
  type Format,
  formats,
  loadDecoder,
  noSchemas,
  plain,
  type Schemas,
} from "./decoders";
import { hexDump } from "./decoders/bytes";

export interface Reading {
  key: Format;
  value: Format;
  schemas: Schemas;
}

const usual: Reading = { key: "auto", value: "auto", schemas: noSchemas };

/** What was kept; what makes no sense is as usual. */
function restored(kept: Partial<Reading> | undefined): Reading {
  const format = (word: unknown): Format => formats.find((known) => known === word) ?? "auto";
  const text = (word: unknown) => (typeof word === "string" ? word : "");
  const { avro, proto, message } = kept?.schemas ?? noSchemas;
  return {
    key: format(kept?.key),
    value: format(kept?.value),
    schemas: { avro: text(avro), proto: text(proto), message: text(message) },
  };
}

/** Until the real one is there. */
const meanwhile: Decoder = (bytes): Decoded => plain(bytes) ?? { format: "hex", text: hexDump(bytes, 256) };

function useDecoder(format: Format, schemas: Schemas): { decode: Decoder; fault: string | undefined } {
  const [decode, keep] = useState<{ decode: Decoder }>({ decode: meanwhile });
  const [fault, setFault] = useState<string>();
  useEffect(() => {
    let current = true;
    loadDecoder(format, schemas).then(
      (loaded) => {
        if (!current) return;
        keep({ decode: loaded });
        setFault(undefined);
      },
      (error: unknown) => {
        if (current) setFault(error instanceof Error ? error.message : String(error));
      },
    );
    return () => {
      current = false;
    };
  }, [format, schemas]);
  return { decode: decode.decode, fault };
}

export function useDecoders({ cluster, topic }: At) {
  const [kept, keep] = useLocalStorage<Reading>({
    key: `firn.messages.${cluster}.${topic}`,
    defaultValue: usual,
    getInitialValueInEffect: false,
    deserialize: (text) => restored(JSON.parse(text ?? "{}") as Partial<Reading>),
  });
  const key = useDecoder(kept.key, kept.schemas);
  const value = useDecoder(kept.value, kept.schemas);
  return { reading: kept, keep, decoders: { key: key.decode, value: value.decode }, fault: key.fault ?? value.fault };
}
