import java.security.PrivilegedExceptionAction;
import java.util.HexFormat;
import java.util.Map;
import javax.security.auth.Subject;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.auth.login.Configuration;
import javax.security.auth.login.LoginContext;
import org.ietf.jgss.GSSContext;
import org.ietf.jgss.GSSManager;
import org.ietf.jgss.GSSName;
import org.ietf.jgss.Oid;

/** Arguments: KEYTAB and any number of PRINCIPAL SERVICE@HOST. Writes the first token of each, in hex, a line each. */
public class KerberosTokens {
    public static void main(String[] args) throws Exception {
        for (int i = 1; i + 1 < args.length; i += 2) {
            System.out.println(token(args[0], args[i], args[i + 1]));
        }
    }

    private static String token(String keytab, String principal, String service) throws Exception {
        LoginContext login = new LoginContext("test", null, null, configuration(keytab, principal));
        login.login();
        PrivilegedExceptionAction<String> first = () -> {
            GSSManager manager = GSSManager.getInstance();
            GSSName name = manager.createName(service, GSSName.NT_HOSTBASED_SERVICE);
            Oid kerberos = new Oid("1.2.840.113554.1.2.2");
            GSSContext context = manager.createContext(name, kerberos, null, GSSContext.DEFAULT_LIFETIME);
            context.requestMutualAuth(true);
            context.requestInteg(true);
            return HexFormat.of().formatHex(context.initSecContext(new byte[0], 0, 0));
        };
        return Subject.doAs(login.getSubject(), first);
    }

    static Configuration configuration(String keytab, String principal) {
        Map<String, String> options = Map.of(
            "useKeyTab", "true", "keyTab", keytab, "principal", principal, "doNotPrompt", "true", "refreshKrb5Config", "true");
        AppConfigurationEntry entry = new AppConfigurationEntry("com.sun.security.auth.module.Krb5LoginModule",
            AppConfigurationEntry.LoginModuleControlFlag.REQUIRED, options);
        return new Configuration() {
            @Override
            public AppConfigurationEntry[] getAppConfigurationEntry(String name) {
                return new AppConfigurationEntry[] {entry};
            }
        };
    }
}
