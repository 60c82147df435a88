import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
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
        Exit.setExitProcedure((status, message) -> {
            throw new Ended(status, message);
        });
        Exit.setHaltProcedure((status, message) -> {
            throw new Ended(status, message);
        });
        var requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String count = requests.readLine(); count != null; count = requests.readLine()) {
            String tool = requests.readLine();
            String[] args = new String[Integer.parseInt(count) - 1];
            for (int i = 0; i < args.length; i++) {
                args[i] = requests.readLine();
            }
            int status = run(tool, args);
            byte[] out = OUT.take();
            byte[] err = ERR.take();
            answers.print(status + " " + out.length + " " + err.length + "\n");
            answers.write(out);
            answers.write(err);
            answers.flush();
        }
    }

    private static int run(String tool, String[] args) throws ReflectiveOperationException {
        try {
            Class.forName(tool).getMethod("main", String[].class).invoke(null, (Object) args);
            return 0;
        } catch (InvocationTargetException thrown) {
            if (thrown.getCause() instanceof Ended ended) {
                return ended.status;
            }
            thrown.getCause().printStackTrace();
            return 1;
        }
    }

    /** A tool's call of exit: an error, so that no tool takes it for a failure of its own. */
    private static final class Ended extends Error {
        private static final long serialVersionUID = 1;
        private final int status;

        private Ended(int status, String message) {
            super(message, null, false, false);
            this.status = status;
        }
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

        private synchronized byte[] take() throws IOException {
            byte[] bytes = collected.toByteArray();
            collected.reset();
            return bytes;
        }
    }
}
