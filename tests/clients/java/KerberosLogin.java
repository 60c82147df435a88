import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.PrivilegedExceptionAction;
import java.util.Map;
import javax.security.auth.Subject;
import javax.security.auth.login.LoginContext;
import javax.security.sasl.Sasl;
import javax.security.sasl.SaslClient;

/**
 * Arguments: KEYTAB HOST PORT and any number of PRINCIPAL AUTHZID WAIT. Logs each in with GSSAPI, for AUTHZID unless that is "-", and
 * writes the error code and the session's lifetime in ms, a line each; with "wait" it also asks for ApiVersions, and waits until the
 * connection is closed.
 */
public class KerberosLogin {
    private final DataInputStream in;
    private final DataOutputStream out;

    private KerberosLogin(Socket socket) throws Exception {
        in = new DataInputStream(socket.getInputStream());
        out = new DataOutputStream(socket.getOutputStream());
    }

    public static void main(String[] args) throws Exception {
        for (int i = 3; i + 2 < args.length; i += 3) {
            LoginContext login = new LoginContext("test", null, null, KerberosTokens.configuration(args[0], args[i]));
            login.login();
            String authzid = args[i + 1].equals("-") ? null : args[i + 1];
            boolean wait = args[i + 2].equals("wait");
            PrivilegedExceptionAction<String> whole = () -> {
                try (Socket socket = new Socket(args[1], Integer.parseInt(args[2]))) {
                    return new KerberosLogin(socket).login(authzid, wait);
                }
            };
            System.out.println(Subject.doAs(login.getSubject(), whole));
        }
    }

    private String login(String authzid, boolean wait) throws Exception {
        byte[] mechanism = "GSSAPI".getBytes(StandardCharsets.US_ASCII);
        ByteBuffer handshake = ByteBuffer.allocate(2 + mechanism.length).putShort((short) mechanism.length).put(mechanism);
        short error = ask(17, 1, handshake.array()).getShort();
        if (error != 0) {
            return "handshake " + error;
        }
        SaslClient sasl = Sasl.createSaslClient(
            new String[] {"GSSAPI"}, authzid, "kafka", "localhost", Map.of(Sasl.QOP, "auth"), null);
        byte[] token = sasl.evaluateChallenge(new byte[0]);
        while (true) {
            ByteBuffer body = ByteBuffer.allocate(4 + token.length).putInt(token.length).put(token);
            ByteBuffer answer = ask(36, 1, body.array());
            error = answer.getShort();
            int length = answer.getShort();
            answer.position(answer.position() + Math.max(length, 0));
            byte[] challenge = new byte[answer.getInt()];
            answer.get(challenge);
            long lifetime = answer.getLong();
            if (error != 0 || sasl.isComplete()) {
                return error + " " + lifetime + (wait ? " " + closed() : "");
            }
            token = sasl.evaluateChallenge(challenge);
            token = token == null ? new byte[0] : token;
        }
    }

    private String closed() throws Exception {
        ask(18, 0, new byte[0]);
        return in.read() < 0 ? "closed" : "more";
    }

    /** Sends a request without a client id; the answer behind its correlation id. */
    private ByteBuffer ask(int api, int version, byte[] body) throws Exception {
        out.writeInt(10 + body.length);
        out.writeShort(api);
        out.writeShort(version);
        out.writeInt(7);
        out.writeShort(-1);
        out.write(body);
        out.flush();
        byte[] answer = new byte[in.readInt()];
        in.readFully(answer);
        return ByteBuffer.wrap(answer).position(4);
    }
}
