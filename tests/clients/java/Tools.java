import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs the main classes of Apache Kafka's command-line tools one after another in one JVM, since its start costs
 * more than most tools.
 *
 * <p>A request is the number of arguments on a line, then one line each: the main class, then its arguments. The
 * answer is a line "STATUS STDOUT-BYTES STDERR-BYTES" and those bytes.
 */
public final class Tools {
    private static final Switch OUT = new Switch();
    private static final Switch ERR = new Switch();

    private Tools() {}

    public static void main(String[] ignored) throws Exception {
        PrintStream answers = System.out;
        System.setOut(new PrintStream(OUT, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(ERR, true, StandardCharsets.UTF_8));
        Exit.setExitProcedure(Tools::end);
        Exit.setHaltProcedure(Tools::end);
        var requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String count = requests.readLine(); count != null; count = requests.readLine()) {
            String tool = requests.readLine();
            String[] args = new String[Integer.parseInt(count) - 1];
            for (int i = 0; i < args.length; i++) {
                args[i] = requests.readLine();
            }
            Answer answer = run(tool, args);
            answers.print(answer.status + " " + answer.out.length + " " + answer.err.length + "\n");
            answers.write(answer.out);
            answers.write(answer.err);
            answers.flush();
        }
    }

    /** How the tool under way ended: its first call of exit, since some tools catch what that throws here. */
    private static Answer ended;

    private record Answer(int status, byte[] out, byte[] err) {}

    private static Answer run(String tool, String[] args) throws ReflectiveOperationException {
        ended = null;
        OUT.take();
        ERR.take();
        int status = 0;
        try {
            Class.forName(tool).getMethod("main", String[].class).invoke(null, (Object) args);
        } catch (InvocationTargetException thrown) {
            if (ended == null) {
                thrown.getCause().printStackTrace();
                status = 1;
            }
        }
        return ended == null ? new Answer(status, OUT.take(), ERR.take()) : ended;
    }

    private static void end(int status, String message) {
        if (ended == null) {
            ended = new Answer(status, OUT.take(), ERR.take());
        }
        throw new Exited();
    }

    /** Ends a tool that has called exit. */
    private static final class Exited extends Error {
        private static final long serialVersionUID = 1;
    }

    /** Output that is collected for one tool at a time; tools may keep the stream that they found first. */
    private static final class Switch extends OutputStream {
        private final ByteArrayOutputStream collected = new ByteArrayOutputStream();

        @Override
        public synchronized void write(int value) {
            collected.write(value);
        }

        @Override
        public synchronized void write(byte[] bytes, int from, int length) {
            collected.write(bytes, from, length);
        }

        private synchronized byte[] take() {
            byte[] bytes = collected.toByteArray();
            collected.reset();
            return bytes;
        }
    }
}
