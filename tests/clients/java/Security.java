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
        }
        if (protocol.startsWith("SASL")) {
            String mechanism = System.getenv("FIRN_TEST_MECHANISM");
            all.put("sasl.mechanism", mechanism);
            all.put("sasl.jaas.config", login(mechanism));
        }
        return all;
    }

    private static String login(String mechanism) {
        String module = mechanism.equals("PLAIN") ? "plain.PlainLoginModule" : "scram.ScramLoginModule";
        return "org.apache.kafka.common.security." + module + " required username=\""
            + System.getenv("FIRN_TEST_USERNAME") + "\" password=\"" + System.getenv("FIRN_TEST_PASSWORD") + "\";";
    }
}
