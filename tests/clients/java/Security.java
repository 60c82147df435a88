import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/** How to connect, as the FIRN_TEST_* variables want it. tests/clients/README.md describes them. */
final class Security {
    private Security() {}

    /** The settings of a client, and how it connects. */
    static Map<String, Object> with(Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(settings);
        String protocol = System.getenv().getOrDefault("FIRN_TEST_SECURITY", "plaintext").toUpperCase(Locale.ROOT);
        all.put("security.protocol", protocol);
        if (protocol.endsWith("SSL")) {
            all.put("ssl.truststore.type", "PEM");
            all.put("ssl.truststore.location", System.getenv("FIRN_TEST_CA_FILE"));
            String keystore = System.getenv("FIRN_TEST_KEYSTORE");
            if (keystore != null) {
                all.put("ssl.keystore.type", "PEM");
                all.put("ssl.keystore.location", keystore);
            }
        }
        if (protocol.startsWith("SASL")) {
            String mechanism = System.getenv("FIRN_TEST_MECHANISM");
            all.put("sasl.mechanism", mechanism);
            all.put("sasl.jaas.config", login(mechanism));
            if (mechanism.equals("OAUTHBEARER")) {
                all.putAll(tokens());
            }
            if (mechanism.equals("GSSAPI")) {
                all.put("sasl.kerberos.service.name", "kafka");
            }
        }
        return all;
    }

    /** Where tokens come from: an identity provider, or a file. Short-lived ones are fetched anew in time. */
    private static Map<String, Object> tokens() {
        return Map.of(
            "sasl.login.callback.handler.class",
            "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler",
            "sasl.oauthbearer.token.endpoint.url", System.getenv("FIRN_TEST_TOKEN_URL"),
            "sasl.login.refresh.min.period.seconds", (short) 0,
            "sasl.login.refresh.buffer.seconds", (short) 0);
    }

    private static String login(String mechanism) {
        if (mechanism.equals("OAUTHBEARER")) {
            return "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId=\""
                + System.getenv("FIRN_TEST_USERNAME") + "\" clientSecret=\"" + System.getenv("FIRN_TEST_PASSWORD") + "\";";
        }
        if (mechanism.equals("GSSAPI")) {
            return "com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true doNotPrompt=true keyTab=\""
                + System.getenv("FIRN_TEST_PASSWORD") + "\" principal=\"" + System.getenv("FIRN_TEST_USERNAME") + "\";";
        }
        String module = mechanism.equals("PLAIN") ? "plain.PlainLoginModule" : "scram.ScramLoginModule";
        return "org.apache.kafka.common.security." + module + " required username=\""
            + System.getenv("FIRN_TEST_USERNAME") + "\" password=\"" + System.getenv("FIRN_TEST_PASSWORD") + "\";";
    }
}
