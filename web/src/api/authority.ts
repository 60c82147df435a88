/** The authority that clients of Kafka must trust, where the service has one of its own. */
import { queryOptions } from "@tanstack/react-query";
import { api, got } from "./client";

/** The certificate of the authority that signs the brokers' certificates; null where clients know it anyway. */
export const authorityQuery = queryOptions({
  queryKey: ["certificate-authority"],
  queryFn: async ({ signal }): Promise<string | null> => {
    const asked = await api.GET("/v1/certificate-authority", { parseAs: "text", signal });
    return asked.response.status === 404 ? null : got(Promise.resolve(asked));
  },
  staleTime: Number.POSITIVE_INFINITY,
});
