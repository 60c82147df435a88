import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.security.kerberos.KerberosName;
import org.apache.kafka.common.security.kerberos.KerberosShortNamer;

/** Reads realm, rules and principal from each line, separated by tabs, and writes the short name, or "-" if there is none. */
public class KerberosNames {
    public static void main(String[] args) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        StringBuilder out = new StringBuilder();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] fields = line.split("\t", -1);
            out.append(shortName(fields[0], Arrays.asList(fields[1].split("\\s*,\\s*", -1)), fields[2])).append('\n');
        }
        System.out.print(out);
    }

    private static String shortName(String realm, List<String> rules, String principal) {
        try {
            return KerberosShortNamer.fromUnparsedRules(realm, rules).shortName(KerberosName.parse(principal));
        } catch (Exception refused) {
            return "-";
        }
    }
}
