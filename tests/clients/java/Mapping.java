import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import org.apache.kafka.common.security.ssl.SslPrincipalMapper;

/**
 * What Kafka makes of mapping rules, and Java of names: a line of standard output for each of standard input.
 *
 * "map RULES TAB TEXT": "= NAME", "none", or "invalid" if the rules are refused or fail when they are used.
 * "name HEX", a certificate in DER: "= NAME", its subject as Kafka sees it.
 */
public class Mapping {
    public static void main(String[] args) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var out = new StringBuilder();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String rest = line.substring(line.indexOf(' ') + 1);
            out.append(line.startsWith("map ") ? map(rest) : name(rest)).append('\n');
        }
        System.out.write(out.toString().getBytes(StandardCharsets.UTF_8));
        System.out.flush();
    }

    private static String map(String row) {
        int tab = row.indexOf('\t');
        try {
            var mapper = SslPrincipalMapper.fromRules(row.substring(0, tab));
            return "= " + mapper.getName(row.substring(tab + 1));
        } catch (java.io.IOException noRule) {
            return "none";
        } catch (IllegalArgumentException | IndexOutOfBoundsException invalid) {
            return "invalid";
        }
    }

    private static String name(String hex) throws Exception {
        var der = new ByteArrayInputStream(HexFormat.of().parseHex(hex));
        var certificate = (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(der);
        return "= " + certificate.getSubjectX500Principal().getName();
    }
}
